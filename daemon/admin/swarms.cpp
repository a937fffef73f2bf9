#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/array.hpp>

#include "core/log.hpp"
#include "daemon/admin/handlers.hpp"
#include "daemon/admin/views.hpp"
#include "storage/planned.hpp"

namespace vigil::admin {
namespace asio = boost::asio;
namespace {

constexpr std::array<std::string_view, 5> states{"planned", "running", "done", "failed",
                                                 "cancelled"};

std::unexpected<Refusal> no_swarm(SwarmId id) {
  return refuse(404, fmt::format("there is no swarm {}", id.value),
                "vigilctl swarms list shows the newest");
}

// Plans that its tasks wrote: what they were to take beside what they took.
json::array plans_in(storage::Stores& stores, SwarmId swarm) {
  json::array out;
  for (const auto& planned : storage::planned_in(stores.database(), swarm)) {
    json::object view{{"task", planned.task}};
    for (const auto* member : {"ok", "why", "predicted", "actual", "failed"}) {
      const auto* found = find_path(planned.note, member);
      view[member] = found != nullptr ? *found : json::value();
    }
    out.push_back(std::move(view));
  }
  return out;
}

}  // namespace

// Plans and reports come along, which may be large: a few at a time, and the loop goes on in
// between.
asio::awaitable<Answer> list_all(Desk& desk, Call call, int limit, SwarmId before) {
  const auto state = call.text("state");
  const std::string entity(call.text("entity"));
  json::array views;
  bool more = true;
  for (int looked_at = 0; more && looked_at < limit_max;) {
    const auto rows = desk.reader().swarms.list(entity, before, rows_at_once);
    more = static_cast<int>(rows.size()) == rows_at_once;
    looked_at += static_cast<int>(rows.size());
    for (const auto& row : rows) {
      before = row.id;
      if (state.empty() || row.state == state) views.push_back(view_of(row));
      if (static_cast<int>(views.size()) == limit) break;
    }
    if (static_cast<int>(views.size()) == limit) {
      more = true;
      break;
    }
    co_await asio::post(desk.parts.executor, asio::use_awaitable);
  }
  json::object out;
  out["swarms"] = std::move(views);
  out["next_before"] = more ? json::value(before.value) : json::value();
  co_return json_response(out);
}

asio::awaitable<Answer> list_swarms(Desk& desk, Call call) {
  const auto limit = call.limit();
  if (!limit) co_return std::unexpected(limit.error());
  const auto before = call.before();
  if (!before) co_return std::unexpected(before.error());
  const auto state = call.text("state");
  if (!state.empty() && std::ranges::find(states, state) == states.end()) {
    co_return refuse(400, fmt::format("state={} is no state of a swarm", quoted(state)),
                     "states are: planned running done failed cancelled");
  }
  if (state != "running" && state != "planned") {
    auto listing = list_all(desk, std::move(call), *limit, SwarmId{*before});
    co_return co_await std::move(listing);
  }
  const std::string entity(call.text("entity"));
  json::array views;
  for (const auto& row : desk.reader().swarms.unfinished()) {
    if (row.state != state || (!entity.empty() && row.entity != entity)) continue;
    if (views.size() < static_cast<std::size_t>(*limit)) views.push_back(view_of(row));
  }
  co_return json_response(json::object{{"swarms", std::move(views)}, {"next_before", nullptr}});
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
  LearnedTimes learned;
  if (swarm->state != "done") {
    for (auto& one : stores.swarms.learned(swarm->entity, storage::learned_names_max)) {
      learned.emplace(std::move(one.task), one.took);
    }
  }
  out["tasks"] = tasks_of(*swarm, stores.swarms.tasks(*id), results, learned);
  out["plans"] = plans_in(stores, *id);
  out["report"] = nullptr;
  if (auto report = swarm::report_from_json(swarm->report)) {
    const auto text = swarm::to_text(*report);
    if (results == Results::hidden) {
      report->result = nullptr;
      for (auto& task : report->tasks) task.result = nullptr;
    }
    auto view = swarm::to_json(*report);
    view["text"] = text;
    out["report"] = std::move(view);
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

asio::awaitable<Answer> retry_swarm(Desk& desk, Call call) {
  const auto id = call.id<SwarmId>();
  if (!id) co_return std::unexpected(id.error());
  if (!desk.reader().swarms.find(*id)) co_return no_swarm(*id);
  auto retrying = desk.parts.runtime.retry_swarm(*id, fmt::format("uid {}", call.request.peer.uid));
  const Result<void> retried = co_await std::move(retrying);
  if (!retried) co_return refuse(retried.error(), "vigilctl swarms show tells how it ended");
  log_info("a swarm is tried again: swarm={} uid={}", id->value, call.request.peer.uid);
  co_return json_response(json::object{{"id", id->value}, {"status", "planned"}}, 202);
}

}  // namespace vigil::admin
