#pragma once
// Runs a swarm in this process, its results on disk as the daemon keeps them.
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "core/task_group.hpp"
#include "storage/writer.hpp"
#include "swarm/engine.hpp"

namespace boost::asio {
class io_context;
}

namespace vigil::bench {

// As daemon/runtime/swarm_notes.cpp: the start is not waited for, the writer keeps the order.
class DiskCheckpoints final : public swarm::Checkpoints {
 public:
  DiskCheckpoints(boost::asio::io_context& loop, const std::string& dir);
  ~DiskCheckpoints() override;

  boost::asio::awaitable<SwarmId> add_swarm();
  boost::asio::awaitable<void> started(SwarmId swarm, std::string task, int attempt,
                                       std::int64_t fence) override;
  boost::asio::awaitable<void> ended(SwarmId swarm, swarm::TaskOutcome outcome,
                                     std::int64_t fence) override;
  boost::asio::awaitable<void> settle();  // until all starts are written

 private:
  std::unique_ptr<storage::Writer> writer_;
  TaskGroup starts_;
};

// Until its last result is on disk. Throws when it did not end well.
swarm::Report run_swarm(boost::asio::io_context& loop, Clock& clock, swarm::Runner& runner,
                        DiskCheckpoints& disk, int slots, swarm::Run run);

}  // namespace vigil::bench
