#include "daemon/upkeep.hpp"

#include <algorithm>
#include <optional>

#include "core/deadline.hpp"
#include "core/log.hpp"
#include "daemon/ingress/schedule.hpp"
#include "daemon/runtime/consolidation.hpp"

namespace vigil {
namespace asio = boost::asio;
namespace {

constexpr const char* night_cursor = "memory-night";
constexpr Duration retry_after = std::chrono::minutes{5};

asio::awaitable<bool> rung(Bell& bell) {
  co_await bell.wait();
  co_return true;
}

std::optional<ingress::Timetable> timetable_of(const config::MemoryUpkeep& rules) {
  if (rules.consolidate.empty()) return std::nullopt;
  config::Schedule schedule;
  schedule.cron = rules.consolidate;
  schedule.tz = rules.tz;
  auto table = ingress::Timetable::compile("memory", schedule);
  if (table) return *table;
  log_error("memories are not consolidated: [memory] consolidate: {}", table.error().message);
  return std::nullopt;
}

// The newest nominal time in (done, now]: of several missed nights one is made up for.
std::optional<TimePoint> missed(const ingress::Timetable& table, TimePoint done, TimePoint now) {
  const auto nights = table.newest(done, now, 1);
  return nights.empty() ? std::nullopt : std::optional(nights.back());
}

}  // namespace

Upkeep::Upkeep(asio::any_io_executor executor, Clock& clock, storage::Writer& writer,
               std::function<const config::Settings&()> settings, Consolidate consolidate)
    : clock_(clock),
      writer_(writer),
      settings_(std::move(settings)),
      consolidate_(std::move(consolidate)),
      bell_(std::move(executor)) {}

asio::awaitable<bool> Upkeep::note(TimePoint night) {
  auto noting = writer_.commit(
      [night](storage::Stores& stores) { stores.cursors.set(night_cursor, to_unix_us(night)); });
  Result<void> noted = co_await std::move(noting);
  co_return noted.has_value();
}

// False: some of them could not be written. Those that were are not changed by a second time.
asio::awaitable<bool> Upkeep::consolidate_all(TimePoint night) {
  std::vector<std::string> names;
  for (const auto& [name, entity] : settings_().entities) names.push_back(name);
  int changed = 0;
  for (const auto& name : names) {
    auto consolidating = consolidate_(name);
    Result<runtime::Consolidated> done = co_await std::move(consolidating);
    if (!done) {
      log_warn("a memory was not consolidated, trying again: entity={} error={}", quoted(name),
               quoted(done.error().message));
      co_return false;
    }
    if (done->decision) ++changed;
  }
  if (changed > 0) log_info("memories were consolidated: entities={}", changed);
  auto noting = note(night);
  co_return co_await std::move(noting);
}

asio::awaitable<void> Upkeep::run(storage::Stores& reader) {
  // A moment ahead was noted by a clock that was wrong. A first start has nothing to make up for.
  const auto known = reader.cursors.get(night_cursor);
  auto done = known == 0 ? clock_.now() : std::min(from_unix_us(known), clock_.now());
  if (known == 0) {
    auto noting = note(done);
    (void)co_await std::move(noting);  // else the next start is a first one
  }
  while (true) {
    const auto table = timetable_of(settings_().memory);
    auto wake_at = table ? table->next(done) : std::nullopt;
    if (wake_at && *wake_at <= clock_.now()) {
      const auto night = missed(*table, done, clock_.now()).value_or(*wake_at);
      auto consolidating = consolidate_all(night);
      const bool all = co_await std::move(consolidating);
      if (all) done = night;
      wake_at = all ? table->next(done) : clock_.now() + retry_after;
    }
    if (!wake_at) {
      co_await bell_.wait();
      continue;
    }
    auto waiting = with_deadline(clock_, *wake_at, rung(bell_));
    Result<bool> early = co_await std::move(waiting);
    (void)early;  // rung or due: either way the next turn looks at everything
  }
}

}  // namespace vigil
