#include "daemon/retention.hpp"

#include "core/digest.hpp"
#include "core/log.hpp"
#include "storage/chain.hpp"

namespace vigil {
namespace {

constexpr Duration first = std::chrono::minutes{10};
constexpr Duration every = std::chrono::hours{24};

std::optional<TimePoint> before(TimePoint now, Duration keep) {
  if (keep.count() == 0) return std::nullopt;
  return now - keep;
}

struct Heads {
  std::int64_t ledger_row = 0;
  std::string ledger;
  std::string audit;
};

Heads heads_of(storage::Stores& stores) {
  return {stores.ledger.next_id().value - 1,
          to_hex(head_of(stores.database(), storage::Chain::ledger)),
          to_hex(head_of(stores.database(), storage::Chain::audit))};
}

}  // namespace

boost::asio::awaitable<void> log_heads(storage::Writer& writer) {
  auto reading = writer.commit([](storage::Stores& stores) { return heads_of(stores); });
  Result<Heads> heads = co_await std::move(reading);
  if (!heads) co_return;  // a writer that is broken has said so
  log_info("the ledger's head: id={} digest={} audit={}", heads->ledger_row, heads->ledger,
           heads->audit);
}

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
    auto noting = log_heads(writer);
    co_await std::move(noting);
    co_await clock.sleep_for(every);
  }
}

}  // namespace vigil
