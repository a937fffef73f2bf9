#include "daemon/runtime/swarm_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <unordered_map>

#include "daemon/runtime/commit.hpp"

namespace vigil::runtime {
namespace {

constexpr std::int64_t micros_a_cent = 10'000;
constexpr std::size_t asked_one_by_one = 32;  // names; of more, all that is known is read at once

Duration expected_of(storage::Stores& stores, const std::string& entity, const PlanRow& row) {
  Duration sum{0};
  if (row.names.size() <= asked_one_by_one) {
    for (const auto& [name, count] : row.names) {
      sum += stores.swarms.learned(entity, name).value_or(Duration{0}) * count;
    }
    return sum;
  }
  std::unordered_map<std::string, Duration> known;
  for (auto& one : stores.swarms.learned(entity, storage::learned_names_max)) {
    known.emplace(std::move(one.task), one.took);
  }
  for (const auto& [name, count] : row.names) {
    const auto found = known.find(name);
    if (found != known.end()) sum += found->second * count;
  }
  return sum;
}

bool has_left(storage::Stores& stores, const std::string& entity, const std::string& day,
              const char* kind, std::int64_t limit) {
  if (!stores.spend.reserve(entity, day, kind, 1, limit)) return false;
  stores.spend.settle(entity, day, kind, 1, 0);
  return true;
}

// A reservation of a swarm, then of the compute it should need; both or none. What there is none
// of. Of tokens and money there must be something left.
std::optional<std::string> reserve(storage::Stores& stores, const std::string& entity,
                                   const config::Budget& budget, Duration expected, bool asks,
                                   TimePoint now) {
  const auto day = day_of(now);
  if (asks && !has_left(stores, entity, day, "tokens", budget.tokens)) return "tokens";
  if (asks && !has_left(stores, entity, day, "money_micros", budget.money_cents * micros_a_cent)) {
    return "money_cents";
  }
  if (!stores.spend.reserve(entity, day, "swarms", 1, budget.swarms)) return "swarms";
  if (stores.spend.reserve(entity, day, "compute_us", expected.count(), budget.compute.count())) {
    return std::nullopt;
  }
  stores.spend.settle(entity, day, "swarms", 1, 0);
  return "compute";
}

std::unexpected<Error> over_budget(const std::string& entity, const std::string& what) {
  return fail(ErrorCode::conflict,
              fmt::format("the day's {} of entity '{}' are spent: raise budget.{} and reload, or "
                          "wait for tomorrow (UTC)",
                          what, entity, what));
}

void supersede(storage::Stores& stores, SwarmId swarm, TimePoint now) {
  for (const auto id : stores.swarms.untold_ends(swarm)) {
    const auto wake = stores.wakes.find(id);
    if (!wake || !stores.wakes.erase(id)) continue;
    storage::Entry entry;
    entry.at = now;
    entry.entity = wake->entity;
    entry.case_id = wake->case_id;
    entry.wake_kind = wake->kind;
    entry.verdict = "superseded";
    entry.why = fmt::format("swarm {} is tried again before its end was decided", swarm.value);
    entry.asked = {{"because", wake->payload}};
    stores.ledger.append(entry);
  }
}

// A swarm that is tried again ran some of its tasks in an earlier run, whose end counted them.
bool is_of_this_run(const storage::Swarm& swarm, const swarm::TaskOutcome& task) {
  return swarm.run <= 1 || task.started >= swarm.started;
}

// Of this run alone: the report spans all of them.
storage::SwarmNumbers numbers_of(const storage::Swarm& swarm, const swarm::Report& report,
                                 TimePoint now) {
  storage::SwarmNumbers out;
  out.swarm = swarm.id;
  out.entity = swarm.entity;
  out.ended = now;
  out.title = swarm.title;
  out.state = state_of(report);
  out.run = swarm.run;
  Duration longest{0};
  for (const auto& task : report.tasks) {
    if (!is_of_this_run(swarm, task)) continue;
    ++out.tasks;
    const bool ran = task.state == swarm::TaskState::done && task.attempts > 0;
    out.done += ran ? 1 : 0;
    out.first_time_right += ran && task.attempts == 1 ? 1 : 0;
    out.attempts += task.attempts;
    out.reused += task.saved > Duration{0} ? 1 : 0;
    out.saved += task.saved;
    out.task_sum += task.took;
    out.wasted += task.wasted;
    longest = std::max(longest, task.took);
  }
  out.wall = report.wall;
  out.lower_bound = report.lower_bound;
  if (swarm.run <= 1) {
    out.task_sum = report.task_sum;
    out.wasted = report.wasted;
    return out;
  }
  out.wall = std::max(now - swarm.started, Duration{0});
  out.lower_bound = longest;
  if (report.slots > 0) out.lower_bound = std::max(longest, out.task_sum / report.slots);
  return out;
}

// What models and agents took, of the entity and of each model.
void settle_costs(storage::Stores& stores, const storage::Swarm& swarm,
                  const swarm::Report& report) {
  const auto day = day_of(swarm.asked);
  std::map<std::pair<std::string, std::string>, std::int64_t> sums;
  for (const auto& task : report.tasks) {
    if (!is_of_this_run(swarm, task)) continue;
    for (const auto& [name, amount] : task.cost) {
      boost::system::error_code error;
      const auto more = amount.to_number<double>(error);
      const std::string_view kind = name;
      const auto of = kind.find(" of ");
      const auto what = kind.substr(0, of);
      if (error || (what != "tokens" && what != "money_micros")) continue;
      const auto owner =
          of == std::string_view::npos ? swarm.entity : "model:" + std::string(kind.substr(of + 4));
      sums[{owner, std::string(what)}] += static_cast<std::int64_t>(more);
    }
  }
  for (const auto& [key, amount] : sums) {
    stores.spend.settle(key.first, day, key.second, 0, amount);
  }
}

}  // namespace

PlanRow row_of(const swarm::Plan& plan) {
  PlanRow row;
  row.title = plan.title;
  row.plan = swarm::to_json(plan);
  row.tasks = static_cast<int>(plan.tasks.size());
  row.asks = std::ranges::any_of(plan.tasks, [](const swarm::Task& task) {
    return task.ask || task.agent || (task.verify && task.verify->ask);
  });
  std::unordered_map<std::string, std::size_t> places;
  for (const auto& task : plan.tasks) {
    auto name = storage::learned_name(task.name);
    const auto [place, fresh] = places.try_emplace(name, row.names.size());
    if (fresh) row.names.emplace_back(std::move(name), 0);
    ++row.names[place->second].second;
  }
  return row;
}

void taint(swarm::Plan& plan) {
  const auto tainted = [](const std::shared_ptr<const swarm::Ask>& ask) {
    auto out = std::make_shared<swarm::Ask>(*ask);
    out->tainted = true;
    return out;
  };
  for (auto& task : plan.tasks) {
    if (task.ask) task.ask = tainted(task.ask);
    if (!task.verify || !task.verify->ask) continue;
    auto verify = std::make_shared<swarm::Task>(*task.verify);
    verify->ask = tainted(verify->ask);
    task.verify = std::move(verify);
  }
}

std::expected<SwarmId, std::string> commit_plan(storage::Stores& stores, const Asking& asking,
                                                PlanRow row) {
  const auto expected = expected_of(stores, asking.entity, row);
  if (auto lacking =
          reserve(stores, asking.entity, asking.budget, expected, row.asks, asking.now)) {
    return std::unexpected(std::move(*lacking));
  }
  storage::Swarm swarm;
  swarm.entity = asking.entity;
  swarm.case_id = asking.case_id;
  swarm.decision = asking.decision;
  swarm.title = std::move(row.title);
  swarm.plan = std::move(row.plan);
  swarm.tasks = row.tasks;
  swarm.state = "planned";
  swarm.created = swarm.asked = asking.now;
  swarm.reserved = expected;
  return stores.swarms.add(swarm);
}

Result<SwarmId> commit_by_hand(storage::Stores& stores, const ByHand& asked, TimePoint now) {
  Asking asking;
  asking.entity = asked.entity;
  asking.budget = asked.budget;
  asking.case_id = stores.cases.open(asked.entity, by_hand_key, now).id;
  asking.decision = stores.ledger.next_id();
  asking.now = now;
  auto swarm = commit_plan(stores, asking, asked.row);
  if (!swarm) return over_budget(asked.entity, swarm.error());
  storage::Entry entry;
  entry.id = asking.decision;
  entry.at = now;
  entry.entity = asked.entity;
  entry.case_id = asking.case_id;
  entry.wake_kind = "admin";
  entry.verdict = "acted";
  entry.why = fmt::format("{} runs the plan '{}' by hand", asked.by, asked.row.title);
  entry.asked = {{"taint", "trusted"}, {"swarms", json::array{swarm->value}}};
  stores.ledger.append(entry);
  return *swarm;
}

std::string why_not_again(const storage::Swarm& swarm) {
  if (swarm.state == "done") {
    return fmt::format("swarm {} is done: there is nothing to try again", swarm.id.value);
  }
  return fmt::format("swarm {} is {}: what ends badly can be tried again then", swarm.id.value,
                     swarm.state);
}

Result<void> commit_again(storage::Stores& stores, const Again& again, TimePoint now) {
  const auto swarm = stores.swarms.find(again.swarm);
  if (!swarm) return fail(ErrorCode::not_found, "the swarm is not in the database any more");
  const bool can = swarm->state == "failed" || swarm->state == "cancelled";
  if (!can) return fail(ErrorCode::conflict, why_not_again(*swarm));
  if (auto lacking = reserve(stores, swarm->entity, again.budget, again.expected, false, now)) {
    return over_budget(swarm->entity, *lacking);
  }
  (void)stores.swarms.reopen(swarm->id, now, again.expected);  // its state was just looked at
  supersede(stores, swarm->id, now);
  storage::Entry entry;
  entry.at = now;
  entry.entity = swarm->entity;
  entry.case_id = swarm->case_id;
  entry.wake_kind = "admin";
  // Whoever asks what became of the event finds the second run beside the first.
  json::value taint = "untrusted";
  if (const auto first = stores.ledger.find(swarm->decision)) {
    entry.events = first->events;
    if (const auto* known = first->asked.if_contains("taint")) taint = *known;
  }
  const auto error = find_text(swarm->report, "error").value_or("");
  entry.verdict = "acted";
  entry.why = fmt::format(
      "{} tries swarm {} again, which {}{}{}: {} of its {} tasks are done and stay so", again.by,
      swarm->id.value, swarm->state == "failed" ? "had failed" : "was cancelled",
      error.empty() ? "" : " (", error.empty() ? "" : fmt::format("{})", error), again.done,
      std::max(swarm->tasks, again.done));
  entry.asked = {{"taint", std::move(taint)}, {"swarms", json::array{swarm->id.value}}};
  stores.ledger.append(entry);
  return {};
}

std::string state_of(const swarm::Report& report) {
  if (report.cancelled) return "cancelled";
  return report.ok ? "done" : "failed";
}

std::optional<Waiting> commit_end(storage::Stores& stores, const storage::Swarm& swarm,
                                  const swarm::Report& report, TimePoint now) {
  if (!stores.swarms.finish(swarm.id, state_of(report), swarm::to_json(report), now)) {
    return std::nullopt;
  }
  const auto known = stores.swarms.brief(swarm.id);  // since it began more may be known
  const auto& row = known ? *known : swarm;
  stores.swarms.note(numbers_of(row, report, now));
  std::vector<storage::Swarms::Took> learned;
  Duration spent{0};
  for (const auto& task : report.tasks) {
    if (!is_of_this_run(row, task)) continue;
    spent += task.took + task.wasted;
    const bool ran = task.attempts > 0 && task.saved.count() == 0;
    if (ran && task.state == swarm::TaskState::done) learned.emplace_back(task.name, task.took);
  }
  stores.swarms.learn(swarm.entity, learned, now);
  settle_costs(stores, row, report);
  stores.spend.settle(swarm.entity, day_of(row.asked), "compute_us", row.reserved.count(),
                      spent.count());
  Waiting waiting;
  waiting.case_id = swarm.case_id;
  waiting.entity = swarm.entity;
  waiting.not_before = now;
  storage::Wake wake;
  wake.entity = swarm.entity;
  wake.case_id = swarm.case_id;
  wake.kind = "swarm";
  wake.payload = json::object{{"swarm", swarm.id.value}};
  wake.created = now;
  wake.not_before = now;
  waiting.id = stores.wakes.add(wake);
  return waiting;
}

}  // namespace vigil::runtime
