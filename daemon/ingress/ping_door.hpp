#pragma once
// The door of jobs that must report: GET, HEAD or POST /ping/<id>[/start|/fail|/log|/<exit code>],
// as healthchecks.io has it, so that `curl -fsS` in a crontab is all it takes. Two ways to say who:
// an id of the check's own, or a key for all checks and then the check's name. What is not known is
// 404, whatever is wrong. Stores before it answers. Loop thread only.
#include <boost/asio/awaitable.hpp>
#include <memory>

#include "daemon/ingress/door.hpp"

namespace vigil::ingress {

class PingDoor {
 public:
  // They must outlive it.
  PingDoor(Clock& clock, const Accept& accept, DoorStats& stats);
  ~PingDoor();
  static bool is_its(std::string_view path);  // "/ping/..."
  // Takes the sources of scheme ping in. Nothing changes when a secret cannot be read.
  Result<void> apply(const config::Settings& settings);
  HeadVerdict check_head(const Request& head);
  boost::asio::awaitable<Response> handle(Request request);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::ingress
