#pragma once
// Watches calendars ([source.NAME] kind = "calendar"): files and folders (inotify), iCalendar over
// HTTP (conditional requests), CalDAV (RFC 4791, with sync tokens or ETags). Tells what was added,
// moved or called off, and what is soon. A contained child reads what was fetched and expands the
// rules; the occurrences ahead, what was told and the resources of a server are in the database,
// written with the events: each is told once, whatever crashes. Between looks one timer waits for
// the next moment something is due. Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "daemon/ingress/fetch.hpp"
#include "daemon/ingress/noticed.hpp"
#include "daemon/ingress/reading.hpp"
#include "storage/stores.hpp"

namespace vigil::ingress {

class Calendars {
 public:
  Calendars(boost::asio::any_io_executor executor, Clock& clock, Fetch fetch,
            MakeRunner make_runner, AcceptNoticed accept);
  ~Calendars();
  // Reads the passwords. Nothing changes when one cannot be read.
  Result<void> apply(const config::Settings& settings);
  void start(storage::Stores& reader);
  // Looks soon. False: there is no such source of this kind.
  bool poke(const std::string& source);
  boost::asio::awaitable<void> stop();

  struct View {
    std::string source;
    std::size_t occurrences = 0;  // known ahead
    std::uint64_t looks = 0;
    std::uint64_t events = 0;
    TimePoint next_look{};
    std::optional<TimePoint> next_due;
    std::string trouble;  // of the last look; empty: it went well
  };
  std::vector<View> views() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::ingress
