#include "bench/swarm_bench.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
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

constexpr int rounds = 5;  // of all variants in turn, because the machine may be shared

// What one variant reached in each round, and what it cost this process itself.
struct Variant {
  std::string name;
  std::function<double(int tasks)> run;
  std::vector<double> rates;
  double own_cpu_ms = 0;
};

double own_cpu_ms() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto ms = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
  };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return percentile(values, 0.5);
}

void report(const Variant& variant, const Variant& bare, int tasks, int slots) {
  Figure figure;
  figure.bench = "swarm";
  figure.metric = fmt::format("/bin/true through {}, {} at a time", variant.name, slots);
  figure.value = median(variant.rates);
  figure.unit = "tasks/s";
  const double limit = median(bare.rates);
  figure.beside = {{"bare_spawn_loop_tasks_per_s", limit},
                   {"own_cpu_ms_per_task", variant.own_cpu_ms / tasks},
                   {"bare_spawn_loop_own_cpu_ms_per_task", bare.own_cpu_ms / tasks}};
  figure.ratio = figure.value / limit;
  print(figure);
}

void measure(int tasks, int slots) {
  const Scratch scratch;
  asio::io_context loop{1};
  const auto clock = make_system_clock();
  BareRunner bare;
  const auto contained = swarm::make_process_runner(loop.get_executor(), *clock, own_directory(),
                                                    scratch.path() + "/work", {});
  const auto engine = [&](swarm::Runner& runner, swarm::Containment containment) {
    return [&, containment](int count) {
      return through_engine(loop, *clock, runner, slots, run_of(count, containment));
    };
  };
  std::vector<Variant> variants;
  variants.push_back({"nothing", [&](int count) { return bare_loop(count, slots); }, {}});
  variants.push_back({"the engine alone", engine(bare, swarm::Containment::none), {}});
  variants.push_back(
      {"engine, pipes and vigil-exec none", engine(*contained, swarm::Containment::none), {}});
  variants.push_back(
      {"engine, pipes and vigil-exec strict", engine(*contained, swarm::Containment::strict), {}});
  for (int round = 0; round < rounds; ++round) {
    for (Variant& variant : variants) {
      const double before = own_cpu_ms();
      variant.rates.push_back(variant.run(tasks / rounds));
      variant.own_cpu_ms += own_cpu_ms() - before;
    }
  }
  for (std::size_t at = 1; at < variants.size(); ++at) {
    report(variants[at], variants[0], tasks, slots);
  }
}

}  // namespace

void run_swarm(Pace pace) {
  const int tasks = pace == Pace::quick ? 500 : 2'000;
  for (const int slots : {2, 8}) measure(tasks, slots);
}

}  // namespace vigil::bench
