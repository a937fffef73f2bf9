#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>

#include "daemon/admin/handlers.hpp"
#include "daemon/admin/views.hpp"
#include "daemon/delivery/foreseen.hpp"
#include "daemon/runtime/answers.hpp"

namespace vigil::admin {
namespace asio = boost::asio;
namespace {

constexpr std::array<std::string_view, 9> states{"proposed",  "approved", "sending",
                                                 "delivered", "failed",   "unknown",
                                                 "denied",    "expired",  "superseded"};
constexpr std::size_t note_max = 1'000;

std::unexpected<Refusal> no_action(ActionId id) {
  return refuse(404, fmt::format("there is no action {}", id.value),
                "vigilctl actions list shows the newest");
}

Checked<runtime::Answer> answer_in(const Call& call, bool approve) {
  const auto id = call.id<ActionId>();
  if (!id) return std::unexpected(id.error());
  const auto body = approve ? call.body({"note", "always"}) : call.body({"note"});
  if (!body) return std::unexpected(body.error());
  auto note = text_member(*body, "note", note_max);
  if (!note) return std::unexpected(note.error());
  const auto* always = body->if_contains("always");
  if (always != nullptr && !always->is_bool()) {
    return refuse(400, "always is neither true nor false", R"(send {"always": true})");
  }
  return runtime::Answer{.action = *id,
                         .approve = approve,
                         .always = always != nullptr && always->get_bool(),
                         .retries = true,
                         .by = fmt::format("uid {}", call.request.peer.uid),
                         .note = std::move(*note)};
}

asio::awaitable<Answer> answer_action(Desk& desk, Call call, bool approve) {
  const auto answer = answer_in(call, approve);
  if (!answer) co_return std::unexpected(answer.error());
  auto answering = desk.parts.runtime.answer(*answer);
  Result<runtime::Answered> answered = co_await std::move(answering);
  if (!answered) co_return refuse(answered.error());
  if (!answered->action) co_return no_action(answer->action);
  if (!answered->refused.empty()) co_return refuse(409, answered->refused, answered->help);
  json::object out{{"id", answer->action.value},
                   {"entity", answered->action->entity},
                   {"state", approve ? "approved" : "denied"}};
  if (!answered->preference.empty()) out["preference"] = answered->preference;
  if (answered->proposed) out["proposed"] = answered->proposed.value;
  co_return json_response(std::move(out), approve ? 202 : 200);
}

}  // namespace

Answer list_actions(Desk& desk, const Call& call) {
  const auto limit = call.limit();
  if (!limit) return std::unexpected(limit.error());
  const auto before = call.before();
  if (!before) return std::unexpected(before.error());
  const std::string state(call.text("state"));
  const std::string entity(call.text("entity"));
  if (!state.empty() && std::ranges::find(states, std::string_view(state)) == states.end()) {
    return refuse(400, fmt::format("state={} is no state of an action", quoted(state)),
                  "states are: proposed approved sending delivered failed unknown denied expired "
                  "superseded");
  }
  const auto rows = desk.reader().outbox.list(entity, state, ActionId{*before}, *limit);
  return json_response(page_of("actions", views_of(rows, Detail::brief), rows, *limit));
}

Answer get_action(Desk& desk, const Call& call) {
  const auto id = call.id<ActionId>();
  if (!id) return std::unexpected(id.error());
  const auto action = desk.reader().outbox.find(*id);
  if (!action) return no_action(*id);
  auto out = view_of(*action, Detail::full);
  const auto& sinks = desk.parts.settings().sinks;
  const auto sink = sinks.find(action->sink);
  const auto foreseen = delivery::foresee(*action, sink == sinks.end() ? nullptr : &sink->second,
                                          desk.reader().outbox.last_delivered(*action));
  out["would"] = to_valid_utf8(foreseen.does);
  out["says"] = to_valid_utf8(foreseen.says);
  if (const auto proposal = desk.reader().proposals.find(*id)) {
    out["held"] = proposal->held;
    out["answer"] = proposal->answer;
    out["answered_by"] = proposal->by;
  }
  return json_response(std::move(out));
}

asio::awaitable<Answer> approve_action(Desk& desk, Call call) {
  return answer_action(desk, std::move(call), true);
}

asio::awaitable<Answer> deny_action(Desk& desk, Call call) {
  return answer_action(desk, std::move(call), false);
}

asio::awaitable<Answer> give_feedback(Desk& desk, Call call) {
  const auto id = call.id<ActionId>();
  if (!id) co_return std::unexpected(id.error());
  const auto body = call.body({"verdict", "note"});
  if (!body) co_return std::unexpected(body.error());
  auto verdict = text_member(*body, "verdict", note_max);
  if (!verdict) co_return std::unexpected(std::move(verdict.error()));
  auto note = text_member(*body, "note", note_max);
  if (!note) co_return std::unexpected(std::move(note.error()));
  if (*verdict != "useful" && *verdict != "noise") {
    co_return refuse(400, "verdict is neither useful nor noise",
                     R"(send {"verdict": "useful"} or {"verdict": "noise", "note": "..."})");
  }
  if (!desk.reader().outbox.find(*id)) co_return no_action(*id);
  auto giving = desk.parts.runtime.feedback(*id, *verdict, *note);
  Result<void> given = co_await std::move(giving);
  if (!given) co_return refuse(given.error());
  co_return json_response(json::object{{"id", id->value}, {"verdict", *verdict}}, 202);
}

}  // namespace vigil::admin
