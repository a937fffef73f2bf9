#pragma once
// Swarms and the checkpoints of their tasks. Plans and reports are JSON here: storage does not know
// their insides.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/ids.hpp"
#include "core/json.hpp"
#include "core/time.hpp"

namespace vigil::storage {

class Database;

// What one run of a swarm did. Kept as long as the ledger, apart from the swarm.
struct SwarmNumbers {
  SwarmId swarm;
  std::string entity;
  TimePoint ended;
  std::string title;
  std::string state;
  int run = 1;
  int tasks = 0;
  int done = 0;  // by running: those that took an earlier result are `reused`
  int attempts = 0;
  int first_time_right = 0;
  int reused = 0;
  Duration task_sum{0};
  Duration wall{0};
  Duration lower_bound{0};
  Duration wasted{0};
  Duration saved{0};
};

struct Swarm {
  SwarmId id;
  std::string entity;
  CaseId case_id;
  std::string case_key;  // read only
  DecisionId decision;
  std::string title;
  json::value plan;
  std::string state;  // planned running done failed cancelled
  TimePoint created;
  TimePoint started;
  TimePoint ended;
  json::value report;                   // null until it ended
  int tasks = -1;                       // in its plan; -1: they were not counted when it was stored
  int run = 1;                          // a swarm that is tried again has several
  TimePoint asked;                      // when this run was asked for
  Duration reserved{0};                 // compute of that day which was set aside for this run
  std::optional<SwarmNumbers> numbers;  // read only; once it ended
};

struct SwarmTask {
  SwarmId swarm;
  std::string name;
  std::string state;  // waiting running done failed cancelled skipped
  int attempt = 0;
  std::int64_t fence = 0;  // of the attempt that holds the task
  TimePoint started;
  Duration took{0};
  json::value outcome;  // as swarm/report.hpp spells it; null while running
};

constexpr int learned_names_max = 5'000;  // of one entity

// "each/17" is learned as "each/", whatever its number.
std::string learned_name(const std::string& task);

class Swarms {
 public:
  explicit Swarms(Database& database) : database_(database) {}
  SwarmId add(const Swarm& swarm);
  std::optional<Swarm> find(SwarmId id);
  // The others come without what may be large, plan and report, as far as `tasks` and `numbers` can
  // stand for them.
  std::optional<Swarm> brief(SwarmId id);
  std::vector<Swarm> unfinished();  // planned or running, by id
  std::vector<Swarm> list(const std::string& entity, SwarmId before, int limit);
  std::vector<Swarm> unfinished_of(CaseId case_id);
  int running(const std::string& entity);  // planned and running ones
  void start(SwarmId id, TimePoint now);
  void task_started(SwarmId id, const std::string& task, int attempt, std::int64_t fence,
                    TimePoint now);
  // Needs no task_started before it. False when a newer attempt holds the task: a lost one speaks
  // too late.
  bool task_ended(const SwarmTask& task);
  std::vector<SwarmTask> tasks(SwarmId id);
  std::int64_t fence_max(SwarmId id);
  // False when it already ended.
  bool finish(SwarmId id, const std::string& state, const json::value& report, TimePoint now);
  // Replaces what an earlier run left.
  void note(const SwarmNumbers& numbers);
  // Newest first; of all entities when `entity` is empty.
  std::vector<SwarmNumbers> numbers(const std::string& entity, TimePoint since, int limit);
  // A failed or cancelled one runs again, from its checkpoints: what is done stays. False when it
  // is neither.
  bool reopen(SwarmId id, TimePoint asked = {}, Duration reserved = {});
  // Wakes that tell of its end and are not decided yet.
  std::vector<WakeId> untold_ends(SwarmId id);
  // Learned durations: exponential means of the time that done attempts of a task name took, and of
  // its deviation, per entity. Tasks of one list (NAME/17) are learned as one: see learned_name.
  struct Learned {
    std::string task;
    Duration took{0};
    Duration deviation{0};
    int runs = 0;
  };
  void learn(const std::string& entity, const std::string& task, Duration took, TimePoint now = {});
  // Of many tasks at once: each name is read and written once, `learned_names_max` of them.
  using Took = std::pair<std::string, Duration>;
  void learn(const std::string& entity, const std::vector<Took>& tasks, TimePoint now);
  std::vector<Learned> learned(const std::string& entity, int limit);  // newest first
  std::optional<Duration> learned(const std::string& entity, const std::string& task);
  int erase_learned(const std::string& entity, int names_max);  // the oldest go
  // Results that later tasks may take, by swarm/spawn.hpp's cache_key_of.
  struct Kept {
    json::value result;
    Duration took{0};
  };
  std::int64_t keep(const std::string& key, const Kept& kept, TimePoint now);  // its bytes
  std::optional<Kept> kept(const std::string& key);
  // Erases what is older, and the oldest while all are larger than `bytes_max`; `at_once` at most.
  // 0: there was nothing to erase.
  int erase_kept(TimePoint before, std::int64_t bytes_max, int at_once);

 private:
  Database& database_;
};

}  // namespace vigil::storage
