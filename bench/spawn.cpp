#include "bench/spawn.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <fstream>
#include <functional>
#include <stdexcept>

#include "bench/daemon.hpp"
#include "bench/disk.hpp"
#include "bench/figure.hpp"
#include "bench/spawn_peers.hpp"
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
Ran bare_loop(int tasks, int slots) {
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
  return {tasks / std::chrono::duration<double>(Steady::now() - begun).count()};
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

Ran through_engine(asio::io_context& loop, Clock& clock, swarm::Runner& runner, Disk& disk,
                   int slots, swarm::Run run) {
  const auto tasks = static_cast<double>(run.plan.tasks.size());
  const auto begun = Steady::now();
  (void)run_swarm(loop, clock, runner, disk, slots, std::move(run));
  return {tasks / std::chrono::duration<double>(Steady::now() - begun).count()};
}

constexpr int rounds = 5;  // of all variants in turn, because the machine may be shared

// What one variant reached in each round, and the processor time it took in all: ours, that of the
// children and what the kernel did for both.
struct Variant {
  std::string name;
  std::function<Ran(int tasks)> run;
  bool is_ours = false;
  std::vector<double> rates = {};
  double cpu_ms = 0;
  double own_cpu_ms = 0;  // of this process, its writer's thread included
  long peak_kb = 0;
};

double cpu_ms(__rusage_who whose) {
  rusage usage{};
  ::getrusage(whose, &usage);
  const auto ms = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
  };
  return ms(usage.ru_utime) + ms(usage.ru_stime);
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return percentile(values, 0.5);
}

// The kernel keeps the peak; a 5 makes it begin anew.
void forget_peak() { std::ofstream("/proc/self/clear_refs") << 5; }

long peak_kb() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    long value = 0;
    if (word == "VmHWM:" && status >> value) return value;
  }
  return 0;
}

void run_once(Variant& variant, int tasks) {
  forget_peak();
  const double own = cpu_ms(RUSAGE_SELF);
  const double children = cpu_ms(RUSAGE_CHILDREN);
  const Ran ran = variant.run(tasks);
  variant.rates.push_back(ran.rate);
  variant.own_cpu_ms += cpu_ms(RUSAGE_SELF) - own;
  variant.cpu_ms += cpu_ms(RUSAGE_SELF) - own + cpu_ms(RUSAGE_CHILDREN) - children;
  variant.peak_kb = std::max(variant.peak_kb, variant.is_ours ? peak_kb() : ran.peak_kb);
}

void report(const Variant& variant, const Variant& bare, int tasks, int slots) {
  Figure figure;
  figure.bench = "spawn";
  figure.metric = fmt::format("/bin/true through {}, {} at a time", variant.name, slots);
  figure.value = median(variant.rates);
  figure.unit = "tasks/s";
  const double limit = median(bare.rates);
  figure.beside = {{"bare_spawn_loop_tasks_per_s", limit},
                   {"overhead_us_per_task", 1e6 / figure.value - 1e6 / limit},
                   {"cpu_ms_per_task", variant.cpu_ms / tasks},
                   {"bare_spawn_loop_cpu_ms_per_task", bare.cpu_ms / tasks},
                   {"peak_memory_kb", variant.peak_kb}};
  if (variant.is_ours) {
    figure.beside["own_cpu_ms_per_task"] = variant.own_cpu_ms / tasks;
    figure.aim = "ratio >= 0.77";
    figure.met = figure.value / limit >= 0.77;
  }
  figure.ratio = figure.value / limit;
  print(figure);
}

std::vector<Variant> variants_of(asio::io_context& loop, Clock& clock, swarm::Runner& bare,
                                 swarm::Runner& real, Disk& disk, int slots) {
  const auto engine = [&loop, &clock, &disk, slots](swarm::Runner& runner,
                                                    swarm::Containment containment) {
    return [&loop, &clock, &disk, slots, &runner, containment](int count) {
      return through_engine(loop, clock, runner, disk, slots, run_of(count, containment));
    };
  };
  using swarm::Containment;
  std::vector<Variant> variants;
  variants.push_back({"nothing", [slots](int count) { return bare_loop(count, slots); }, false});
  variants.push_back({"the engine alone, durable", engine(bare, Containment::none), true});
  variants.push_back({"vigild, durable, none", engine(real, Containment::none), true});
  variants.push_back({"vigild, durable, net", engine(real, Containment::net), true});
  variants.push_back({"vigild, durable, strict", engine(real, Containment::strict), true});
  return variants;
}

// Those that are not installed are left out, and said.
void add_peers(std::vector<Variant>& variants, const std::string& directory, int slots,
               const std::string& only) {
  for (const Peer& peer : peers_in(directory)) {
    if (!peer.name.contains(only)) continue;
    if (peer.run(slots, slots).rate == 0) {
      fmt::print(stderr, "skipped: {}: apt-get install {}\n", peer.name, peer.package);
      continue;
    }
    variants.push_back({peer.name, [peer, slots](int count) { return peer.run(count, slots); }});
  }
}

void measure(const SpawnOptions& options, int slots) {
  const Scratch scratch;
  asio::io_context loop{1};
  const auto clock = make_system_clock();
  BareRunner bare;
  const auto real = swarm::make_process_runner(loop.get_executor(), *clock, own_directory(),
                                               scratch.path() + "/work", {});
  Disk disk(loop, scratch.path() + "/state");
  auto variants = variants_of(loop, *clock, bare, *real, disk, slots);
  std::erase_if(variants, [&](const Variant& variant) {
    return variant.is_ours && !variant.name.contains(options.only);
  });
  add_peers(variants, scratch.path(), slots, options.only);
  const int each = std::max(options.tasks / rounds, 1);
  for (int round = 0; round < rounds; ++round) {
    for (Variant& variant : variants) run_once(variant, each);
  }
  for (std::size_t at = 1; at < variants.size(); ++at) {
    report(variants[at], variants[0], each * rounds, slots);
  }
}

}  // namespace

void run_spawn(const SpawnOptions& options) {
  for (const int slots : options.slots) measure(options, slots);
}

}  // namespace vigil::bench
