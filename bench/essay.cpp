#include "bench/essay.hpp"

#include <fmt/format.h>

#include <boost/asio/io_context.hpp>

#include "bench/daemon.hpp"
#include "bench/disk.hpp"
#include "bench/figure.hpp"
#include "swarm/process_runner.hpp"

namespace vigil::bench {
namespace {

namespace asio = boost::asio;

// 18 h in 40 tasks that need nothing; 5.5 h in a chain of 10 that follows them, each of which can
// say after a tenth of its time what it will be; half an hour that puts everything together.
constexpr int independent = 40;
constexpr double independent_hours = 0.45;
constexpr int chain = 10;
constexpr double chain_hours = 0.55;
constexpr double interface_hours = chain_hours / 10;
constexpr double join_hours = 0.5;

enum class Edges { results, interfaces };

// A real process that takes its time and says what it publishes; one start each, because what is
// measured is the order of the work and not how long a shell takes to begin.
swarm::Task task_of(std::string name, double hours, double published, double seconds_an_hour) {
  swarm::Task task;
  task.name = std::move(name);
  task.containment = swarm::Containment::none;
  const double first = published * seconds_an_hour;
  const double rest = (hours - published) * seconds_an_hour;
  if (published <= 0) {
    task.argv = {"/bin/sleep", fmt::format("{:.4f}", rest)};
    return task;
  }
  constexpr const char* script =
      "select undef, undef, undef, $ARGV[0]; open my $say, '>&=', $ENV{VIGIL_CONTROL_FD};"
      "syswrite $say, qq({\"interface\": \"$ARGV[2]\"}\n); select undef, undef, undef, $ARGV[1]";
  task.argv = {
      "/usr/bin/perl", "-e", script, fmt::format("{:.4f}", first), fmt::format("{:.4f}", rest),
      task.name};
  return task;
}

swarm::Run essay(Edges edges, double seconds_an_hour) {
  swarm::Run run;
  run.owner = "bench";
  run.plan.title = "a day";
  auto& tasks = run.plan.tasks;
  std::vector<std::string> all;
  for (int at = 0; at < independent; ++at) {
    tasks.push_back(task_of(fmt::format("a{}", at), independent_hours, 0, seconds_an_hour));
    all.push_back(tasks.back().name);
  }
  const auto before = all;
  for (int at = 0; at < chain; ++at) {
    auto task = task_of(fmt::format("c{}", at), chain_hours, interface_hours, seconds_an_hour);
    if (at == 0) {
      task.needs = before;
    } else {
      auto& names = edges == Edges::results ? task.needs : task.needs_interface;
      names.push_back(fmt::format("c{}", at - 1));
    }
    all.push_back(task.name);
    tasks.push_back(std::move(task));
  }
  tasks.push_back(task_of("join", join_hours, 0, seconds_an_hour));
  tasks.back().needs = all;
  return run;
}

struct Way {
  const char* name;
  Edges edges;
  int slots;
  double bound_hours;
};

void report(const Way& way, double seconds_an_hour, const swarm::Report& run) {
  const double wall = std::chrono::duration<double>(run.wall).count();
  const double bound = way.bound_hours * seconds_an_hour;
  Figure figure;
  figure.bench = "essay";
  figure.metric = fmt::format("a day's work, {}", way.name);
  figure.value = wall / seconds_an_hour;
  figure.unit = "hours";
  figure.beside = {{"lower_bound_hours", way.bound_hours},
                   {"seconds_an_hour", seconds_an_hour},
                   {"speedup_as_reported", run.speedup()},
                   {"guesses_won", run.guesses_won}};
  figure.ratio = wall / bound;
  figure.aim = "ratio <= 1.03";
  figure.met = wall / bound <= 1.03;
  print(figure);
}

}  // namespace

void run_essay(Pace pace) {
  const double seconds_an_hour = pace == Pace::quick ? 0.25 : 1.0;
  const double chained = chain * chain_hours;
  const double overlapped = (chain - 1) * interface_hours + chain_hours;
  const Way ways[] = {
      {"one worker", Edges::results, 1, independent * independent_hours + chained + join_hours},
      {"dependents wait for results", Edges::results, 64, independent_hours + chained + join_hours},
      {"dependents start on interfaces", Edges::interfaces, 64,
       independent_hours + overlapped + join_hours},
  };
  for (const Way& way : ways) {
    const Scratch scratch;
    asio::io_context loop{1};
    const auto clock = make_system_clock();
    const auto runner = swarm::make_process_runner(loop.get_executor(), *clock, own_directory(),
                                                   scratch.path() + "/work", {});
    Disk disk(loop, scratch.path() + "/state");
    const auto ran =
        run_swarm(loop, *clock, *runner, disk, way.slots, essay(way.edges, seconds_an_hour));
    report(way, seconds_an_hour, ran);
  }
}

}  // namespace vigil::bench
