#include "daemon/runtime/answers.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "daemon/runtime/commit.hpp"
#include "storage/settling.hpp"

namespace vigil::runtime {
namespace {

// What a person answered becomes part of the case's story.
storage::Episode episode_of(const storage::Action& action, const Answer& answer, TimePoint now) {
  const std::string_view said = answer.approve ? "approved" : "denied";
  storage::Episode episode;
  episode.entity = action.entity;
  episode.case_id = action.case_id;
  episode.at = now;
  episode.kind = "approval";
  episode.text =
      fmt::format("action {} ({} to {}) was {} by {}{}{}{}", action.id.value, action.kind,
                  action.sink, said, answer.by, answer.always ? ", and the next ones like it" : "",
                  answer.note.empty() ? "" : ": ", answer.note);
  episode.data = json::object{
      {"action", action.id.value}, {"answer", said}, {"by", answer.by}, {"note", answer.note}};
  if (answer.always) episode.data.get_object()["always"] = true;
  episode.taint = Taint::trusted;
  return episode;
}

// A proposal of the daemon itself, by its key: what a guardian asks for has another one.
bool is_of_preference(const storage::Action& action) {
  return action.sink == own_sink && action.kind == preference_kind &&
         action.key.find(":preference:") != std::string::npos;
}

Consenting consenting_like(const storage::Action& action, const config::Approvals& bounds,
                           const std::string& by, TimePoint now) {
  Consenting out;
  out.kind = action.kind;
  out.sink = action.sink;
  out.common = likeness_of(action.kind, action.sink, action.payload).common;
  out.uses_max = bounds.preference_uses_max;
  out.expires = now + bounds.preference_expires;
  out.by = by;
  out.like = action.id;
  return out;
}

void put(storage::Stores& stores, const std::string& entity, const std::string& key,
         const Consenting& consenting, TimePoint now) {
  storage::Preference row;
  row.entity = entity;
  row.key = key;
  row.value = to_json(consenting);
  row.why = fmt::format("{}: {}, by {}",
                        consenting.declined ? "asked about each time" : "approved always",
                        in_words(consenting), consenting.by);
  row.updated = now;
  row.taint = Taint::trusted;
  stores.memory.put(row);
}

// So many approvals of alike proposals in a row, and no word yet on all of them: the daemon asks.
ActionId propose_preference(storage::Stores& stores, const config::Approvals& bounds,
                            const storage::Action& action, const storage::Proposal& proposal,
                            TimePoint now) {
  const auto after = bounds.preference_after;
  if (after <= 0 || proposal.held == "asked") return {};
  const auto answers = stores.proposals.answers(action.entity, proposal.alike, after);
  if (static_cast<int>(answers.size()) < after ||
      std::ranges::find(answers, "denied") != answers.end()) {
    return {};
  }
  const auto key = std::string(consenting_prefix) + proposal.alike;
  if (const auto known = stores.memory.preference(action.entity, key)) {
    const auto consenting = consenting_of(known->value);
    if (consenting && (consenting->declined || holds(*consenting, now))) return {};
  }
  const auto consenting = consenting_like(action, bounds, "", now);
  storage::Action row;
  row.key =
      fmt::format("v1:{}:preference:{}:{}", action.decision.value, proposal.alike, action.id.value);
  row.decision = action.decision;
  row.entity = action.entity;
  row.case_id = action.case_id;
  row.kind = preference_kind;
  row.sink = own_sink;
  row.payload = {
      {"text", fmt::format("let the next {} out without asking, up to {} of them, until {}: the "
                           "last {} were approved",
                           in_words(consenting), consenting.uses_max,
                           to_rfc3339(consenting.expires), after)},
      {"alike", proposal.alike},
      {"preference", to_json(consenting)}};
  row.sticky_key = key;
  row.state = "proposed";
  row.taint = Taint::trusted;
  row.created = now;
  row.not_before = now;
  if (bounds.expires > Duration{0}) row.expires = now + bounds.expires;
  return stores.outbox.add(row);
}

// What was proposed by propose_preference() is not delivered anywhere: the answer is its effect.
void take_preference(storage::Stores& stores, const storage::Action& action, const Answer& answer,
                     TimePoint now, Answered& out) {
  const json::value payload(action.payload);
  const auto alike = find_text(payload, "alike");
  const auto* value = find_path(payload, "preference");
  auto consenting = value == nullptr ? std::nullopt : consenting_of(*value);
  if (!alike || !consenting) return;
  const auto key = std::string(consenting_prefix) + std::string(*alike);
  consenting->by = answer.by;
  consenting->declined = !answer.approve;
  put(stores, action.entity, key, *consenting, now);
  if (answer.approve) out.preference = key;
}

Answered refused(Answered out, std::string why, std::string help) {
  out.refused = std::move(why);
  out.help = std::move(help);
  return out;
}

Answered approve(storage::Stores& stores, const config::Approvals& bounds, const Answer& answer,
                 TimePoint now, Answered out) {
  const auto& action = *out.action;
  const auto proposal = stores.proposals.find(action.id);
  if (answer.always && (!proposal || proposal->held == "asked")) {
    return refused(
        std::move(out),
        fmt::format("action {} is of a kind that is asked about each time", action.id.value),
        "approve it without always");
  }
  if (!answer.retries && action.state != "proposed") {
    return refused(std::move(out), fmt::format("action {} is {}", action.id.value, action.state),
                   "only proposals can be answered this way");
  }
  if (!stores.outbox.approve(action.id, now)) {
    return refused(std::move(out), fmt::format("action {} is {}", action.id.value, action.state),
                   "only proposed, failed and unknown actions can be approved");
  }
  if (is_of_preference(action)) {
    take_preference(stores, action, answer, now, out);
    stores.outbox.begin(action.id);
    stores.outbox.settle(action.id, "delivered", json::object{{"preference", out.preference}}, "",
                         now);
    return out;
  }
  if (!proposal) return out;
  stores.proposals.answer(action.id, "approved", answer.by, now);
  if (answer.always) {
    out.preference = std::string(consenting_prefix) + proposal->alike;
    put(stores, action.entity, out.preference, consenting_like(action, bounds, answer.by, now),
        now);
  } else {
    out.proposed = propose_preference(stores, bounds, action, *proposal, now);
  }
  return out;
}

Answered deny(storage::Stores& stores, const Answer& answer, TimePoint now, Answered out) {
  const auto& action = *out.action;
  const json::value result = json::object{{"denied_by", answer.by}, {"note", answer.note}};
  // An action on its way out cannot be called back, and the courier will say what became of it.
  if (action.state == "sending" || !stores.outbox.settle(action.id, "denied", result, "", now)) {
    return refused(std::move(out), fmt::format("action {} is {}", action.id.value, action.state),
                   "only actions that have not left can be denied");
  }
  stores.proposals.answer(action.id, "denied", answer.by, now);
  if (is_of_preference(action)) {
    take_preference(stores, action, answer, now, out);
    return out;
  }
  json::value payload = json::object{{"action", action.id.value}};
  out.wake = waiting_of(storage::wake_about(stores, action, "action", std::move(payload), now));
  return out;
}

}  // namespace

Answered commit_answer(storage::Stores& stores, const config::Approvals& bounds,
                       const Answer& answer, TimePoint now) {
  Answered out;
  out.action = stores.outbox.find(answer.action);
  if (!out.action) {
    return refused(std::move(out), fmt::format("there is no action {}", answer.action.value),
                   "vigilctl actions list shows the newest");
  }
  const auto episode = episode_of(*out.action, answer, now);
  out = answer.approve ? approve(stores, bounds, answer, now, std::move(out))
                       : deny(stores, answer, now, std::move(out));
  if (out.refused.empty()) stores.memory.add(episode);
  return out;
}

storage::Action telling_of(const storage::Action& proposed, ActionId id, const std::string& sink) {
  const json::value payload(proposed.payload);
  const auto says = find_text(payload, "text").value_or("");
  storage::Action out = proposed;
  out.key = fmt::format("{}:told", proposed.key);
  out.kind = std::string(telling_kind);
  out.sink = sink;
  out.state = "approved";
  out.sticky_key.clear();
  out.expires.reset();
  out.payload = {{"text", fmt::format("{} proposes: {} to {}{}{}", proposed.entity, proposed.kind,
                                      proposed.sink, says.empty() ? "" : ": ", says)},
                 {"action", id.value},
                 {"entity", proposed.entity},
                 {"kind", proposed.kind},
                 {"sink", proposed.sink},
                 {"case", proposed.case_key},
                 {"payload", proposed.payload}};
  return out;
}

std::string use_preference(storage::Stores& stores, const std::string& entity,
                           const Likeness& likeness, TimePoint now) {
  const auto key = consenting_key(likeness);
  const auto known = stores.memory.preference(entity, key);
  if (!known || known->taint != Taint::trusted) return {};
  auto consenting = consenting_of(known->value);
  if (!consenting || !holds(*consenting, now)) return {};
  ++consenting->uses;
  put(stores, entity, key, *consenting, now);
  return key;
}

}  // namespace vigil::runtime
