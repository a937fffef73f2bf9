#include "bench/scale.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <fstream>
#include <map>
#include <stdexcept>

#include "bench/daemon.hpp"
#include "bench/disk.hpp"
#include "bench/figure.hpp"
#include "entities/codebase/git.hpp"

namespace vigil::bench {
namespace {

namespace asio = boost::asio;
using Steady = std::chrono::steady_clock;

constexpr int slots = 64;

// A task that is over after one turn of the loop.
class NothingRunner final : public swarm::Runner {
 public:
  explicit NothingRunner(asio::io_context& loop) : loop_(loop) {}
  asio::awaitable<swarm::AttemptOutcome> run(swarm::Attempt) override {
    co_await asio::post(loop_, asio::use_awaitable);
    swarm::AttemptOutcome outcome;
    outcome.ok = true;
    outcome.exit_code = 0;
    co_return outcome;
  }

 private:
  asio::io_context& loop_;
};

class NoCheckpoints final : public swarm::Checkpoints {
 public:
  asio::awaitable<void> started(SwarmId, std::string, int, std::int64_t) override { co_return; }
  asio::awaitable<void> ended(SwarmId, swarm::TaskOutcome, std::int64_t) override { co_return; }
};

// layered: each task of a layer of 100 needs three of the layer before it.
std::vector<std::string> needs_of(const std::string& shape, int at) {
  constexpr int layer = 100;
  if (shape == "chain" && at > 0) return {fmt::format("t{}", at - 1)};
  if (shape != "layered" || at < layer) return {};
  const int before = at / layer * layer - layer;
  std::vector<std::string> needs;
  for (int k = 0; k < 3; ++k)
    needs.push_back(fmt::format("t{}", before + (at * 7 + k * 31) % layer));
  return needs;
}

swarm::Run plan_of(const std::string& shape, int tasks) {
  swarm::Run run;
  run.id = SwarmId{1};
  run.owner = "bench";
  run.plan.title = shape;
  run.plan.timeout = std::chrono::hours{1};
  for (int at = 0; at < tasks; ++at) {
    swarm::Task task;
    task.name = fmt::format("t{}", at);
    task.argv = {"true"};
    task.needs = needs_of(shape, at);
    run.plan.tasks.push_back(std::move(task));
  }
  if (auto valid = swarm::validate(run.plan); !valid) {
    throw std::runtime_error(valid.error().message);
  }
  return run;
}

// A timer that should fire each millisecond: how late it is at most is how long the loop was held.
class Pulse {
 public:
  explicit Pulse(asio::io_context& loop) : timer_(loop) {}
  void begin() {
    last_ = Steady::now();
    beat();
  }
  void end() {
    over_ = true;
    timer_.cancel();
  }
  double worst_ms() const { return worst_ms_; }

 private:
  void beat() {
    timer_.expires_after(std::chrono::milliseconds{1});
    timer_.async_wait([this](boost::system::error_code) {
      const auto now = Steady::now();
      worst_ms_ =
          std::max(worst_ms_, std::chrono::duration<double, std::milli>(now - last_).count() - 1);
      last_ = now;
      if (!over_) beat();
    });
  }
  asio::steady_timer timer_;
  Steady::time_point last_;
  double worst_ms_ = 0;
  bool over_ = false;
};

long status_kb(std::string_view key) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    long value = 0;
    if (word == key && status >> value) return value;
  }
  return 0;
}

double seconds_without_disk(asio::io_context& loop, Clock& clock, swarm::Run run, Pulse& pulse) {
  NothingRunner runner(loop);
  NoCheckpoints nothing;
  swarm::EngineLimits limits;
  limits.slots = slots;
  swarm::Engine engine(loop.get_executor(), clock, runner, nothing, limits);
  asio::thread_pool pool(1);
  engine.use_pool(pool.get_executor());
  bool ok = false;
  std::exception_ptr thrown;
  const auto begun = Steady::now();
  auto ended = begun;
  asio::co_spawn(loop, engine.run(std::move(run)),
                 [&](const std::exception_ptr& failure, const swarm::Report& report) {
                   thrown = failure;
                   ok = !failure && report.ok;
                   ended = Steady::now();
                   pulse.end();
                 });
  pulse.begin();
  loop.run();
  if (thrown) std::rethrow_exception(thrown);
  if (!ok) throw std::runtime_error("the tasks did not end well");
  return std::chrono::duration<double>(ended - begun).count();
}

