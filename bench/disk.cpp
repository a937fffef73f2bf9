#include "bench/disk.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <stdexcept>

#include "daemon/runtime/swarm_notes.hpp"

namespace vigil::bench {
namespace asio = boost::asio;
namespace {

asio::awaitable<SwarmId> add_swarm(storage::Writer& writer) {
  auto adding = writer.commit([](storage::Stores& stores) {
    storage::Swarm swarm;
    swarm.entity = swarm.title = "bench";
    return stores.swarms.add(swarm);
  });
  Result<SwarmId> added = co_await std::move(adding);
  co_return added.value();
}

asio::awaitable<swarm::Report> run_in(swarm::Engine& engine, storage::Writer& writer,
                                      runtime::SwarmNotes& notes, swarm::Run run) {
  run.id = co_await add_swarm(writer);
  swarm::Report report = co_await engine.run(std::move(run));
  co_await notes.join();
  co_return report;
}

}  // namespace

Disk::Disk(asio::io_context& loop, const std::string& dir) {
  auto opened = storage::Writer::open({.state_dir = dir});
  if (!opened) throw std::runtime_error(opened.error().message);
  writer_ = std::move(*opened);
  writer_->start(loop.get_executor(), [](const std::string& why) {
    throw std::runtime_error("the database broke: " + why);
  });
}

Disk::~Disk() { writer_->stop(); }

swarm::Report run_swarm(asio::io_context& loop, Clock& clock, swarm::Runner& runner, Disk& disk,
                        int slots, swarm::Run run, swarm::LearnedDurations learned) {
  swarm::EngineLimits limits;
  limits.slots = slots;
  runtime::SwarmNotes notes(loop.get_executor(), clock, disk.writer());
  swarm::Engine engine(loop.get_executor(), clock, runner, notes, limits);
  if (learned) engine.use_durations(std::move(learned));
  swarm::Report report;
  std::exception_ptr thrown;
  bool over = false;
  asio::co_spawn(loop, run_in(engine, disk.writer(), notes, std::move(run)),
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
