#pragma once
// Runs a swarm in this process, its results on disk as the daemon keeps them.
#include <memory>
#include <string>

#include "storage/writer.hpp"
#include "swarm/engine.hpp"

namespace boost::asio {
class io_context;
}

namespace vigil::bench {

class Disk {
 public:
  Disk(boost::asio::io_context& loop, const std::string& dir);
  ~Disk();

  storage::Writer& writer() { return *writer_; }

 private:
  std::unique_ptr<storage::Writer> writer_;
};

// Until its last result is on disk. Throws when it did not end well.
swarm::Report run_swarm(boost::asio::io_context& loop, Clock& clock, swarm::Runner& runner,
                        Disk& disk, int slots, swarm::Run run,
                        swarm::LearnedDurations learned = nullptr);

}  // namespace vigil::bench
