#include "swarm/engine.hpp"

#include "core/check.hpp"
#include "swarm/swarm_run.hpp"

namespace vigil::swarm {
namespace asio = boost::asio;

struct Engine::State {
  Services services;
  std::vector<SwarmRun*> running;
};

void Checkpoints::planned(SwarmId, std::string, json::object) {}
std::optional<std::pair<json::value, Duration>> Checkpoints::recall(const std::string&) {
  return std::nullopt;
}

Engine::Engine(asio::any_io_executor executor, Clock& clock, Runner& runner,
               Checkpoints& checkpoints, EngineLimits limits)
    : state_(new State{Services{std::move(executor),
                                clock,
                                runner,
                                checkpoints,
                                Scheduler(std::move(limits), clock),
                                {},
                                {},
                                {}},
                       {}}) {}

Engine::~Engine() { VIGIL_CHECK(state_->running.empty()); }

void Engine::on_progress(std::function<void(const Progress&)> tell) {
  state_->services.tell = std::move(tell);
}

void Engine::use_durations(LearnedDurations learned) {
  state_->services.learned = std::move(learned);
}

void Engine::use_pool(asio::any_io_executor pool) { state_->services.pool = std::move(pool); }

asio::awaitable<Report> Engine::run(Run run) {
  // Leaves the list on every way out, a throw included.
  struct Listed {
    Listed(std::vector<SwarmRun*>& list, SwarmRun& swarm) : list_(list), swarm_(swarm) {
      list_.push_back(&swarm_);
    }
    ~Listed() { std::erase(list_, &swarm_); }
    std::vector<SwarmRun*>& list_;
    SwarmRun& swarm_;
  };
  SwarmRun swarm(state_->services, std::move(run));
  const Listed listed(state_->running, swarm);
  co_return co_await swarm.run();
}

bool Engine::cancel(SwarmId swarm, std::string why) {
  bool found = false;
  for (SwarmRun* running : state_->running) {
    if (running->id() != swarm) continue;
    running->cancel(why);
    found = true;
  }
  return found;
}

void Engine::set_units(const std::string& resource, int units) {
  state_->services.scheduler.set_units(resource, units);
}

int Engine::running_tasks() const { return state_->services.scheduler.running(); }

}  // namespace vigil::swarm
