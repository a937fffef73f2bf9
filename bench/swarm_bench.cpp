#include "bench/swarm_bench.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <stdexcept>

#include "bench/daemon.hpp"
#include "bench/figure.hpp"
#include "swarm/engine.hpp"
#include "swarm/process_runner.hpp"

extern char** environ;

namespace vigil::bench {
namespace {

namespace asio = boost::asio;
using Steady = std::chrono::steady_clock;

struct Spawned {
  pid_t pid = -1;
  int pidfd = -1;
};

Spawned spawn_true() {
  static char program[] = "/bin/true";
  char* argv[] = {program, nullptr};
  Spawned spawned;
  if (::posix_spawn(&spawned.pid, program, nullptr, nullptr, argv, environ) != 0) {
    throw std::runtime_error("cannot start /bin/true");
  }
  spawned.pidfd = static_cast<int>(::syscall(SYS_pidfd_open, spawned.pid, 0));
  return spawned;
}

bool reap(const Spawned& spawned) {
  siginfo_t info{};
  ::waitid(P_PIDFD, static_cast<id_t>(spawned.pidfd), &info, WEXITED | WNOHANG);
  return info.si_pid != 0;
}

// The limit of the machine: nothing but starting and reaping, `slots` at a time.
double bare_loop(int tasks, int slots) {
  const auto begun = Steady::now();
  std::vector<Spawned> running;
  std::vector<pollfd> ends;
  int started = 0;
  for (int done = 0; done < tasks;) {
    while (started < tasks && running.size() < static_cast<std::size_t>(slots)) {
      running.push_back(spawn_true());
      ends.push_back({running.back().pidfd, POLLIN, 0});
      ++started;
    }
    ::poll(ends.data(), ends.size(), -1);
    for (std::size_t at = ends.size(); at-- > 0;) {
      if ((ends[at].revents & POLLIN) == 0) continue;
      if (!reap(running[at])) continue;
      ::close(running[at].pidfd);
      running.erase(running.begin() + static_cast<std::ptrdiff_t>(at));
      ends.erase(ends.begin() + static_cast<std::ptrdiff_t>(at));
      ++done;
    }
  }
  return tasks / std::chrono::duration<double>(Steady::now() - begun).count();
}

// The same children under the engine: what the engine itself costs.
class BareRunner final : public swarm::Runner {
 public:
  asio::awaitable<swarm::AttemptOutcome> run(swarm::Attempt) override {
    auto executor = co_await asio::this_coro::executor;
    const Spawned spawned = spawn_true();
    asio::posix::stream_descriptor end(executor, spawned.pidfd);
    // Asio may say ready too early; the kernel never does.
    while (!reap(spawned)) {
      co_await end.async_wait(asio::posix::stream_descriptor::wait_read, asio::use_awaitable);
    }
    swarm::AttemptOutcome outcome;
    outcome.ok = true;
    co_return outcome;
  }
};

class NoCheckpoints final : public swarm::Checkpoints {
 public:
  asio::awaitable<void> started(SwarmId, std::string, int, std::int64_t) override { co_return; }
  asio::awaitable<void> ended(SwarmId, swarm::TaskOutcome, std::int64_t) override { co_return; }
};

swarm::Run run_of(int tasks, swarm::Containment containment) {
  swarm::Run run;
  run.owner = "bench";
  run.plan.title = "bench";
  run.plan.timeout = std::chrono::hours{1};
  for (int at = 0; at < tasks; ++at) {
    swarm::Task task;
    task.name = fmt::format("true-{}", at);
    task.argv = {"/bin/true"};
    task.containment = containment;
    run.plan.tasks.push_back(std::move(task));
  }
  return run;
}

double through_engine(asio::io_context& loop, Clock& clock, swarm::Runner& runner, int slots,
                      swarm::Run run) {
  NoCheckpoints checkpoints;
  swarm::EngineLimits limits;
  limits.slots = slots;
  swarm::Engine engine(loop.get_executor(), clock, runner, checkpoints, limits);
  const auto tasks = static_cast<double>(run.plan.tasks.size());
  std::exception_ptr thrown;
  bool ok = false;
  std::string error;
  const auto begun = Steady::now();
  asio::co_spawn(loop, engine.run(std::move(run)),
                 [&](const std::exception_ptr& failure, const swarm::Report& report) {
                   thrown = failure;
                   ok = !failure && report.ok;
                   error = report.error;
                 });
  loop.restart();
  loop.run();
  if (thrown) std::rethrow_exception(thrown);
  if (!ok) throw std::runtime_error("the tasks did not end well: " + error);
  return tasks / std::chrono::duration<double>(Steady::now() - begun).count();
}

void report(const std::string& metric, double value, double bare, int slots, std::string aim,
            double least) {
  Figure figure;
  figure.bench = "swarm";
  figure.metric = fmt::format("/bin/true through {}, {} at a time", metric, slots);
  figure.value = value;
  figure.unit = "tasks/s";
  figure.beside = {{"bare_spawn_loop_tasks_per_s", bare}};
  figure.ratio = value / bare;
  figure.aim = std::move(aim);
  if (least > 0) figure.met = *figure.ratio >= least;
  print(figure);
}

void measure(int tasks, int slots) {
  const Scratch scratch;
  asio::io_context loop{1};
  const auto clock = make_system_clock();
  BareRunner bare;
  const auto contained = swarm::make_process_runner(loop.get_executor(), *clock, own_directory(),
                                                    scratch.path() + "/work", {});
  // Before and after, because the machine may be shared.
  const double before = bare_loop(tasks, slots);
  const auto none = swarm::Containment::none;
  const double engine = through_engine(loop, *clock, bare, slots, run_of(tasks, none));
  const double launched = through_engine(loop, *clock, *contained, slots, run_of(tasks, none));
  const double strict =
      through_engine(loop, *clock, *contained, slots, run_of(tasks, swarm::Containment::strict));
  const double limit = (before + bare_loop(tasks, slots)) / 2;
  report("the engine alone", engine, limit, slots, "ratio >= 0.8", 0.8);
  report("engine, pipes and vigil-exec none", launched, limit, slots, "", 0);
  report("engine, pipes and vigil-exec strict", strict, limit, slots, "", 0);
}

}  // namespace

void run_swarm(Pace pace) {
  const int tasks = pace == Pace::quick ? 500 : 2'000;
  for (const int slots : {2, 8}) measure(tasks, slots);
}

}  // namespace vigil::bench
