#include "daemon/runtime/swarm_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "daemon/runtime/commit.hpp"
#include "daemon/runtime/consolidation.hpp"
#include "daemon/runtime/planned.hpp"
#include "swarm/brood_report.hpp"

namespace vigil::runtime {
namespace {

std::unexpected<Error> over_budget(const config::Entity& entity, const Lacking& lacking) {
  return fail(ErrorCode::conflict,
              fmt::format("entity '{}' is over its budget: {}", entity.name, lacking.why));
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

// What this run took, in tasks, models and agents.
storage::SetAside taken_by(const storage::Swarm& swarm, const swarm::Report& report) {
  storage::SetAside out;
  for (const auto& task : report.tasks) {
    if (!is_of_this_run(swarm, task)) continue;
    out.compute += task.took + task.wasted;
    out.tokens += swarm::cost_in(task, "tokens");
    out.money_micros += swarm::cost_in(task, "money_micros");
  }
  return out;
}

}  // namespace

PlanRow row_of(const swarm::Plan& plan) {
  PlanRow row;
  row.title = plan.title;
  row.plan = swarm::to_json(plan);
  row.tasks = static_cast<int>(plan.tasks.size());
  row.estimate = estimate_of(plan);
  return row;
}

std::expected<SwarmId, Lacking> commit_plan(storage::Stores& stores, const Asking& asking,
                                            PlanRow row) {
  const auto& settings = asking.inhabitants->settings();
  const auto& entity = *asking.entity;
  const auto need = need_of(stores, settings, entity.name, row.estimate);
  const auto accounts = accounts_of(settings, entity, asking.case_id);
  if (auto lacking = take_swarm(stores, accounts, need, row.estimate.asks, asking.now)) {
    return std::unexpected(std::move(*lacking));
  }
  storage::Swarm swarm;
  swarm.entity = entity.name;
  swarm.case_id = asking.case_id;
  swarm.decision = asking.decision;
  swarm.title = std::move(row.title);
  swarm.plan = std::move(row.plan);
  swarm.tasks = row.tasks;
  swarm.state = "planned";
  swarm.created = swarm.asked = asking.now;
  swarm.reserved = need.compute;
  const auto id = stores.swarms.add(swarm);
  if (row.estimate.asks) storage::DayUse(stores.database()).reserve(id, need);
  return id;
}

Result<SwarmId> commit_by_hand(storage::Stores& stores, const ByHand& asked, TimePoint now) {
  const bool is_memory = asked.by == memory_wake;  // people are "uid 1000"
  Asking asking;
  asking.inhabitants = asked.inhabitants;
  asking.entity = asked.entity;
  if (!is_memory) asking.case_id = stores.cases.open(asked.entity->name, by_hand_key, now).id;
  asking.decision = stores.ledger.next_id();
  asking.now = now;
  auto swarm = commit_plan(stores, asking, asked.row);
  storage::Entry entry;
  entry.id = asking.decision;
  entry.at = now;
  entry.entity = asked.entity->name;
  entry.case_id = asking.case_id;
  entry.wake_kind = is_memory ? memory_wake : "admin";
  entry.rule = is_memory ? "consolidate" : "";
  entry.verdict = swarm ? "acted" : "over_budget";
  if (!swarm) {
    auto refused = over_budget(*asked.entity, swarm.error());
    if (!is_memory) return refused;  // who asked is told
    entry.why = "no model is asked, what was counted stands: " + swarm.error().why;
    entry.asked = {{"over_budget", json::array{json::value(swarm.error().why)}}};
    stores.ledger.append(entry);
    return refused;
  }
  entry.why = is_memory ? "a model is asked " + asked.row.title
                        : fmt::format("{} runs the plan '{}' by hand", asked.by, asked.row.title);
  entry.asked = {{"taint", is_memory ? "untrusted" : "trusted"},
                 {"swarms", json::array{swarm->value}}};
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
  const auto& settings = again.inhabitants->settings();
  const auto need = need_of(stores, settings, swarm->entity, again.estimate);
  const auto accounts = accounts_of(settings, *again.entity, swarm->case_id);
  if (auto lacking = take_swarm(stores, accounts, need, again.estimate.asks, now)) {
    return over_budget(*again.entity, *lacking);
  }
  (void)stores.swarms.reopen(swarm->id, now, need.compute);  // its state was just looked at
  storage::DayUse(stores.database()).reserve(swarm->id, need);
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
                                  const swarm::Report& report,
                                  const std::vector<std::string>& accounts, TimePoint now) {
  if (!stores.swarms.finish(swarm.id, state_of(report), swarm::to_json(report), now)) {
    return std::nullopt;
  }
  const auto known = stores.swarms.brief(swarm.id);  // since it began more may be known
  const auto& row = known ? *known : swarm;
  stores.swarms.note(numbers_of(row, report, now));
  note_what_came(stores, swarm.entity, report, now);  // before anything is learned of it
  std::vector<storage::Swarms::Took> learned;
  for (const auto& task : report.tasks) {
    if (!is_of_this_run(row, task)) continue;
    const bool ran = task.attempts > 0 && task.saved.count() == 0;
    if (ran && task.state == swarm::TaskState::done) learned.emplace_back(task.name, task.took);
  }
  stores.swarms.learn(swarm.entity, learned, now);
  settle(stores, accounts, taken_by(row, report), row.asked);
  if (is_of_memory(stores, row)) {
    commit_answer_of_night(stores, row.id, report, now);
    return std::nullopt;
  }
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
