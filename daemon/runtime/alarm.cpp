#include "daemon/runtime/alarm.hpp"

#include <algorithm>
#include <boost/json/object.hpp>

#include "core/deadline.hpp"
#include "core/log.hpp"
#include "core/vital.hpp"

namespace vigil::runtime {
namespace asio = boost::asio;
namespace {

constexpr int timers_at_once = 100;

// On the writer's thread: the timers that are due become wakes of their cases.
std::vector<Waiting> commit_due(storage::Stores& stores, TimePoint now) {
  std::vector<Waiting> out;
  for (const auto& timer : stores.timers.due(now, timers_at_once)) {
    if (!stores.timers.erase(timer.id)) continue;
    storage::Wake wake;
    wake.entity = timer.entity;
    wake.case_id = timer.case_id;
    wake.kind = "timer";
    wake.payload =
        json::object{{"name", timer.name}, {"due_us", to_unix_us(timer.due)}, {"note", timer.note}};
    wake.created = now;
    wake.not_before = now;
    Waiting waiting;
    waiting.case_id = timer.case_id;
    waiting.entity = timer.entity;
    waiting.not_before = now;
    waiting.id = stores.wakes.add(wake);
    out.push_back(std::move(waiting));
  }
  return out;
}

asio::awaitable<bool> rung(Bell& bell) {
  co_await bell.wait();
  co_return true;
}

}  // namespace

Alarm::Alarm(House& house) : house_(house), bell_(house.executor), group_(house.executor) {}

void Alarm::start() {
  timer_due_ = house_.reader->timers.earliest();
  group_.spawn("alarm", [this] { return vital("alarm", run()); });
}

void Alarm::timer_set(TimePoint due) {
  timer_due_ = std::min(timer_due_.value_or(TimePoint::max()), due);
  bell_.ring();
}

TimePoint Alarm::next() const {
  return std::min(timer_due_.value_or(TimePoint::max()),
                  house_.mailboxes.next_due().value_or(TimePoint::max()));
}

asio::awaitable<void> Alarm::run() {
  while (true) {
    const auto until = next();
    if (until == TimePoint::max()) {
      co_await bell_.wait();
      continue;
    }
    if (until > house_.clock.now()) {
      auto waiting = with_deadline(house_.clock, until, rung(bell_));
      Result<bool> early = co_await std::move(waiting);
      if (early) continue;  // something changed: look again
    }
    auto firing = fire_timers();
    co_await std::move(firing);
    auto opening = open_wakes();
    co_await std::move(opening);
  }
}

asio::awaitable<void> Alarm::fire_timers() {
  if (!timer_due_ || *timer_due_ > house_.clock.now()) co_return;
  auto change = [now = house_.clock.now()](storage::Stores& stores) {
    return commit_due(stores, now);
  };
  auto committing = house_.writer.commit(std::move(change));
  Result<std::vector<Waiting>> fired = co_await std::move(committing);
  if (!fired) {
    log_warn("due timers could not be fired, trying again: {}", quoted(fired.error().message));
    co_await house_.clock.sleep_for(refused_pause);
    co_return;
  }
  timer_due_ = house_.reader->timers.earliest();
  house_.deliver(std::move(*fired));
}

asio::awaitable<void> Alarm::open_wakes() {
  const auto now = house_.clock.now();
  auto due = house_.mailboxes.take_due(now);
  if (due.empty()) co_return;
  std::vector<WakeId> gathered;
  for (const auto& wake : due) {
    if (wake.gathering) gathered.push_back(wake.id);
  }
  if (!gathered.empty()) {
    auto change = [gathered, now](storage::Stores& stores) {
      for (const auto id : gathered) stores.wakes.close_gathering(id, now);
    };
    auto committing = house_.writer.commit(std::move(change));
    Result<void> closed = co_await std::move(committing);
    if (!closed) {
      log_warn("gathered wakes could not be closed, trying again: {}",
               quoted(closed.error().message));
      for (auto& wake : due) house_.mailboxes.put(std::move(wake), now);
      co_await house_.clock.sleep_for(refused_pause);
      co_return;
    }
  }
  for (auto& wake : due) {
    wake.gathering = false;
    wake.not_before = now;
  }
  house_.deliver(std::move(due));
}

asio::awaitable<void> Alarm::stop() {
  group_.cancel();
  co_await group_.join();
}

}  // namespace vigil::runtime
