#pragma once
// What the guardian remembers of one case: the alerts of a group, whether they fire, who took them
// on, and what happened when. Kept as the state of the case. Pure; any thread.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "entities/ops/alert.hpp"

namespace vigil::entities::ops {

struct Known {  // one alert of the case
  Status status = Status::firing;
  Severity severity = Severity::warning;
  std::string name;
  std::string summary;
  std::string link;
  std::string value;
  Labels labels;  // at most ten
  std::optional<TimePoint> starts;
  TimePoint since;  // when we heard of its state
};

struct Moment {
  TimePoint at;
  std::string text;
};

// An incident begins with the first alert that fires, and is over when all were quiet for long
// enough. Between them it may resolve and fire again.
enum class Phase { none, firing, resolved, closed };
std::string_view to_text(Phase phase);

struct Incident {
  int number = 0;  // of the case, from 1
  Phase phase = Phase::none;
  std::string title;
  std::string nature;                                // what it is like: see nature_of
  Labels shared;                                     // labels that the alerts have in common
  std::map<std::string, Known, std::less<>> alerts;  // by fingerprint
  std::size_t truncated = 0;                         // alerts that the sender left out
  std::size_t dropped = 0;                           // alerts beyond our bound
  TimePoint opened;
  std::optional<TimePoint> resolved;
  std::string acked_by;  // empty: nobody; expires when all have resolved
  std::string first_acked_by;
  std::optional<TimePoint> first_acked;
  std::vector<std::string> notes;  // what people said, with who; the last few
  std::vector<TimePoint> flips;
  bool flapping = false;
  bool told = false;
  int escalations = 0;
  bool waits_for_somebody = false;  // the escalation timer runs
  std::string last_digest;
  std::vector<std::string> evidence;  // one line each, with its id
  std::string runbook;                // the one that is under way
  std::string runbook_step;           // check, act, verify, roll-back
  std::vector<TimePoint> runs;
  std::string ended_by;
  std::vector<Moment> timeline;
  std::size_t moments_dropped = 0;

  std::size_t firing() const;
  Severity severity() const;  // of the worst that fires, or of the worst when none does
  std::string name(const std::string& case_key) const;
  void note(TimePoint at, std::string text);
  void acknowledge(std::string who, TimePoint at);
  void hear(const std::string& who, const std::string& said);  // a person's note
};

constexpr std::size_t known_max = 1000;
constexpr std::size_t timeline_max = 100;

json::object to_json(const Incident& incident);
Incident incident_from_json(const json::object& state);

// What one alert's message changed.
enum class Change { nothing, fired, resolved, acknowledged, late };
Change take(Incident& incident, const Alert& alert, TimePoint now);

// The one message about it, in Markdown; edited as it goes on.
std::string message_of(const Incident& incident, TimePoint now, std::string_view remark);
// What is left to write when it is over, in Markdown.
std::string post_mortem(const Incident& incident, const std::string& case_key);
std::string headline(const Incident& incident);

}  // namespace vigil::entities::ops
