#pragma once
// The nightly wake of every entity's memory: at the times of `[memory] consolidate`, and at the
// start for a night that was missed. Loop thread only. Between two nights it makes no system call.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>

#include "config/settings.hpp"
#include "core/bell.hpp"
#include "core/clock.hpp"
#include "storage/writer.hpp"

namespace vigil::runtime {
struct Consolidated;  // consolidation.hpp
}

namespace vigil {

class Upkeep {
 public:
  using Consolidate = std::function<boost::asio::awaitable<Result<runtime::Consolidated>>(
      const std::string& entity)>;
  // The references outlive it; the settings are asked for each time.
  Upkeep(boost::asio::any_io_executor executor, Clock& clock, storage::Writer& writer,
         std::function<const config::Settings&()> settings, Consolidate consolidate);
  // Other settings are in force.
  void settings_changed() { bell_.ring(); }
  // Until it is cancelled. `reader` is asked once, for the last night that was done.
  boost::asio::awaitable<void> run(storage::Stores& reader);

 private:
  boost::asio::awaitable<bool> consolidate_all(TimePoint night);
  boost::asio::awaitable<bool> note(TimePoint night);  // as done

  Clock& clock_;
  storage::Writer& writer_;
  std::function<const config::Settings&()> settings_;
  Consolidate consolidate_;
  Bell bell_;
};

}  // namespace vigil
