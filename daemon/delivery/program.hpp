#pragma once
// Runs one program of the administrator's for a sink, to its end or its timeout. Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "swarm/child.hpp"

namespace vigil::delivery {

struct ProgramEnd {
  std::optional<Error> not_started;
  swarm::ChildExit exit;
  bool in_time = true;
  std::string output;  // of either the start, at most 64 KiB
  std::string errors;
};

// On cancellation stops the program, waits for it, then throws operation_aborted.
boost::asio::awaitable<ProgramEnd> run_program(boost::asio::any_io_executor executor, Clock& clock,
                                               swarm::ChildSpec spec, std::string input,
                                               Duration timeout);

}  // namespace vigil::delivery
