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

constexpr std::array<std::string_view, 5> states{"planned", "running", "done", "failed",
                                                 "cancelled"};

std::unexpected<Refusal> no_swarm(SwarmId id) {
  return refuse(404, fmt::format("there is no swarm {}", id.value),
                "vigilctl swarms list shows the newest");
}

}  // namespace

Answer list_swarms(Desk& desk, const Call& call) {
  const auto limit = call.limit();
  if (!limit) return std::unexpected(limit.error());
  const auto before = call.before();
  if (!before) return std::unexpected(before.error());
  const auto state = call.text("state");
  if (!state.empty() && std::ranges::find(states, state) == states.end()) {
    return refuse(400, fmt::format("state={} is no state of a swarm", quoted(state)),
                  "states are: planned running done failed cancelled");
  }
  auto& stores = desk.reader();
  const std::string entity(call.text("entity"));
  const bool unfinished = state == "running" || state == "planned";
  const auto rows = unfinished ? stores.swarms.unfinished()
                               : stores.swarms.list(entity, SwarmId{*before}, *limit);
  json::array views;
  for (const auto& row : rows) {
    if (!state.empty() && row.state != state) continue;
    if (unfinished && !entity.empty() && row.entity != entity) continue;
    if (views.size() < static_cast<std::size_t>(*limit)) views.push_back(view_of(row));
  }
  if (unfinished) {
    return json_response(json::object{{"swarms", std::move(views)}, {"next_before", nullptr}});
  }
  return json_response(page_of("swarms", std::move(views), rows, *limit));
}

Answer get_swarm(Desk& desk, const Call& call) {
  const auto id = call.id<SwarmId>();
  if (!id) return std::unexpected(id.error());
  const auto asked = call.text("results");
  if (!asked.empty() && asked != "yes" && asked != "no") {
    return refuse(400, "results= is neither yes nor no", "results=yes shows what tasks answered");
  }
  const auto results = asked == "yes" ? Results::shown : Results::hidden;
  auto& stores = desk.reader();
  const auto swarm = stores.swarms.find(*id);
  if (!swarm) return no_swarm(*id);
  auto out = view_of(*swarm);
  out["tasks"] = tasks_of(*swarm, stores.swarms.tasks(*id), results);
  out["report"] = nullptr;
  if (auto report = swarm::report_from_json(swarm->report)) {
    auto numbers = numbers_of(*report);
    numbers["text"] = swarm::to_text(*report);
    if (results == Results::shown) numbers["result"] = report->result;
    out["report"] = std::move(numbers);
  }
  return json_response(out);
}

asio::awaitable<Answer> cancel_swarm(Desk& desk, Call call) {
  const auto id = call.id<SwarmId>();
  if (!id) co_return std::unexpected(id.error());
  const auto body = call.body({"why"});
  if (!body) co_return std::unexpected(body.error());
  constexpr std::size_t why_max = 500;
  const auto why = text_member(*body, "why", why_max);
  if (!why) co_return std::unexpected(why.error());
  if (!desk.reader().swarms.find(*id)) co_return no_swarm(*id);
  const auto uid = call.request.peer.uid;
  const auto reason = why->empty() ? fmt::format("cancelled by a person (uid {})", uid)
                                   : fmt::format("{} (uid {})", *why, uid);
  const auto cancelled = desk.parts.runtime.cancel_swarm(*id, reason);
  if (!cancelled) co_return refuse(cancelled.error(), "vigilctl swarms list shows what runs");
  log_info("a swarm is cancelled: swarm={} uid={}", id->value, uid);
  co_return json_response(json::object{{"id", id->value}, {"status", "cancelling"}}, 202);
}

}  // namespace vigil::admin
