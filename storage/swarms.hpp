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
  // False when `fence` is not the task's: a lost attempt speaks too late.
  bool task_ended(SwarmId id, const std::string& task, std::int64_t fence, const std::string& state,
                  Duration took, const json::value& outcome);
  std::vector<SwarmTask> tasks(SwarmId id);
  std::int64_t fence_max(SwarmId id);
  // False when it already ended.
  bool finish(SwarmId id, const std::string& state, const json::value& report, TimePoint now);
  // Learned durations: an exponential mean over done attempts of that task name, per entity.
  void learn(const std::string& entity, const std::string& task, Duration took);
  std::optional<Duration> learned(const std::string& entity, const std::string& task);

 private:
  Database& database_;
};

}  // namespace vigil::storage
