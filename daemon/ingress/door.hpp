#pragma once
// The webhook door: POST /hooks/<source>. Checks method, source, address, size, signature over the
// raw bytes, JSON; makes the event; answers only after it is stored (promise 1). Knows no sockets:
// a request in, a response out. Loop thread only.
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "core/event.hpp"
#include "daemon/ingress/fetch.hpp"
#include "daemon/ingress/http_server.hpp"
#include "storage/journal.hpp"

namespace vigil::ingress {

// Stores an event durably and hands it on. Errors: full, busy, unavailable -> 503.
using Accept = std::function<boost::asio::awaitable<Result<storage::Appended>>(storage::NewEvent,
                                                                               json::value data)>;

struct DoorStats {
  std::uint64_t accepted = 0;
  std::uint64_t duplicates = 0;
  std::uint64_t refused = 0;      // by us: 4xx
  std::uint64_t unavailable = 0;  // 503
};

class Door {
 public:
  Door(Clock& clock, Accept accept);
  ~Door();
  // Takes the webhook sources in and reads their secrets. Nothing changes when one cannot be read.
  Result<void> apply(const config::Settings& settings);
  // Who fetches what scheme "sns" needs: certificates, and the word that a topic may send.
  void fetch_with(Fetch fetch);
  void set_draining(bool draining);  // 503 + Retry-After from now on
  HeadVerdict check_head(const Request& head) const;
  boost::asio::awaitable<Response> handle(Request request);
  DoorStats stats() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::ingress
