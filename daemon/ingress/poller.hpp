#pragma once
// Polls documents ([source.NAME] kind = "poll") and makes an event of each item that was not there
// before. Requests are conditional (ETag, Last-Modified), so that nothing new costs nearly nothing;
// a server's X-Poll-Interval, Retry-After and rate limits are honoured. What was seen is kept in
// the database and written with the events: nothing is told twice, and nothing is lost by a crash.
// Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
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

class Poller {
 public:
  // `make_runner`: for those whose documents are read in a contained child.
  Poller(boost::asio::any_io_executor executor, Clock& clock, Fetch fetch, AcceptNoticed accept,
         MakeRunner make_runner = {});
  ~Poller();
  // Reads the tokens. Nothing changes when one cannot be read.
  Result<void> apply(const config::Settings& settings);
  void start(storage::Stores& reader);
  // Looks soon. False: there is no such source of this kind.
  bool poke(const std::string& source);
  boost::asio::awaitable<void> stop();

  struct View {
    std::string source;
    std::string url;
    std::uint64_t looks = 0;
    std::uint64_t unchanged = 0;  // of these, by the server's word
    std::uint64_t events = 0;
    TimePoint last_look{};
    TimePoint next_look{};
    std::string trouble;   // of the last look; empty: it went well
    std::string left_out;  // rows that could not be read
  };
  std::vector<View> views() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::ingress
