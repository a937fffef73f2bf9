#include "bench/fanout.hpp"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "bench/figure.hpp"
#include "bench/self.hpp"
#include "core/task_group.hpp"
#include "daemon/models/model_runner.hpp"
#include "swarm/engine.hpp"

namespace vigil::bench {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

class NoCheckpoints final : public swarm::Checkpoints {
 public:
  asio::awaitable<void> started(SwarmId, std::string, int, std::int64_t) override { co_return; }
  asio::awaitable<void> ended(SwarmId, swarm::TaskOutcome, std::int64_t) override { co_return; }
};

double resident_kb() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double value = 0;
    if (word == "VmRSS:" && status >> value) return value;
  }
  return 0;
}

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

config::Settings settings_for(const std::string& port, int calls) {
  config::Settings settings;
  auto& model = settings.models["m"];
  model.name = "m";
  model.model = "stand-in";
  model.url = fmt::format("http://127.0.0.1:{}/v1", port);
  model.concurrency = calls;
  model.price = {3, 15, 0.3, 3.75};
  return settings;
}

swarm::Run questions(int calls) {
  swarm::Run run;
  run.id = SwarmId{1};
  run.owner = "bench";
  run.plan.title = "fanout";
  auto ask = std::make_shared<swarm::Ask>();
  ask->model = "m";
  ask->prompt = "Which number is it?";
  ask->schema = parse_json(R"({"type":"object","required":["n"],)"
                           R"("properties":{"n":{"type":"integer"}}})")
                    ->as_object();
  for (int at = 0; at < calls; ++at) {
    swarm::Task task;
    task.name = fmt::format("q{}", at);
    task.ask = ask;
    task.input = json::object{{"text", std::string(1000, 'x')}};
    run.plan.tasks.push_back(std::move(task));
  }
  return run;
}

struct Ran {
  double wall = 0;
  double processor = 0;
  double kb_a_call = 0;
  std::int64_t tokens = 0;
  int done = 0;
};

Ran run_once(const std::string& port, int calls) {
  asio::io_context loop{1};
  const auto clock = make_system_clock();
  const http::Reach reach;
  http::Client client(loop.get_executor(), *clock, reach);
  models::Caller caller(loop.get_executor(), *clock,
                        [&](http::Request request) { return client.perform(std::move(request)); });
  if (!caller.apply(settings_for(port, calls))) throw std::runtime_error("settings");
  models::ModelRunner runner(caller, nullptr, *clock);
  NoCheckpoints checkpoints;
  swarm::EngineLimits limits;
  limits.resources["model:m"] = calls;
  swarm::Engine engine(loop.get_executor(), *clock, runner, checkpoints, limits);
  TaskGroup group(loop.get_executor());
  swarm::Report report;
  Ran out;
  auto run = questions(calls);
  ::malloc_trim(0);
  const auto kb = resident_kb();
  const auto processor = processor_seconds();
  const auto began = clock->steady_now();
  group.spawn("swarm", [&]() -> asio::awaitable<void> {
    auto running = engine.run(std::move(run));
    report = co_await std::move(running);
    out.wall = std::chrono::duration<double>(clock->steady_now() - began).count();
  });
  group.spawn("memory", [&]() -> asio::awaitable<void> {
    co_await clock->sleep_for(950ms);  // all wait for the rest of their answers
    out.kb_a_call = (resident_kb() - kb) / calls;
  });
  loop.run();
  out.processor = processor_seconds() - processor;
  out.done = static_cast<int>(
      std::ranges::count(report.tasks, swarm::TaskState::done, &swarm::TaskOutcome::state));
  if (const auto tokens = find_integer(report.cost, "tokens")) out.tokens = *tokens;
  return out;
}

Figure figure(std::string metric, double value, std::string unit, std::string aim, bool met) {
  Figure out;
  out.bench = "fanout";
  out.metric = std::move(metric);
  out.value = value;
  out.unit = std::move(unit);
  out.aim = std::move(aim);
  out.met = met;
  return out;
}

}  // namespace

void run_fanout(Pace pace) {
  const int calls = 1'000;
  const int rounds = pace == Pace::quick ? 3 : 7;
  Self server({"serve-models"});
  std::vector<Ran> ran;
  std::int64_t told = 0;
  std::int64_t counted = 0;
  int done = 0;
  for (int round = 0; round < rounds; ++round) {
    ran.push_back(run_once(server.port(), calls));
    for (int hundred = 0; hundred < calls / 100; ++hundred) {
      counted = static_cast<std::int64_t>(server.number());
    }
    told += ran.back().tokens;
    done += ran.back().done;
  }
  const auto median = [&](double Ran::* what) {
    std::vector<double> values;
    for (const auto& one : ran) values.push_back(one.*what);
    std::ranges::sort(values);
    return values[values.size() / 2];
  };
  const auto wall = median(&Ran::wall);
  auto first = figure("wall time of 1,000 questions of 1 s, all at once", wall, "s", "< 1.3 s",
                      wall < 1.3 && done == rounds * calls);
  first.beside = {{"answered", done}, {"of", rounds * calls}, {"rounds", rounds}};
  first.ratio = wall;
  print(first);
  auto processor = figure("processor time of one question", median(&Ran::processor) / calls * 1e3,
                          "ms", "", true);
  processor.met.reset();
  print(processor);
  // The first round alone: later ones find memory that was used before.
  print(figure("resident memory of one waiting question", ran.front().kb_a_call, "KB", "< 64 KB",
               ran.front().kb_a_call < 64));
  auto tokens = figure("tokens that were counted beside those the server told",
                       static_cast<double>(told), "tokens", "equal", told == counted);
  tokens.beside = {{"server", counted}};
  print(tokens);
}

}  // namespace vigil::bench
