#pragma once
// Runs exec and builtin tasks as child processes. Standard input is one JSON object
// {"task","input","inputs","deadline"}, and where there is something to say "missing" (why, by
// name, of those that failed), "refused" (why the attempt before was not accepted), "attempt" and
// "variant"; standard output is the result.
#include <boost/asio/any_io_executor.hpp>
#include <memory>
#include <string>

#include "core/clock.hpp"
#include "swarm/runner.hpp"

namespace vigil::swarm {

struct ProcessLimits {
  std::size_t output_bytes_max = 1024 * 1024;
  std::size_t memory_bytes_max = 0;
};

// `programs_dir` holds vigil-task; private work directories are made under
// `work_dir`. All that is left there from a crash is removed first, and what still runs from before
// it is killed.
std::unique_ptr<Runner> make_process_runner(boost::asio::any_io_executor executor, Clock& clock,
                                            std::string programs_dir, std::string work_dir,
                                            ProcessLimits limits);

}  // namespace vigil::swarm
