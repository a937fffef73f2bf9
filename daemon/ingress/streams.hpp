#pragma once
// Listens to streams of trades ([source.NAME] kind = "stream"): connects, subscribes, connects
// again, condenses what it hears to bars in memory, and stores those with what it takes to say
// after a crash what was lost of the open ones. Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "daemon/http/client.hpp"
#include "daemon/ingress/noticed.hpp"
#include "daemon/ingress/poller.hpp"
#include "daemon/ingress/stream_window.hpp"
#include "daemon/ingress/websocket.hpp"
#include "storage/stores.hpp"

namespace vigil::ingress {

class Streams {
 public:
  Streams(boost::asio::any_io_executor executor, Clock& clock, OpenSocket open, Fetch fetch,
          AcceptNoticed accept);
  ~Streams();
  Result<void> apply(const config::Settings& settings);
  void start(storage::Stores& reader);
  boost::asio::awaitable<void> stop();

  struct View {
    std::string source;
    std::string address;
    bool connected = false;
    std::uint64_t connections = 0;
    std::uint64_t messages = 0;
    std::uint64_t unread = 0;     // messages that were not understood
    std::uint64_t refetched = 0;  // trades that were missed and asked for
    std::uint64_t events = 0;
    std::uint64_t merged = 0;  // bars put together because storing was slow
    std::size_t waiting = 0;   // to be stored
    StreamCounts counts;
    std::string trouble;  // empty: it goes well
  };
  std::vector<View> views() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::ingress
