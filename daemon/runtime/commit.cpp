#include "daemon/runtime/commit.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <functional>

#include "daemon/runtime/answers.hpp"
#include "daemon/runtime/questions.hpp"
#include "daemon/runtime/reactivity.hpp"
#include "daemon/runtime/swarm_rows.hpp"
#include "storage/descent.hpp"
#include "storage/fading.hpp"

namespace vigil::runtime {
namespace {

// What a person will see and what is charged to their attention.
bool is_notification(const entities::Action& action) {
  return action.kind == "notify" || action.kind == "comment" || action.kind == "email";
}

struct Asked {
  json::array swarms;
  json::array actions;
  json::array over_budget;
  json::array observed;
  json::array preferred;  // preferences that let an action leave
  json::array refused;    // what no guardian may ask for
};

// A guardian never speaks for a person.
bool is_answer_of_people(const std::string& preference) {
  return preference.starts_with(consenting_prefix);
}

void remember(storage::Stores& stores, const Decided& decided, Asked& asked) {
  const auto& name = decided.entity->name;
  const auto& decision = decided.decision;
  storage::note_use(stores.database(), name, decided.used, decided.now);
  for (const auto& episode : decision.episodes) {
    stores.memory.add(storage::Episode{0, name, decided.case_id, decided.now, episode.kind,
                                       episode.text, episode.data, decided.taint});
  }
  for (const auto& fact : decision.facts) {
    stores.memory.put(storage::Fact{name, fact.key, fact.value, fact.confidence, fact.provenance,
                                    decided.taint, decided.now});
  }
  for (const auto& preference : decision.preferences) {
    if (is_answer_of_people(preference.key)) {
      asked.refused.push_back(json::value(
          fmt::format("preference {}: only a person's answer sets it", preference.key)));
      continue;
    }
    stores.memory.put(storage::Preference{name, preference.key, preference.value, preference.why,
                                          decided.now, decided.taint});
  }
  for (const auto& document : decision.documents) {
    stores.memory.put(storage::Document{name, document.key, document.title, document.body,
                                        decided.taint, decided.now});
  }
}

// At the limit of what models may take, what can be done without them is done.
std::expected<SwarmId, Lacking> plan_swarm(storage::Stores& stores, const Asking& asking,
                                           swarm::Plan plan, Asked& asked) {
  auto swarm = commit_plan(stores, asking, row_of(plan));
  if (swarm) return swarm;
  const auto first = swarm.error();
  const auto tasks = plan.tasks.size();
  auto lighter = first.of_questions ? without_questions(plan) : std::nullopt;
  if (lighter) swarm = commit_plan(stores, asking, row_of(*lighter));
  const auto left_out = swarm ? fmt::format(" runs without {} of its {} tasks, its questions",
                                            tasks - lighter->tasks.size(), tasks)
                              : std::string();
  asked.over_budget.push_back(
      json::value(fmt::format("plan '{}'{}: {}", plan.title, left_out, first.why)));
  return swarm;
}

void plan_swarms(storage::Stores& stores, const Decided& decided, DecisionId id, Committed& out,
                 Asked& asked) {
  const Asking asking{decided.inhabitants, decided.entity, decided.case_id, id, decided.now};
  for (const auto& plan : decided.decision.plans) {
    auto asked_for = plan;
    if (decided.taint != Taint::trusted) taint(asked_for);
    const auto swarm = plan_swarm(stores, asking, std::move(asked_for), asked);
    if (!swarm) continue;
    out.swarms.push_back(*swarm);
    asked.swarms.push_back(swarm->value);
  }
}

// Why a person is asked.
std::string_view held_because(const config::Entity& entity, const entities::Action& action) {
  if (action.ask_first) return "asked";
  const auto of_kind = entity.autonomy_of.find(action.kind);
  const auto autonomy = of_kind == entity.autonomy_of.end() ? entity.autonomy : of_kind->second;
  return autonomy == config::Autonomy::propose ? "autonomy" : "untrusted";
}

storage::Action row_of(const entities::Action& action, const Decided& decided, DecisionId id,
                       int number) {
  storage::Action row;
  row.key = fmt::format("v1:{}:{}", id.value, number);
  row.decision = id;
  row.entity = decided.entity->name;
  row.case_id = decided.case_id;
  row.kind = action.kind;
  row.sink = action.sink;
  row.payload = action.payload;
  row.sticky_key = action.sticky_key;
  row.taint = decided.taint;
  row.created = decided.now;
  row.not_before = decided.now;
  row.expires = action.expires;
  return row;
}

void propose(storage::Stores& stores, const Decided& decided, storage::Action row,
             const Likeness& likeness, std::string_view held, Asked& asked) {
  const auto& approvals = decided.inhabitants->settings().approvals;
  row.state = "proposed";
  if (!row.expires && approvals.expires > Duration{0}) {
    row.expires = decided.now + approvals.expires;
  }
  const auto id = stores.outbox.add(row);
  stores.proposals.add({id, row.entity, likeness.digest, std::string(held), "", ""});
  asked.actions.push_back(id.value);
  if (approvals.tell_sink.empty() || row.sink == approvals.tell_sink) return;
  stores.outbox.add(telling_of(row, id, approvals.tell_sink));
}

void ask_actions(storage::Stores& stores, const Decided& decided, DecisionId id, Committed& out,
                 Asked& asked) {
  const auto& entity = *decided.entity;
  const auto accounts = accounts_of(decided.inhabitants->settings(), entity, decided.case_id);
  int number = 0;
  for (const auto& action : decided.decision.actions) {
    ++number;
    const auto what = fmt::format("{} to {}", action.kind, action.sink);
    auto consent = consent_for(entity, decided.inhabitants->settings(), action, decided.taint);
    if (action.sink == own_sink) {
      asked.refused.push_back(json::value(what + ": no sink of a configuration"));
      continue;
    }
    if (consent == Consent::observe) {
      asked.observed.push_back(json::value(what));
      continue;
    }
    if (is_notification(action)) {
      if (const auto lacking = take_notification(stores, accounts, decided.now)) {
        asked.over_budget.push_back(json::value(what + ": " + lacking->why));
        continue;
      }
    }
    const auto likeness = likeness_of(action.kind, action.sink, action.payload);
    if (consent == Consent::propose && !action.ask_first) {
      auto preference = use_preference(stores, entity.name, likeness, decided.now);
      if (!preference.empty()) {
        consent = Consent::act;
        asked.preferred.push_back(json::value(what + ": " + preference));
      }
    }
    auto row = row_of(action, decided, id, number);
    if (consent == Consent::act) {
      row.state = "approved";
      asked.actions.push_back(stores.outbox.add(row).value);
      ++out.actions_approved;
    } else {
      propose(stores, decided, std::move(row), likeness, held_because(entity, action), asked);
      ++out.actions_proposed;
    }
  }
}

// Without what would lead on. What it remembers stays.
entities::Decision at_rest(const Decided& decided, Asked& asked) {
  auto out = decided.decision;
  const auto leave_out = [&](const std::string& what) {
    asked.refused.push_back(json::value(
        fmt::format("{}: {} decisions in a row led to one another, without an event from outside",
                    what, decided.descent)));
  };
  for (const auto& plan : out.plans) leave_out(fmt::format("plan '{}'", plan.title));
  for (const auto& action : out.actions) {
    leave_out(fmt::format("{} to {}", action.kind, action.sink));
  }
  out.plans.clear();
  out.actions.clear();
  for (auto& timer : out.timers) {
    if (timer.due) timer.due = std::max(*timer.due, decided.now + descent_rest);
  }
  return out;
}

json::object asked_json(const Decided& decided, const Asked& asked) {
  const auto& decision = decided.decision;
  json::object out;
  out["taint"] = decided.taint == Taint::trusted ? "trusted" : "untrusted";
  if (!decided.because.is_null()) out["because"] = decided.because;
  if (decided.descent > 0) out[storage::descent_member] = decided.descent;
  const auto count = [&](std::string_view name, std::size_t number) {
    if (number > 0) out[name] = number;
  };
  count("episodes", decision.episodes.size());
  count("facts", decision.facts.size());
  count("preferences", decision.preferences.size());
  count("documents", decision.documents.size());
  count("timers", decision.timers.size());
  if (!asked.swarms.empty()) out["swarms"] = asked.swarms;
  if (!asked.actions.empty()) out["actions"] = asked.actions;
  if (!asked.over_budget.empty()) out["over_budget"] = asked.over_budget;
  if (!asked.observed.empty()) out["observed"] = asked.observed;
  if (!asked.preferred.empty()) out["preferred"] = asked.preferred;
  if (!asked.refused.empty()) out["refused"] = asked.refused;
  return out;
}

}  // namespace

Waiting waiting_of(const storage::Wake& wake) {
  Waiting out;
  out.id = wake.id;
  out.case_id = wake.case_id;
  out.entity = wake.entity;
  out.not_before = wake.not_before;
  out.gathering = wake.gathering;
  out.attempts = wake.attempts;
  return out;
}

Consent consent_for(const config::Entity& entity, const config::Settings& settings,
                    const entities::Action& action, Taint taint) {
  const auto of_kind = entity.autonomy_of.find(action.kind);
  const auto autonomy = of_kind == entity.autonomy_of.end() ? entity.autonomy : of_kind->second;
  if (autonomy == config::Autonomy::observe) return Consent::observe;
  if (autonomy == config::Autonomy::propose || action.ask_first) return Consent::propose;
  if (taint == Taint::trusted || of_kind != entity.autonomy_of.end()) return Consent::act;
  // What strangers wrote may reach the machine's own log and files; to leave, that kind of action
  // must be allowed by name in autonomy_of, or a person approves it.
  const auto sink = settings.sinks.find(action.sink);
  if (sink == settings.sinks.end()) return Consent::propose;
  const bool stays_here = std::holds_alternative<config::LogSink>(sink->second.of) ||
                          std::holds_alternative<config::FileSink>(sink->second.of);
  return stays_here ? Consent::act : Consent::propose;
}

Committed commit_decision(storage::Stores& stores, const Decided& wanted) {
  Committed out;
  if (!stores.wakes.erase(wanted.wake)) return out;
  out.decided = true;
  Asked asked;
  std::optional<Decided> resting;
  if (wanted.descent >= descent_max) {
    resting = wanted;
    resting->decision = at_rest(wanted, asked);
  }
  const auto& decided = resting ? *resting : wanted;
  const bool is_held = !asked.refused.empty();
  const auto& decision = decided.decision;
  // The ledger's row names the actions and swarms, which name the ledger's row: its id is taken
  // first.
  storage::Entry entry;
  entry.at = decided.now;
  entry.entity = decided.entity->name;
  entry.case_id = decided.case_id;
  entry.wake = decided.wake;
  entry.wake_kind = decided.wake_kind;
  entry.events = decided.events;
  entry.rule = decision.rule;
  entry.why = decision.why;
  entry.took = decided.took;
  entry.id = stores.ledger.next_id();
  out.id = entry.id;
  plan_swarms(stores, decided, out.id, out, asked);
  ask_actions(stores, decided, out.id, out, asked);
  remember(stores, decided, asked);
  for (const auto& timer : decision.timers) {
    if (!timer.due) {
      stores.timers.clear(decided.case_id, timer.name);
      continue;
    }
    stores.timers.set(storage::Timer{
        {}, decided.entity->name, decided.case_id, {}, timer.name, *timer.due, timer.note});
    out.timer_due = std::min(out.timer_due.value_or(TimePoint::max()), *timer.due);
  }
  const bool acted = !out.swarms.empty() || out.actions_approved > 0 || out.actions_proposed > 0;
  stores.cases.decided(decided.case_id, decision.state ? &*decision.state : nullptr, acted,
                       decision.close_case, decided.now);
  entry.verdict = asked.over_budget.empty() || acted
                      ? std::string(entities::to_text(decision.verdict))
                      : "over_budget";
  if (is_held) entry.verdict = "runaway";
  entry.asked = asked_json(decided, asked);
  stores.ledger.append(entry);
  return out;
}

}  // namespace vigil::runtime
