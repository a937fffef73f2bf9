#include "daemon/runtime/router.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/log.hpp"
#include "core/vital.hpp"

namespace vigil::runtime {
namespace asio = boost::asio;
namespace {

constexpr std::size_t fresh_max = 4'096;
constexpr std::size_t batch_events_max = 256;
constexpr std::size_t ready_max = 20'000;  // wakes waiting for a decision; then events wait
constexpr int turn_events = 32;            // routed without letting the loop turn

Arrival arrival_of(std::shared_ptr<const Inhabitants> inhabitants, EventPtr event) {
  Arrival out;
  out.routed = inhabitants->route(*event, out.missed);
  out.inhabitants = std::move(inhabitants);
  out.event = std::move(event);
  return out;
}

json::object news_of(const Event& event, std::size_t wanted_by) {
  json::object out;
  out["id"] = event.id.value;
  out["source"] = event.source;
  out["type"] = event.type;
  out["subject"] = event.subject;
  out["entities"] = wanted_by;
  return out;
}

}  // namespace

Router::Router(House& house, std::function<void(const std::vector<CaseId>&)> cancel)
    : house_(house), cancel_(std::move(cancel)), bell_(house.executor), group_(house.executor) {}

void Router::start() {
  cursor_ = EventId{house_.reader->cursors.get(router_cursor)};
  known_ = std::max(cursor_, house_.reader->journal.last());
  started_ = true;
  group_.spawn("router", [this] { return vital("router", run()); });
}

asio::awaitable<void> Router::stop() {
  group_.cancel();
  co_await group_.join();
}

void Router::accepted(EventPtr event) {
  if (!started_) return;
  known_ = std::max(known_, event->id);
  if (fresh_.size() < fresh_max) fresh_.push_back(std::move(event));
  bell_.ring();
}

bool Router::holds(const std::string& source) const {
  return std::ranges::any_of(fresh_, [&](const auto& event) { return event->source == source; });
}

std::vector<EventPtr> Router::next_events() {
  while (!fresh_.empty() && fresh_.front()->id <= cursor_) fresh_.pop_front();
  std::vector<EventPtr> out;
  EventId last = cursor_;
  while (!fresh_.empty() && out.size() < batch_max_ && fresh_.front()->id.value == last.value + 1) {
    last = fresh_.front()->id;
    out.push_back(std::move(fresh_.front()));
    fresh_.pop_front();
  }
  // What memory does not hold in one piece comes from the journal.
  if (out.empty()) {
    out = house_.reader->journal.read_after(cursor_, static_cast<int>(batch_max_));
  }
  return out;
}

asio::awaitable<std::vector<Arrival>> Router::next_arrivals() {
  std::vector<Arrival> out;
  int in_turn = 0;
  for (auto& event : next_events()) {
    out.push_back(arrival_of(house_.inhabitants, std::move(event)));
    if (++in_turn < turn_events) continue;
    in_turn = 0;
    co_await asio::post(house_.executor, asio::use_awaitable);
  }
  co_return out;
}

// What the daemon itself says is no sign of life of anybody.
void Router::tell_who_heard(const Arrival& arrival) const {
  if (!house_.heard || arrival.event->source == "vigil") return;
  for (const auto& routed : arrival.routed) {
    if (routed.interest.relevant) house_.heard(routed.who->settings.name);
  }
}

asio::awaitable<bool> Router::commit(std::vector<Arrival> arrivals) {
  const auto count = arrivals.size();
  const auto last = arrivals.back().event->id;
  auto shared = std::make_shared<std::vector<Arrival>>(std::move(arrivals));
  auto change = [shared, now = house_.clock.now()](storage::Stores& stores) {
    return commit_arrivals(stores, *shared, now);
  };
  auto committing = house_.writer.commit(std::move(change));
  Result<RoutedBatch> routed = co_await std::move(committing);
  if (!routed) {
    log_warn("events could not be routed and will be again: first={} count={} error={}",
             shared->front().event->id.value, count, quoted(routed.error().message));
    co_return false;
  }
  cursor_ = std::max(cursor_, last);
  routed_ += count;
  for (const auto& arrival : *shared) {
    tell_who_heard(arrival);
    house_.bulletin.post("event", [&] { return news_of(*arrival.event, arrival.routed.size()); });
  }
  if (!routed->cancel.empty()) cancel_(routed->cancel);
  if (routed->answered && house_.outbox_changed) house_.outbox_changed();
  house_.deliver(std::move(routed->wakes));
  co_return true;
}

asio::awaitable<void> Router::run() {
  int failures = 0;
  while (true) {
    if (known_ <= cursor_ || house_.mailboxes.ready() > ready_max) {
      co_await bell_.wait();
      continue;
    }
    auto reading = next_arrivals();
    std::vector<Arrival> arrivals = co_await std::move(reading);
    if (arrivals.empty()) {  // gone by retention: nothing to route up to what we know
      cursor_ = known_;
      continue;
    }
    const auto first = arrivals.front();
    auto committing = commit(std::move(arrivals));
    const bool done = co_await std::move(committing);
    if (done) {
      failures = 0;
      batch_max_ = batch_events_max;
      continue;
    }
    // Singled out: an event that cannot be committed alone, several times, must not stop the
    // others.
    batch_max_ = 1;
    if (++failures > 3 && house_.writer.accepting()) {
      auto entry = [event = first.event, now = house_.clock.now()](storage::Stores& stores) {
        storage::Entry row;
        row.at = now;
        row.wake_kind = "event";
        row.events = {event->id};
        row.verdict = "failed";
        row.why = "it could not be routed; the log says why";
        stores.ledger.append(row);
        stores.cursors.set(router_cursor, event->id.value);
      };
      auto skipping = house_.writer.commit(std::move(entry));
      Result<void> skipped = co_await std::move(skipping);
      if (skipped) cursor_ = std::max(cursor_, first.event->id);
    }
    co_await house_.clock.sleep_for(refused_pause);
  }
}

void Router::supersede(const std::string& source, const std::string& why) {
  auto waiting = house_.mailboxes.take_of(source);
  if (waiting.empty()) return;
  // What comes from now on is newer, and may join one of these before they are gone.
  group_.spawn("supersede wakes", [this, waiting = std::move(waiting), last = known_, why] {
    return vital("supersede wakes", drop(waiting, last, why));
  });
}

asio::awaitable<void> Router::drop(std::vector<Waiting> waiting, EventId last, std::string why) {
  auto change = [waiting, last, why, now = house_.clock.now()](storage::Stores& stores) {
    return commit_superseded(stores, waiting, last, why, now);
  };
  auto committing = house_.writer.commit(std::move(change));
  Result<std::vector<Waiting>> kept = co_await std::move(committing);
  if (!kept) {
    log_warn("wakes could not be superseded and are decided all the same: {}",
             quoted(kept.error().message));
    house_.deliver(std::move(waiting));
    co_return;
  }
  house_.deliver(std::move(*kept));
  house_.work_ended();
}

asio::awaitable<Result<void>> Router::replay(EventPtr event) {
  auto arrival = arrival_of(house_.inhabitants, std::move(event));
  arrival.replayed = true;
  auto shared = std::make_shared<std::vector<Arrival>>();
  shared->push_back(std::move(arrival));
  auto change = [shared, now = house_.clock.now()](storage::Stores& stores) {
    return commit_arrivals(stores, *shared, now);
  };
  auto committing = house_.writer.commit(std::move(change));
  Result<RoutedBatch> routed = co_await std::move(committing);
  if (!routed) co_return std::unexpected(std::move(routed.error()));
  if (!routed->cancel.empty()) cancel_(routed->cancel);
  house_.deliver(std::move(routed->wakes));
  co_return Result<void>();
}

}  // namespace vigil::runtime
