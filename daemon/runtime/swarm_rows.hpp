#pragma once
// How swarms come into the database and end in it: planned within budgets, tried again, ended.
// These functions run on the writer's thread, inside the savepoint of their change.
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/settings.hpp"
#include "daemon/runtime/mailboxes.hpp"
#include "storage/stores.hpp"
#include "swarm/plan.hpp"
#include "swarm/report.hpp"

namespace vigil::runtime {

// What of a plan is stored and reserved for. Made where time does not matter: plans may be large.
struct PlanRow {
  std::string title;
  json::value plan;
  int tasks = 0;
  bool asks = false;  // a model or an agent, which takes tokens and money
  std::vector<std::pair<std::string, int>> names;  // as tasks are learned, and how many of each
};
PlanRow row_of(const swarm::Plan& plan);

struct Asking {
  std::string entity;
  config::Budget budget;
  CaseId case_id;
  DecisionId decision;
  TimePoint now;
};
// What of a plan comes from a wake that strangers had a part in: its questions are tainted.
void taint(swarm::Plan& plan);
// Reserves a swarm of the day and the compute it should need, both or none. Else why it was not
// planned: "the day's compute are spent".
std::expected<SwarmId, std::string> commit_plan(storage::Stores& stores, const Asking& asking,
                                                PlanRow row);

// A person asks for a plan, in the name of an entity. It gets the case `by-hand` and a line in the
// ledger.
constexpr const char* by_hand_key = "by-hand";
struct ByHand {
  std::string entity;
  config::Budget budget;
  PlanRow row;
  std::string by;  // who: "uid 1000"
};
Result<SwarmId> commit_by_hand(storage::Stores& stores, const ByHand& asked, TimePoint now);

// A swarm that failed or was cancelled runs again. A wake about its first end that is not decided
// yet is superseded: there will be another end.
struct Again {
  SwarmId swarm;
  config::Budget budget;
  Duration expected{0};  // what the tasks that are not done should take
  int done = 0;
  std::string by;
};
Result<void> commit_again(storage::Stores& stores, const Again& again, TimePoint now);
// Why a swarm in this state cannot be tried again.
std::string why_not_again(const storage::Swarm& swarm);

std::string state_of(const swarm::Report& report);
// The end of a swarm, told to its guardian, what was spent and learned. Nothing when it ended
// before.
std::optional<Waiting> commit_end(storage::Stores& stores, const storage::Swarm& swarm,
                                  const swarm::Report& report, TimePoint now);

}  // namespace vigil::runtime
