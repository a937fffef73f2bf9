#pragma once
// What a guardian is told and what it answers (docs/design.md part 3). Values; any thread.
#include <boost/json/object.hpp>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "core/event.hpp"
#include "swarm/plan.hpp"
#include "swarm/report.hpp"

namespace vigil::entities {

// ---- why decide is called
// -------------------------------------------------------------------------

struct EventsArrived {
  std::vector<EventPtr> events;  // one, or a coalesced batch in order of arrival; never empty
};
struct SwarmEnded {
  swarm::Report report;
};
struct TimerDue {
  std::string name;
  TimePoint due;
  json::value note;  // what was given when it was set
};
struct ActionSettled {
  ActionId action;
  std::string kind;
  std::string outcome;  // delivered | failed | unknown | denied | expired
  json::value result;   // what the sink answered
  std::string error;
  std::string sticky_key = {};  // the action's own
};
struct FeedbackGiven {
  ActionId action;      // 0 when it is about the case as a whole
  std::string verdict;  // useful | noise
  std::string note;     // what it is about: a finding's key, or empty for all of the action
  json::value about;    // the payload of the action
};

struct Wake {
  std::string entity;
  std::string case_key;
  TimePoint now;  // the only time a guardian knows
  Taint taint = Taint::untrusted;
  std::variant<EventsArrived, SwarmEnded, TimerDue, ActionSettled, FeedbackGiven> because;
};
std::string_view kind_of(const Wake& wake);  // event | swarm | timer | action | feedback
json::object to_json(const Wake& wake);

// ---- what it answers
// ------------------------------------------------------------------------------

enum class Verdict {
  acted,
  noted,
  ignored
};  // asked for something; only remembered; did not matter
std::string_view to_text(Verdict verdict);

struct Episode {     // what happened, in words
  std::string kind;  // review, incident, ...
  std::string text;
  json::value data;
};
struct Fact {  // upsert by key; a null value forgets
  std::string key;
  json::value value;
  double confidence = 1.0;
  std::string provenance;  // where it is known from
};
struct Preference {  // learned from feedback: visible and reversible; null forgets
  std::string key;
  json::value value;
  std::string why;
};
struct Document {  // full text; an empty body forgets
  std::string key;
  std::string title;
  std::string body;
};
struct TimerSet {  // one timer per name and case; no `due` clears it
  std::string name;
  std::optional<TimePoint> due;
  json::value note;
};
struct Action {
  std::string kind = "notify";  // class, for autonomy: notify, comment, status, run, ...
  std::string sink;             // name in the configuration
  json::object payload;         // the sink's own fields, plus "text" for people
  std::string sticky_key;       // later actions with this key replace earlier undelivered ones, and
                                // edit the delivered one in place where the sink can
  std::optional<TimePoint> expires;
  bool ask_first = false;  // a person approves it, whatever the autonomy says
};

struct Decision {
  Verdict verdict = Verdict::ignored;
  std::string why;                    // one sentence; never empty
  std::string rule;                   // which rule or branch decided, for `explain`
  std::optional<json::object> state;  // new state of the case; none: unchanged
  bool close_case = false;
  std::vector<Episode> episodes;
  std::vector<Fact> facts;
  std::vector<Preference> preferences;
  std::vector<Document> documents;
  std::vector<swarm::Plan> plans;
  std::vector<TimerSet> timers;
  std::vector<Action> actions;
};
json::object to_json(const Decision& decision);
Result<Decision> decision_from_json(const json::value& value);

}  // namespace vigil::entities