double seconds_on_disk(asio::io_context& loop, Clock& clock, swarm::Run run) {
  const Scratch scratch;
  Disk disk(loop, scratch.path() + "/state");
  NothingRunner runner(loop);
  const auto begun = Steady::now();
  (void)run_swarm(loop, clock, runner, disk, slots, std::move(run));
  return std::chrono::duration<double>(Steady::now() - begun).count();
}

json::value numbers_of(const std::string& shape, int tasks, const std::string& where) {
  entities::codebase::Errand errand;
  errand.argv = {own_directory() + "/vigil-bench", "scale-once", shape, fmt::format("{}", tasks),
                 where};
  const auto end = entities::codebase::run_errand(errand);
  if (!end) throw std::runtime_error(end.error().message);
  if (end->exit_code != 0) throw std::runtime_error("scale-once failed: " + end->errors);
  return parse_json(end->output).value();
}

struct Row {
  std::vector<double> us_a_task;
  std::vector<double> bytes_a_task;
  double worst_hold_ms = 0;
};

Row measure(const std::string& shape, int tasks, const std::string& where, int times) {
  Row row;
  for (int i = 0; i < times; ++i) {
    const auto numbers = numbers_of(shape, tasks, where);
    row.us_a_task.push_back(numbers.at("us_a_task").to_number<double>());
    row.bytes_a_task.push_back(numbers.at("bytes_a_task").to_number<double>());
    row.worst_hold_ms =
        std::max(row.worst_hold_ms, numbers.at("worst_hold_ms").to_number<double>());
  }
  std::ranges::sort(row.us_a_task);
  std::ranges::sort(row.bytes_a_task);
  return row;
}

void report(const std::string& shape, const std::string& where, int tasks, const Row& row,
            double smallest_us) {
  const double us = percentile(row.us_a_task, 0.5);
  Figure figure;
  figure.bench = "scale";
  figure.metric = fmt::format("{} plan of {} tasks, {}", shape, tasks,
                              where == "disk" ? "results on disk" : "engine alone");
  figure.value = 1e6 / us;
  figure.unit = "tasks/s";
  figure.beside = {{"us_a_task", us},
                   {"us_a_task_of_1000", smallest_us},
                   {"peak_bytes_a_task", percentile(row.bytes_a_task, 0.5)}};
  if (where != "disk") figure.beside["loop_held_ms_at_most"] = row.worst_hold_ms;
  figure.ratio = us / smallest_us;
  figure.aim = "ratio <= 1.5";
  figure.met = us / smallest_us <= 1.5;
  print(figure);
}

}  // namespace

void run_scale_once(const std::string& shape, int tasks, const std::string& where) {
  asio::io_context loop{1};
  const auto clock = make_system_clock();
  Pulse pulse(loop);
  {  // whatever is made once is made now
    auto small = plan_of(shape, 100);
    Pulse first(loop);
    (void)seconds_without_disk(loop, *clock, std::move(small), first);
    loop.restart();
  }
  ::malloc_trim(0);
  const long before_kb = status_kb("VmRSS:");
  auto run = plan_of(shape, tasks);
  const double seconds = where == "disk"
                             ? seconds_on_disk(loop, *clock, std::move(run))
                             : seconds_without_disk(loop, *clock, std::move(run), pulse);
  const double bytes = static_cast<double>(status_kb("VmHWM:") - before_kb) * 1024;
  const json::object out{{"us_a_task", seconds / tasks * 1e6},
                         {"bytes_a_task", bytes / tasks},
                         {"worst_hold_ms", pulse.worst_ms()}};
  fmt::print("{}\n", to_text(out));
}

void run_scale(Pace pace) {
  const int most = pace == Pace::quick ? 10'000 : 100'000;
  for (const std::string where : {"memory", "disk"}) {
    for (const std::string shape : {"wide", "chain", "layered"}) {
      double smallest_us = 0;
      for (int tasks = 1'000; tasks <= most; tasks *= 10) {
        const Row row = measure(shape, tasks, where, tasks == 100'000 ? 3 : 7);
        if (smallest_us == 0) smallest_us = percentile(row.us_a_task, 0.5);
        report(shape, where, tasks, row, smallest_us);
      }
    }
  }
}

}  // namespace vigil::bench
