#include "daemon/models/minds.hpp"

#include <utility>

#include "daemon/models/agent_runner.hpp"
#include "daemon/models/model_runner.hpp"

namespace vigil::models {
namespace asio = boost::asio;

struct Minds::State {
  State(asio::any_io_executor executor, Clock& time, Perform perform, Tools* tools, std::string in)
      : clock(time),
        caller(std::move(executor), clock, std::move(perform)),
        models(caller, tools, clock),
        agents(clock, std::move(in)) {}

  Clock& clock;
  Caller caller;
  ModelRunner models;
  AgentRunner agents;
};

namespace {

class Sorting final : public swarm::Runner {
 public:
  Sorting(swarm::Runner& processes, swarm::Runner& models, swarm::Runner& agents)
      : processes_(processes), models_(models), agents_(agents) {}

  asio::awaitable<swarm::AttemptOutcome> run(swarm::Attempt attempt) override {
    if (attempt.task.ask) return models_.run(std::move(attempt));
    if (attempt.task.agent) return agents_.run(std::move(attempt));
    return processes_.run(std::move(attempt));
  }

 private:
  swarm::Runner& processes_;
  swarm::Runner& models_;
  swarm::Runner& agents_;
};

}  // namespace

Minds::Minds(asio::any_io_executor executor, Clock& clock, Perform perform, Tools* tools,
             std::string folder)
    : state_(std::make_unique<State>(std::move(executor), clock, std::move(perform), tools,
                                     std::move(folder))) {}
Minds::~Minds() = default;

void Minds::keep(Books books) { state_->caller.keep(std::move(books)); }
std::map<std::string, Taken> Minds::reserved() const { return state_->caller.reserved(); }

Result<void> Minds::apply(const config::Settings& settings) {
  if (auto read = state_->caller.apply(settings); !read) return read;
  if (auto read = state_->agents.apply(settings); !read) return read;
  state_->models.apply(settings.planning);
  return {};
}

std::unique_ptr<swarm::Runner> Minds::runner_over(swarm::Runner& processes) {
  auto& state = *state_;
  state.agents.run_with(processes);
  return std::make_unique<Sorting>(processes, state.models, state.agents);
}

}  // namespace vigil::models
