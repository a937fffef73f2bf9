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
#include "daemon/ingress/mail_intake.hpp"
#include "daemon/ingress/noticed.hpp"

namespace vigil::ingress {

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
  // Where mail goes that a provider posts; without it such sources answer 503. It must outlive us.
  void take_mail_with(MailIntake& intake);
  void set_draining(bool draining);  // 503 + Retry-After from now on
  HeadVerdict check_head(const Request& head) const;
  boost::asio::awaitable<Response> handle(Request request);
  DoorStats stats() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::ingress
