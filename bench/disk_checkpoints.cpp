#include "bench/disk_checkpoints.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <stdexcept>

namespace vigil::bench {
namespace asio = boost::asio;
namespace {

asio::awaitable<swarm::Report> run_in(swarm::Engine& engine, DiskCheckpoints& disk,
                                      swarm::Run run) {
  run.id = co_await disk.add_swarm();
  swarm::Report report = co_await engine.run(std::move(run));
  co_await disk.settle();
  co_return report;
}

}  // namespace

DiskCheckpoints::DiskCheckpoints(asio::io_context& loop, const std::string& dir)
    : starts_(loop.get_executor()) {
  auto opened = storage::Writer::open({.state_dir = dir});
  if (!opened) throw std::runtime_error(opened.error().message);
  writer_ = std::move(*opened);
  writer_->start(loop.get_executor(), [](const std::string& why) {
    throw std::runtime_error("the database broke: " + why);
  });
}

DiskCheckpoints::~DiskCheckpoints() { writer_->stop(); }

asio::awaitable<SwarmId> DiskCheckpoints::add_swarm() {
  auto adding = writer_->commit([](storage::Stores& stores) {
    storage::Swarm swarm;
    swarm.entity = swarm.title = "bench";
    return stores.swarms.add(swarm);
  });
  Result<SwarmId> added = co_await std::move(adding);
  co_return added.value();
}

asio::awaitable<void> DiskCheckpoints::started(SwarmId swarm, std::string task, int attempt,
                                               std::int64_t fence) {
  auto note = [this, swarm, task = std::move(task), attempt, fence]() -> asio::awaitable<void> {
    auto noting = writer_->commit([=](storage::Stores& stores) {
      stores.swarms.task_started(swarm, task, attempt, fence, TimePoint{});
    });
    Result<void> noted = co_await std::move(noting);
    if (!noted) throw std::runtime_error(noted.error().message);
  };
  starts_.spawn("note a start", std::move(note));
  co_return;
}

asio::awaitable<void> DiskCheckpoints::ended(SwarmId swarm, swarm::TaskOutcome outcome,
                                             std::int64_t fence) {
  auto change = [swarm, outcome = std::move(outcome), fence](storage::Stores& stores) {
    storage::SwarmTask task;
    task.swarm = swarm;
    task.name = outcome.name;
    task.state = swarm::to_text(outcome.state);
    task.fence = fence;
    task.took = outcome.took;
    task.outcome = swarm::to_json(outcome);
    return stores.swarms.task_ended(task);
  };
  auto committing = writer_->commit(std::move(change));
  Result<bool> kept = co_await std::move(committing);
  if (!kept || !*kept) throw std::runtime_error("a result was not kept");
}

asio::awaitable<void> DiskCheckpoints::settle() { co_await starts_.join(); }

swarm::Report run_swarm(asio::io_context& loop, Clock& clock, swarm::Runner& runner,
                        DiskCheckpoints& disk, int slots, swarm::Run run) {
  swarm::EngineLimits limits;
  limits.slots = slots;
  swarm::Engine engine(loop.get_executor(), clock, runner, disk, limits);
  swarm::Report report;
  std::exception_ptr thrown;
  bool over = false;
  asio::co_spawn(loop, run_in(engine, disk, std::move(run)),
                 [&](const std::exception_ptr& failure, swarm::Report made) {
                   thrown = failure;
                   report = std::move(made);
                   over = true;
                 });
  loop.restart();
  // The writer's thread posts to the loop, so the loop may be empty while something is under way.
  const auto work = asio::make_work_guard(loop);
  while (!over) loop.run_one();
  if (thrown) std::rethrow_exception(thrown);
  if (!report.ok) throw std::runtime_error("the tasks did not end well: " + report.error);
  return report;
}

}  // namespace vigil::bench
