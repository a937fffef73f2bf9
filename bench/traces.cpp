#include "bench/traces.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <stdexcept>

#include "bench/daemon.hpp"
#include "bench/disk.hpp"
#include "bench/figure.hpp"
#include "bench/workflow.hpp"

namespace vigil::bench {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;

std::string name_of(std::size_t step) { return fmt::format("t{}", step); }

// Sleeps as long as the recorded task ran, in shorter seconds.
class SleepingRunner final : public swarm::Runner {
 public:
  SleepingRunner(Clock& clock, const Workflow& workflow, double scale) : clock_(clock) {
    for (std::size_t at = 0; at < workflow.steps.size(); ++at) {
      const double us = workflow.steps[at].seconds * scale * 1e6;
      took_[name_of(at)] = Duration{std::llround(us)};
    }
  }
  asio::awaitable<swarm::AttemptOutcome> run(swarm::Attempt attempt) override {
    const auto took = took_.at(attempt.task.name);
    if (took.count() > 0) co_await clock_.sleep_for(took);
    swarm::AttemptOutcome outcome;
    outcome.ok = true;
    outcome.exit_code = 0;
    co_return outcome;
  }

 private:
  Clock& clock_;
  std::map<std::string, Duration> took_;
};

swarm::Run plan_of(const Workflow& workflow) {
  swarm::Run run;
  run.owner = "bench";
  run.plan.title = workflow.name;
  for (std::size_t at = 0; at < workflow.steps.size(); ++at) {
    swarm::Task task;
    task.name = name_of(at);
    task.argv = {"sleep"};
    for (const auto need : workflow.steps[at].needs) task.needs.push_back(name_of(need));
    std::ranges::sort(task.needs);
    const auto again = std::ranges::unique(task.needs);
    task.needs.erase(again.begin(), again.end());
    run.plan.tasks.push_back(std::move(task));
  }
  return run;
}

double cpu_us() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto us = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  return us(usage.ru_utime) + us(usage.ru_stime);
}

struct Outcome {
  double seconds = 0;
  double cpu_us_a_task = 0;
  std::map<std::string, Duration> took;
};

Outcome run_once(const Workflow& workflow, int workers, double scale,
                 const std::map<std::string, Duration>& known) {
  const Scratch scratch;
  asio::io_context loop{1};
  const auto clock = make_system_clock();
  SleepingRunner runner(*clock, workflow, scale);
  Disk disk(loop, scratch.path() + "/state");
  auto learned = [&known](const std::string&, const std::string& task) {
    const auto found = known.find(task);
    return found == known.end() ? std::nullopt
                                : std::optional(swarm::Learned{found->second, Duration{0}});
  };
  auto run = plan_of(workflow);
  const double cpu = cpu_us();
  const auto report = run_swarm(loop, *clock, runner, disk, workers, std::move(run), learned);
  Outcome outcome;
  outcome.cpu_us_a_task = (cpu_us() - cpu) / static_cast<double>(workflow.steps.size());
  outcome.seconds = std::chrono::duration<double>(report.wall).count();
  for (const auto& task : report.tasks) outcome.took[task.name] = task.took;
  return outcome;
}

void report(const Workflow& workflow, int workers, double bound_seconds) {
  const double bound = workflow.lower_bound(workers);
  const double scale = bound_seconds / bound;
  const auto cold = run_once(workflow, workers, scale, {});
  const auto warm = run_once(workflow, workers, scale, cold.took);
  const double by_path = list_schedule(workflow, workers, Order::longest_path);
  const double by_file = list_schedule(workflow, workers, Order::first_in_file);
  const double by_turn = list_schedule(workflow, workers, Order::first_ready);
  const double best = std::min({by_path, by_file, by_turn});
  Figure figure;
  figure.bench = "traces";
  figure.metric = fmt::format("{} ({} tasks), {} at a time, durations learned", workflow.name,
                              workflow.steps.size(), workers);
  figure.value = warm.seconds / bound_seconds;
  figure.unit = "of the lower bound";
  figure.beside = {
      {"best_list_schedule", best / bound},   {"by_longest_path", by_path / bound},
      {"in_file_order", by_file / bound},     {"first_come_first_served", by_turn / bound},
      {"cold", cold.seconds / bound_seconds}, {"ms_of_sleep_a_recorded_second", scale * 1e3},
      {"cpu_us_a_task", warm.cpu_us_a_task}};
  figure.ratio = warm.seconds / bound_seconds / (best / bound);
  figure.aim = "ratio <= 1.02, cpu_us_a_task <= 150";
  figure.met = *figure.ratio <= 1.02 && warm.cpu_us_a_task <= 150;
  print(figure);
}

std::vector<Workflow> workflows_in(const std::string& directory) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fs::path(directory) / "wfcommons", error)) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  std::vector<Workflow> out;
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    auto parsed = parse_json(text);
    auto workflow = parsed ? read_workflow(*parsed) : std::unexpected(parsed.error());
    if (!workflow) throw std::runtime_error(path.string() + ": " + workflow.error().message);
    workflow->name = path.stem().string();
    out.push_back(std::move(*workflow));
  }
  return out;
}

}  // namespace

void run_traces(Pace pace, const std::string& directory) {
  const auto workflows = workflows_in(directory);
  if (workflows.empty()) {
    fmt::print(stderr, "skipped: {}/wfcommons holds no workflows\n", directory);
    return;
  }
  // So long that starting a task some hundred times is small beside it.
  const double bound_seconds = pace == Pace::quick ? 0.5 : 3.0;
  for (const auto& workflow : workflows) {
    for (const int workers : {2, 8, 64, 256}) report(workflow, workers, bound_seconds);
  }
}

}  // namespace vigil::bench
