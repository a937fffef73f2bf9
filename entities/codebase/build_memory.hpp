#pragma once
// What an entity remembers of its builds, as facts anybody can see: of each command when it was
// good last, since when it is red and why, and how long it takes (`command:NAME`); of each failure
// when and where it was seen and what ended it (`failure:FINGERPRINT`); of tests that pass and fail
// on one commit how often (`flaky:COMMAND/TEST`). Bounded: the oldest go. Pure; any thread.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "entities/guardian.hpp"

namespace vigil::entities::codebase {

// How long something took, the latest last.
struct Timing {
  std::vector<double> seconds;
  std::string slow_since;  // the commit from which on it is slower than its past; empty: it is not
  bool told = false;
};

struct CommandPast {
  std::string good;  // the commit that passed last on the watched branch
  std::int64_t good_us = 0;
  std::string red_since;  // the first that was seen to fail after it; empty: it is green
  std::int64_t red_us = 0;
  std::vector<std::string> fingerprints;  // of what fails since then
  std::string cause;                      // the first bad commit, if it is known
  std::string cause_text;                 // one sentence
  std::map<std::string, Timing> timings;  // by test; under "" the command itself
};

struct FailurePast {
  std::string command;
  std::string title;
  std::string first_case;
  std::int64_t first_us = 0;
  std::string last_case;
  std::string last_commit;
  std::int64_t last_us = 0;
  std::int64_t count = 0;
  std::string cause;  // one sentence
  std::string ended_case;
  std::string ended_commit;  // the first that was seen without it
  std::int64_t ended_us = 0;
};

struct FlakyPast {
  std::string command;
  std::string test;  // empty: the command as a whole
  std::int64_t passed = 0;
  std::int64_t failed = 0;
  std::int64_t streak = 0;   // failures in a row, now
  std::int64_t commits = 0;  // on which it did both
  std::string last_commit;
  std::int64_t first_us = 0;
  std::int64_t last_us = 0;  // it was seen to do both
};

constexpr std::string_view command_facts = "command:";
constexpr std::string_view failure_facts = "failure:";
constexpr std::string_view flaky_facts = "flaky:";

json::object to_json(const CommandPast& past);
CommandPast command_past_from(const json::value& value);
json::object to_json(const FailurePast& past);
FailurePast failure_past_from(const json::value& value);
json::object to_json(const FlakyPast& past);
FlakyPast flaky_past_from(const json::value& value);

// Reads what is remembered, and what was changed since in the same decision.
class BuildMemory {
 public:
  // The references must outlive it.
  BuildMemory(const Recollection& memory, TimePoint now) : memory_(memory), now_(now) {}

  std::int64_t now_us() const { return to_unix_us(now_); }
  CommandPast command(const std::string& name) const;
  std::optional<FailurePast> failure(const std::string& fingerprint) const;
  std::optional<FlakyPast> flaky(const std::string& command, const std::string& test) const;
  std::vector<FlakyPast> flaky_of(const std::string& command) const;

  void keep(const std::string& name, const CommandPast& past);
  void keep_failure(const std::string& fingerprint, const FailurePast& past);
  void keep(const FlakyPast& past);
  // It did both on one commit.
  void saw_both(const std::string& command, const std::string& test, const std::string& commit);

  // True when a search may begin now: at most `per_hour` within any hour. Counts it.
  bool may_search(int per_hour);

  void write(Decision& decision) const;

 private:
  std::optional<json::value> find(const std::string& key) const;
  // Makes room for one more with this prefix.
  void make_room(std::string_view prefix, const std::string& key);

  const Recollection& memory_;
  TimePoint now_;
  std::map<std::string, json::value> changed_;
};

// A failing test that may be passed over: it did both on one commit within the last 30 days, and it
// does not fail more often in a row than its rate explains (less than one chance in a hundred).
bool is_excused(const FlakyPast& past, TimePoint now);
std::string to_sentence(const FlakyPast& past);  // "fails 3 of 20 runs, on 2 commits both ways"

}  // namespace vigil::entities::codebase
