#pragma once
// Swarms and the checkpoints of their tasks. Plans and reports are JSON here: storage does not know
// their insides.
#include <optional>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/json.hpp"
#include "core/time.hpp"

namespace vigil::storage {

class Database;

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
  json::value report;  // null until it ended
};

struct SwarmTask {
  SwarmId swarm;
  std::string name;
  std::string state;  // running done failed cancelled skipped
  int attempt = 0;
  std::int64_t fence = 0;  // of the attempt that holds the task
  TimePoint started;
  Duration took{0};
  json::value outcome;  // as swarm/report.hpp spells it; null while running
};

// "each/17" is learned as "each/", whatever its number.
std::string learned_name(const std::string& task);

class Swarms {
 public:
  explicit Swarms(Database& database) : database_(database) {}
  SwarmId add(const Swarm& swarm);
  std::optional<Swarm> find(SwarmId id);
  std::vector<Swarm> unfinished();  // planned or running, by id
  std::vector<Swarm> list(const std::string& entity, SwarmId before, int limit);
  int running(const std::string& entity);  // planned and running ones
  std::vector<Swarm> unfinished_of(CaseId case_id);
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
  // A failed or cancelled one runs again, from its checkpoints. False when it is neither.
  bool reopen(SwarmId id);
  // Learned durations: exponential means of the time that done attempts of a task name took, and of
  // its deviation, per entity. Tasks of one list (NAME/17) are learned as one: see learned_name.
  struct Learned {
    std::string task;
    Duration took{0};
    Duration deviation{0};
    int runs = 0;
  };
  void learn(const std::string& entity, const std::string& task, Duration took);
  std::vector<Learned> learned(const std::string& entity, int limit);
  std::optional<Duration> learned(const std::string& entity, const std::string& task);
  // Results that later tasks may take, by swarm/spawn.hpp's cache_key_of. The newest stay.
  struct Kept {
    json::value result;
    Duration took{0};
  };
  void keep(const std::string& key, const Kept& kept, TimePoint now);
  std::optional<Kept> kept(const std::string& key);
  int erase_kept(TimePoint before, int count_max);

 private:
  Database& database_;
};

}  // namespace vigil::storage
