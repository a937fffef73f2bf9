#include "daemon/intake.hpp"

namespace vigil {
namespace asio = boost::asio;
namespace {

EventPtr event_of(const storage::NewEvent& stored, const storage::Appended& as, json::value data) {
  return std::make_shared<const Event>(Event{.id = as.id,
                                             .uid = as.uid.empty() ? stored.uid : as.uid,
                                             .source = stored.source,
                                             .type = stored.type,
                                             .subject = stored.subject,
                                             .time = stored.time,
                                             .received_at = stored.received_at,
                                             .content_type = stored.content_type,
                                             .headers = stored.headers,
                                             .taint = stored.taint,
                                             .data = std::move(data)});
}

}  // namespace

Result<void> Intake::has_room() const {
  if (runtime_.status().unrouted <= queue_max_()) return {};
  return fail(ErrorCode::busy, "too many events wait to be routed; try again in a few seconds");
}

void Intake::tell(EventPtr event) {
  const auto source = event->source;
  runtime_.accepted(std::move(event));
  if (heard_) heard_(source);
}

asio::awaitable<Result<storage::Appended>> Intake::accept(storage::NewEvent event,
                                                          json::value data) {
  if (auto room = has_room(); !room) co_return std::unexpected(std::move(room.error()));
  auto kept = std::make_shared<const storage::NewEvent>(std::move(event));
  auto committing =
      writer_.commit([kept](storage::Stores& stores) { return stores.journal.append(*kept); });
  Result<storage::Appended> appended = co_await std::move(committing);
  if (appended && !appended->duplicate) tell(event_of(*kept, *appended, std::move(data)));
  co_return appended;
}

asio::awaitable<Result<int>> Intake::accept_noticed(ingress::Noticed noticed) {
  if (auto room = has_room(); !room) co_return std::unexpected(std::move(room.error()));
  auto kept = std::make_shared<ingress::Noticed>(std::move(noticed));
  auto committing = writer_.commit([kept](storage::Stores& stores) {
    std::vector<storage::Appended> stored;
    for (const auto& event : kept->events) stored.push_back(stores.journal.append(event));
    if (kept->along) kept->along(stores);
    return stored;
  });
  Result<std::vector<storage::Appended>> stored = co_await std::move(committing);
  if (!stored) co_return std::unexpected(std::move(stored.error()));
  int fresh = 0;
  for (std::size_t i = 0; i < stored->size(); ++i) {
    if ((*stored)[i].duplicate) continue;
    ++fresh;
    tell(event_of(kept->events[i], (*stored)[i], std::move(kept->payloads[i])));
  }
  co_return fresh;
}

}  // namespace vigil
