#pragma once
// Takes approved actions out of the outbox and delivers them: at least once, each with its
// idempotency key, backing off while a sink does not answer. `sending` is committed first; an
// effect whose answer a crash lost becomes `unknown` unless its sink is idempotent (promise 3).
// Credentials live here alone. Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "storage/settling.hpp"
#include "storage/writer.hpp"

namespace vigil::delivery {

struct CourierStats {
  std::uint64_t delivered = 0;
  std::uint64_t failed = 0;
  std::uint64_t retried = 0;
  std::uint64_t unknown = 0;
};

class Courier {
 public:
  // `settled` is told after the commit that settled an action and woke its entity.
  Courier(boost::asio::any_io_executor executor, Clock& clock, storage::Writer& writer,
          std::function<void(storage::Settled)> settled);
  ~Courier();
  // Takes the sinks in and reads their credentials. Nothing changes when one cannot be read.
  Result<void> apply(const config::Settings& settings);
  // Recovers what a crash left in `sending`, then delivers.
  boost::asio::awaitable<Result<void>> start(storage::Stores& reader);
  void nudge();  // the outbox has something new, or an approval came
  boost::asio::awaitable<void> stop(TimePoint deadline);
  CourierStats stats() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::delivery
