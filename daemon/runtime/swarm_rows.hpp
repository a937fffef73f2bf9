#pragma once
// How swarms come into the database and end in it: planned within budgets, tried again, ended.
// These functions run on the writer's thread, inside the savepoint of their change.
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/runtime/budgets.hpp"
#include "daemon/runtime/inhabitants.hpp"
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
  Estimate estimate;
};
PlanRow row_of(const swarm::Plan& plan);

struct Asking {
  std::shared_ptr<const Inhabitants> inhabitants;
  const config::Entity* entity = nullptr;
  CaseId case_id;
  DecisionId decision;
  TimePoint now;
};
// Sets aside a swarm of the day and what it should take, in all budgets it is within, or in none.
std::expected<SwarmId, Lacking> commit_plan(storage::Stores& stores, const Asking& asking,
                                            PlanRow row);

// A person asks for a plan, in the name of an entity. It gets the case `by-hand` and a line in the
// ledger.
constexpr const char* by_hand_key = "by-hand";
struct ByHand {
  std::shared_ptr<const Inhabitants> inhabitants;
  const config::Entity* entity = nullptr;
  PlanRow row;
  std::string by;  // who: "uid 1000"
};
Result<SwarmId> commit_by_hand(storage::Stores& stores, const ByHand& asked, TimePoint now);

// A swarm that failed or was cancelled runs again. A wake about its first end that is not decided
// yet is superseded: there will be another end.
struct Again {
  std::shared_ptr<const Inhabitants> inhabitants;
  const config::Entity* entity = nullptr;
  SwarmId swarm;
  Estimate estimate;  // of the tasks that are not done
  int done = 0;
  std::string by;
};
Result<void> commit_again(storage::Stores& stores, const Again& again, TimePoint now);
// Why a swarm in this state cannot be tried again.
std::string why_not_again(const storage::Swarm& swarm);

std::string state_of(const swarm::Report& report);
// The end of a swarm, told to its guardian, what was spent and learned; `accounts` are those that
// pay for it. Nothing when it ended before.
std::optional<Waiting> commit_end(storage::Stores& stores, const storage::Swarm& swarm,
                                  const swarm::Report& report,
                                  const std::vector<std::string>& accounts, TimePoint now);

}  // namespace vigil::runtime
