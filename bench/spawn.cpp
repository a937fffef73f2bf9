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
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <functional>
#include <stdexcept>

#include "bench/daemon.hpp"
#include "bench/figure.hpp"
#include "bench/spawn_peers.hpp"
#include "core/task_group.hpp"
#include "storage/writer.hpp"
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

// As the daemon keeps them (daemon/runtime/swarm_host.cpp): each end is a change of its own on the
// writer, the start is not waited for.
class DiskCheckpoints final : public swarm::Checkpoints {
 public:
  DiskCheckpoints(asio::io_context& loop, const std::string& dir) : starts_(loop.get_executor()) {
    auto opened = storage::Writer::open({.state_dir = dir});
    if (!opened) throw std::runtime_error(opened.error().message);
    writer_ = std::move(*opened);
    writer_->start(loop.get_executor(), [](const std::string& why) {
      throw std::runtime_error("the database broke: " + why);
    });
  }
  ~DiskCheckpoints() override { writer_->stop(); }

  asio::awaitable<SwarmId> add_swarm() {
    auto adding = writer_->commit([](storage::Stores& stores) {
      storage::Swarm swarm;
      swarm.entity = swarm.title = "bench";
      return stores.swarms.add(swarm);
    });
    Result<SwarmId> added = co_await std::move(adding);
    co_return added.value();
  }
  asio::awaitable<void> started(SwarmId swarm, std::string task, int attempt,
                                std::int64_t fence) override {
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
  asio::awaitable<void> ended(SwarmId swarm, swarm::TaskOutcome outcome,
                              std::int64_t fence) override {
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
  asio::awaitable<void> settle() { co_await starts_.join(); }

 private:
  std::unique_ptr<storage::Writer> writer_;
  TaskGroup starts_;
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

asio::awaitable<swarm::Report> run_in(swarm::Engine& engine, DiskCheckpoints& disk,
                                      swarm::Run run) {
  run.id = co_await disk.add_swarm();
  swarm::Report report = co_await engine.run(std::move(run));
  co_await disk.settle();
  co_return report;
}

double through_engine(asio::io_context& loop, Clock& clock, swarm::Runner& runner,
                      DiskCheckpoints& disk, int slots, swarm::Run run) {
  swarm::EngineLimits limits;
  limits.slots = slots;
  swarm::Engine engine(loop.get_executor(), clock, runner, disk, limits);
  const auto tasks = static_cast<double>(run.plan.tasks.size());
  std::exception_ptr thrown;
  std::string error = "it did not end";
  const auto begun = Steady::now();
  bool over = false;
  asio::co_spawn(loop, run_in(engine, disk, std::move(run)),
                 [&](const std::exception_ptr& failure, const swarm::Report& report) {
                   thrown = failure;
                   over = true;
                   if (!failure) error = report.ok ? "" : report.error;
                 });
  loop.restart();
  // The writer's thread posts to the loop, so the loop may be empty while something is under way.
  const auto work = asio::make_work_guard(loop);
  while (!over) loop.run_one();
  if (thrown) std::rethrow_exception(thrown);
  if (!error.empty()) throw std::runtime_error("the tasks did not end well: " + error);
  return tasks / std::chrono::duration<double>(Steady::now() - begun).count();
}

constexpr int rounds = 5;  // of all variants in turn, because the machine may be shared

// What one variant reached in each round, and what it cost this process itself.
struct Variant {
  std::string name;
  std::function<double(int tasks)> run;
  bool is_ours = false;
  std::vector<double> rates = {};
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

long peak_kb() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

void report(const Variant& variant, const Variant& bare, int tasks, int slots) {
  Figure figure;
  figure.bench = "spawn";
  figure.metric = fmt::format("/bin/true through {}, {} at a time", variant.name, slots);
  figure.value = median(variant.rates);
  figure.unit = "tasks/s";
  const double limit = median(bare.rates);
  figure.beside = {{"bare_spawn_loop_tasks_per_s", limit},
                   {"overhead_us_per_task", 1e6 / figure.value - 1e6 / limit}};
  if (variant.is_ours) {
    figure.beside["own_cpu_ms_per_task"] = variant.own_cpu_ms / tasks;
    figure.beside["peak_memory_kb"] = peak_kb();
    figure.aim = "ratio >= 0.77";
    figure.met = figure.value / limit >= 0.77;
  }
  figure.ratio = figure.value / limit;
  print(figure);
}

std::vector<Variant> variants_of(asio::io_context& loop, Clock& clock, swarm::Runner& bare,
                                 swarm::Runner& real, DiskCheckpoints& disk, int slots) {
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

void measure(int tasks, int slots) {
  const Scratch scratch;
  asio::io_context loop{1};
  const auto clock = make_system_clock();
  BareRunner bare;
  const auto real = swarm::make_process_runner(loop.get_executor(), *clock, own_directory(),
                                               scratch.path() + "/work", {});
  DiskCheckpoints disk(loop, scratch.path() + "/state");
  auto variants = variants_of(loop, *clock, bare, *real, disk, slots);
  for (const Peer& peer : peers_in(scratch.path())) {
    variants.push_back({peer.name, [peer, slots](int count) { return peer.run(count, slots); }});
    if (variants.back().run(slots) > 0) continue;
    fmt::print(stderr, "skipped: {}: apt-get install {}\n", peer.name, peer.package);
    variants.pop_back();
  }
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

void run_spawn(Pace pace) {
  const int tasks = pace == Pace::quick ? 1'000 : 10'000;
  for (const int slots : {2, 8, 64}) measure(tasks, slots);
}

}  // namespace vigil::bench
