#pragma once
// All that thinks for others: models and agents as one runner in front of that of processes. Loop
// thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "daemon/models/caller.hpp"
#include "daemon/models/tools.hpp"
#include "swarm/runner.hpp"

namespace vigil::models {

class Minds {
 public:
  // The clock must outlive it, and so must `tools`, which may be nullptr.
  Minds(boost::asio::any_io_executor executor, Clock& clock, Perform perform, Tools* tools,
        std::string folder);
  ~Minds();

  // Where what models took is kept over restarts. Before the first question.
  void keep(Books books);
  // What calls that go on set aside, by model.
  std::map<std::string, Taken> reserved() const;
  // Reads all keys; an error names the one that cannot be read.
  Result<void> apply(const config::Settings& settings);
  // Sends questions to models, work to agents and everything else to `processes`. This must outlive
  // it, and `processes` both. Once.
  std::unique_ptr<swarm::Runner> runner_over(swarm::Runner& processes);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::models
