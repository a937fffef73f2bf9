#include "daemon/retention.hpp"

#include "core/log.hpp"

namespace vigil {
namespace {

constexpr Duration first = std::chrono::minutes{10};
constexpr Duration every = std::chrono::hours{24};

std::optional<TimePoint> before(TimePoint now, Duration keep) {
  if (keep.count() == 0) return std::nullopt;
  return now - keep;
}

}  // namespace

boost::asio::awaitable<void> erase_the_old(Clock& clock, storage::Writer& writer,
                                           std::function<config::Storage()> settings) {
  co_await clock.sleep_for(first);
  while (true) {
    const auto now = clock.now();
    const auto keep = settings();
    storage::Writer::Retention old;
    old.events_before = before(now, keep.events_keep);
    old.ledger_before = before(now, keep.ledger_keep);
    old.swarms_before = before(now, keep.swarms_keep);
    old.episodes_before = before(now, keep.episodes_keep);
    old.results_before = before(now, keep.cache_keep);
    old.results_bytes_max = static_cast<std::int64_t>(keep.cache_bytes_max);
    auto retaining = writer.retain(old);
    Result<std::int64_t> erased = co_await std::move(retaining);
    if (!erased) {
      log_warn("old rows could not be erased, trying again tomorrow: {}",
               quoted(erased.error().message));
    } else if (*erased > 0) {
      log_info("old rows erased: count={}", *erased);
    }
    co_await clock.sleep_for(every);
  }
}

}  // namespace vigil
