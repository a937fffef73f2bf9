#pragma once
// Budgets of a UTC day: [budget] of everybody together, [entity.NAME.budget] of one entity,
// [entity.NAME.budget.case] of one of its cases. What a swarm may take is set aside when it is
// planned and gives way to what it took when it ends. On the writer's thread, inside the savepoint
// of the change.
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "daemon/models/planning.hpp"
#include "storage/day_use.hpp"
#include "storage/stores.hpp"
#include "swarm/plan.hpp"

namespace vigil::runtime {

constexpr const char* all_entities = "*";  // their account in `spend`

// One budget and how it is kept.
struct Account {
  std::string name;  // in `spend`: "*", "ENTITY", "case:17"
  std::string path;  // in the configuration: "entity.NAME.budget"
  config::Allowance limits;
  std::string entity;  // whose swarms set something aside; empty: everybody's
  CaseId case_id;      // of this case alone
};
// The case has one only where its budget says anything.
std::vector<Account> accounts_of(const config::Settings& settings, const config::Entity& entity,
                                 CaseId of);
config::Allowance allowance_of(const config::Budget& budget);

// What is known of a plan before it runs.
struct Estimate {
  bool asks = false;  // a model or an agent, which takes tokens and money
  int planners = 0;   // each may ask for as much as [planning] allows
  std::vector<models::Question> questions;
  // As tasks are learned, how many of each, and what all of them take that may run that long.
  struct Learned {
    std::string name;
    int count = 0;
    Duration timeout{0};  // 0: the engine's, which says nothing of this task
  };
  std::vector<Learned> names;
};
Estimate estimate_of(const swarm::Plan& plan);

// What a swarm should take: of compute, what its tasks took before, or the longest they may where
// nothing is known; of tokens and money, the most.
storage::SetAside need_of(storage::Stores& stores, const config::Settings& settings,
                          const std::string& entity, const Estimate& estimate);

struct Lacking {
  bool of_questions = false;  // tokens or money: without its questions the plan may go
  std::string why;  // which budget, what is used of it, how to raise it, when the day ends
};
// One more swarm of the day, with room for what it needs, in all accounts or in none.
std::optional<Lacking> take_swarm(storage::Stores& stores, const std::vector<Account>& accounts,
                                  const storage::SetAside& need, bool asks, TimePoint now);
std::optional<Lacking> take_notification(storage::Stores& stores,
                                         const std::vector<Account>& accounts, TimePoint now);

// What was taken, from the accounts of these names, on the day when it was asked for.
void settle(storage::Stores& stores, const std::vector<std::string>& accounts,
            const storage::SetAside& took, TimePoint asked);
std::vector<std::string> names_of(const std::vector<Account>& accounts);

}  // namespace vigil::runtime
