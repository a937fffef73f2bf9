#include "bench/wake.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <thread>

#include "bench/daemon.hpp"
#include "bench/figure.hpp"
#include "bench/load.hpp"

namespace vigil::bench {
namespace {

using Wall = std::chrono::system_clock;

// The task is `date`: it says when it ran, which is a little later than when it was started. (The
// time of a file would not do: the kernel takes it from a clock that ticks every few milliseconds.)
std::string config_of(const Scratch& scratch, int others) {
  const auto secret = scratch.write("secret", bench_secret);
  auto out = fmt::format(
      "[http]\nlisten = [\"127.0.0.1:0\"]\n"
      "[source.github]\nkind = \"webhook\"\nscheme = \"github\"\nsecrets = [\"file:{0}\"]\n"
      "[entity.waker]\nkind = \"rules\"\ncase_key = \"{{{{event.data.bench}}}}\"\n"
      "[[entity.waker.on]]\nsource = \"github\"\nmatch = {{ \"data.action\" = \"opened\" }}\n"
      "[[entity.waker.rule]]\nname = \"date\"\n"
      "[[entity.waker.rule.task]]\nname = \"date\"\nsandbox = \"none\"\n"
      "argv = [\"/bin/date\", \"+%s%N\"]\n",
      secret);
  for (int at = 0; at < others; ++at) {
    out += fmt::format(
        "[entity.e{0}]\nkind = \"rules\"\n[[entity.e{0}.on]]\nsource = \"github\"\n"
        "match = {{ \"data.bench\" = \"other-{0}\" }}\n[[entity.e{0}.rule]]\nname = \"note\"\n",
        at);
  }
  return out;
}

// What the task of that swarm said, in nanoseconds since 1970, once it has ended.
std::int64_t answer_of(const std::string& socket, std::size_t swarm) {
  for (int tries = 0; tries < 5'000; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    try {
      const auto shown = ask_admin(socket, fmt::format("/v1/swarms/{}?results=yes", swarm));
      const auto said = find_integer(shown, "report.tasks.0.result");
      if (said) return *said;
    } catch (const std::runtime_error&) {
      continue;  // it is not there yet
    }
  }
  throw std::runtime_error(fmt::format("swarm {} did not end", swarm));
}

void measure(int others, std::size_t count) {
  const Scratch scratch;
  const auto daemon = start_vigild(scratch, config_of(scratch, others));
  const auto requests = signed_requests(kind_of("500B"), count, count);
  const auto socket = scratch.path() + "/state/admin.sock";
  std::vector<double> ms;
  for (std::size_t at = 0; at < count; ++at) {
    const auto begun = Wall::now();
    const auto load = run_load(daemon->port(), 1, {requests[at]});
    if (load.other > 0) throw std::runtime_error("not accepted: " + load.other_example);
    const auto began_ns =
        std::chrono::duration_cast<std::chrono::nanoseconds>(begun.time_since_epoch()).count();
    ms.push_back(static_cast<double>(answer_of(socket, at + 1) - began_ns) / 1e6);
  }
  std::ranges::sort(ms);
  Figure figure;
  figure.bench = "wake";
  figure.metric = fmt::format("request sent to first task running, {} entities", others + 1);
  figure.value = percentile(ms, 0.5);
  figure.unit = "ms";
  figure.beside = {{"p99_ms", percentile(ms, 0.99)}, {"events", count}};
  print(figure);
}

}  // namespace

void run_wake(Pace pace) {
  const std::size_t count = pace == Pace::quick ? 100 : 500;
  measure(0, count);
  measure(pace == Pace::quick ? 2'000 : 9'999, count);
}

}  // namespace vigil::bench
