#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "core/log.hpp"
#include "daemon/admin/handlers.hpp"
#include "daemon/admin/views.hpp"

namespace vigil::admin {
namespace asio = boost::asio;
namespace {

constexpr int firings_per_schedule = 5;

std::unexpected<Refusal> no_letter(const Error& error) {
  return refuse(error, "vigilctl dead list shows what there is");
}

}  // namespace

Answer list_timers(Desk& desk, const Call& call) {
  const auto limit = call.limit();
  if (!limit) return std::unexpected(limit.error());
  return json_response(json::object{{"timers", views_of(desk.reader().timers.list(*limit))}});
}

Answer list_next(Desk& desk, const Call& call) {
  const auto limit = call.limit();
  if (!limit) return std::unexpected(limit.error());
  struct Due {
    TimePoint at;
    json::object view;
  };
  std::vector<Due> due;
  for (const auto& timer : desk.reader().timers.list(*limit)) {
    auto view = view_of(timer);
    view["what"] = "timer";
    due.push_back({timer.due, std::move(view)});
  }
  for (const auto& firing : desk.parts.scheduler.upcoming(firings_per_schedule)) {
    due.push_back(
        {firing.nominal,
         {{"what", "schedule"}, {"source", firing.source}, {"due", time_or_null(firing.nominal)}}});
  }
  std::ranges::sort(due, {}, &Due::at);
  json::array out;
  for (auto& one : due) {
    if (out.size() < static_cast<std::size_t>(*limit)) out.push_back(std::move(one.view));
  }
  return json_response(json::object{{"next", std::move(out)}});
}

Answer list_dead(Desk& desk, const Call& call) {
  const auto limit = call.limit();
  if (!limit) return std::unexpected(limit.error());
  return json_response(json::object{{"dead", views_of(desk.reader().wakes.dead(*limit))}});
}

asio::awaitable<Answer> retry_dead(Desk& desk, Call call) {
  const auto id = call.id<WakeId>();
  if (!id) co_return std::unexpected(id.error());
  auto reviving = desk.parts.runtime.revive_dead(*id);
  Result<void> revived = co_await std::move(reviving);
  if (!revived) co_return no_letter(revived.error());
  log_info("a dead letter is tried again: wake={} uid={}", id->value, call.request.peer.uid);
  co_return json_response(json::object{{"id", id->value}, {"status", "retrying"}}, 202);
}

asio::awaitable<Answer> drop_dead(Desk& desk, Call call) {
  const auto id = call.id<WakeId>();
  if (!id) co_return std::unexpected(id.error());
  auto dropping = desk.parts.runtime.drop_dead(*id);
  Result<void> dropped = co_await std::move(dropping);
  if (!dropped) co_return no_letter(dropped.error());
  log_info("a dead letter was dropped: wake={} uid={}", id->value, call.request.peer.uid);
  co_return json_response(json::object{{"id", id->value}, {"status", "dropped"}});
}

}  // namespace vigil::admin
