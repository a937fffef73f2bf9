#pragma once
// Reads what comes from outside in a contained child (an analyser of vigil-task), for sources that
// look for themselves. Loop thread only.
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>

#include "core/clock.hpp"
#include "core/json.hpp"
#include "swarm/runner.hpp"

namespace vigil::ingress {

// Made when the first is read.
using MakeRunner = std::function<std::unique_ptr<swarm::Runner>()>;

class Reading {
 public:
  Reading(Clock& clock, MakeRunner make_runner)
      : clock_(clock), make_runner_(std::move(make_runner)) {}
  // The task has a builtin, its input and a timeout; it is contained whatever it says. Errors: what
  // the analyser said. Throws operation_aborted when cancelled, after the child has ended.
  boost::asio::awaitable<Result<json::value>> read(swarm::Task task);

 private:
  Clock& clock_;
  MakeRunner make_runner_;
  std::unique_ptr<swarm::Runner> runner_;
};

}  // namespace vigil::ingress
