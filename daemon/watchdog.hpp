#pragma once
// Proof of life for the service manager's watchdog: told only while the loop turns, the writer's
// thread takes changes and no schedule is overdue. A daemon that hangs in any of them is killed and
// started again, and goes on from what is on disk. Loop thread only.
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>

#include "core/clock.hpp"
#include "daemon/ingress/scheduler.hpp"
#include "daemon/service.hpp"
#include "storage/writer.hpp"

namespace vigil {

struct Pulse {
  Clock& clock;
  storage::Writer& writer;
  const ingress::Scheduler& scheduler;
  Service& service;
  std::function<std::string()> condition;  // the sentence of status, told with it
};

// Runs until it is cancelled; speaks three times within `within`. While the writer does not answer
// it says nothing: that is the point.
boost::asio::awaitable<void> feed_watchdog(Pulse pulse, Duration within);

}  // namespace vigil
