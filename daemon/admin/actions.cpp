#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>

#include "core/log.hpp"
#include "daemon/admin/handlers.hpp"
#include "daemon/admin/views.hpp"

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

// What a person answered becomes part of the case's story.
storage::Episode answer_of(const storage::Action& action, std::string_view answer, int uid,
                           const std::string& note, TimePoint now) {
  storage::Episode episode;
  episode.entity = action.entity;
  episode.case_id = action.case_id;
  episode.at = now;
  episode.kind = "approval";
  episode.text = fmt::format("action {} ({} to {}) was {} by uid {}{}{}", action.id.value,
                             action.kind, action.sink, answer, uid, note.empty() ? "" : ": ", note);
  episode.data =
      json::object{{"action", action.id.value}, {"answer", answer}, {"uid", uid}, {"note", note}};
  episode.taint = Taint::trusted;
  return episode;
}

json::object news_of(const storage::Action& action, std::string_view state) {
  return {{"id", action.id.value}, {"entity", action.entity}, {"kind", action.kind},
          {"sink", action.sink},   {"case", action.case_key}, {"state", state}};
}

struct Asked {
  storage::Action action;
  std::string note;
};

Checked<Asked> asked_about(const Desk& desk, const Call& call) {
  const auto id = call.id<ActionId>();
  if (!id) return std::unexpected(id.error());
  const auto body = call.body({"note"});
  if (!body) return std::unexpected(body.error());
  auto note = text_member(*body, "note", note_max);
  if (!note) return std::unexpected(note.error());
  auto action = desk.reader().outbox.find(*id);
  if (!action) return no_action(*id);
  return Asked{std::move(*action), std::move(*note)};
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
  return json_response(view_of(*action, Detail::full));
}

asio::awaitable<Answer> approve_action(Desk& desk, Call call) {
  auto asked = asked_about(desk, call);
  if (!asked) co_return std::unexpected(std::move(asked.error()));
  const auto action = std::move(asked->action);
  const auto uid = call.request.peer.uid;
  const auto now = desk.parts.clock.now();
  const auto episode = answer_of(action, "approved", uid, asked->note, now);
  auto change = [id = action.id, episode, now](storage::Stores& stores) {
    if (!stores.outbox.approve(id, now)) return false;
    stores.memory.add(episode);
    return true;
  };
  auto committing = desk.parts.writer.commit(std::move(change));
  Result<bool> approved = co_await std::move(committing);
  if (!approved) co_return refuse(approved.error());
  if (!*approved) {
    co_return refuse(409, fmt::format("action {} is {}", action.id.value, action.state),
                     "only proposed, failed and unknown actions can be approved");
  }
  log_info("an action was approved: action={} kind={} sink={} uid={}", action.id.value,
           quoted(action.kind), quoted(action.sink), uid);
  desk.parts.bulletin.post("action", [&] { return news_of(action, "approved"); });
  desk.parts.courier.nudge();
  co_return json_response(json::object{{"id", action.id.value}, {"state", "approved"}}, 202);
}

asio::awaitable<Answer> deny_action(Desk& desk, Call call) {
  auto asked = asked_about(desk, call);
  if (!asked) co_return std::unexpected(std::move(asked.error()));
  const auto action = std::move(asked->action);
  const auto uid = call.request.peer.uid;
  const auto now = desk.parts.clock.now();
  const auto episode = answer_of(action, "denied", uid, asked->note, now);
  const json::value result = json::object{{"denied_by_uid", uid}, {"note", asked->note}};
  auto change = [id = action.id, episode, result, now](storage::Stores& stores) {
    // An action on its way out cannot be called back, and the courier will say what became of it.
    const auto row = stores.outbox.find(id);
    if (!row || row->state == "sending") return false;
    if (!stores.outbox.settle(id, "denied", result, "", now)) return false;
    stores.memory.add(episode);
    return true;
  };
  auto committing = desk.parts.writer.commit(std::move(change));
  Result<bool> denied = co_await std::move(committing);
  if (!denied) co_return refuse(denied.error());
  if (!*denied) {
    co_return refuse(409, fmt::format("action {} is {}", action.id.value, action.state),
                     "only actions that have not left can be denied");
  }
  log_info("an action was denied: action={} kind={} sink={} uid={}", action.id.value,
           quoted(action.kind), quoted(action.sink), uid);
  auto settling = desk.parts.runtime.settled(action.id);
  Result<void> settled = co_await std::move(settling);
  if (!settled) {
    log_warn("a denial was stored, but its entity was not told: action={} error={}",
             action.id.value, quoted(settled.error().message));
  }
  co_return json_response(json::object{{"id", action.id.value}, {"state", "denied"}});
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
