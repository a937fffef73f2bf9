#include "bench/wake.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "bench/daemon.hpp"
#include "bench/figure.hpp"
#include "bench/load.hpp"

namespace vigil::bench {
namespace {

namespace fs = std::filesystem;
using Wall = std::chrono::system_clock;

// The task is `touch`: the time of its file is when the process ran, taken by the kernel.
std::string config_of(const Scratch& scratch, int others) {
  const auto secret = scratch.write("secret", bench_secret);
  auto out = fmt::format(
      "[http]\nlisten = [\"127.0.0.1:0\"]\n"
      "[source.github]\nkind = \"webhook\"\nscheme = \"github\"\nsecrets = [\"file:{0}\"]\n"
      "[entity.waker]\nkind = \"rules\"\ncase_key = \"{{{{event.data.bench}}}}\"\n"
      "[[entity.waker.on]]\nsource = \"github\"\nmatch = {{ \"data.action\" = \"opened\" }}\n"
      "[[entity.waker.rule]]\nname = \"touch\"\n"
      "[[entity.waker.rule.task]]\nname = \"touch\"\nsandbox = \"none\"\n"
      "argv = [\"/bin/touch\", \"{1}/{{{{event.data.serial}}}}\"]\n",
      secret, scratch.path() + "/touched");
  for (int at = 0; at < others; ++at) {
    out += fmt::format(
        "[entity.e{0}]\nkind = \"rules\"\n[[entity.e{0}.on]]\nsource = \"github\"\n"
        "match = {{ \"data.bench\" = \"other-{0}\" }}\n[[entity.e{0}.rule]]\nname = \"note\"\n",
        at);
  }
  return out;
}

// The modification time of the file, once it is there.
Wall::time_point wait_for(const std::string& path) {
  for (int tries = 0; tries < 10'000; ++tries) {
    std::error_code missing;
    const auto at = fs::last_write_time(path, missing);
    if (!missing) {
      return std::chrono::time_point_cast<Wall::duration>(std::chrono::file_clock::to_sys(at));
    }
    std::this_thread::sleep_for(std::chrono::microseconds(500));
  }
  throw std::runtime_error("no task was started for " + path);
}

void measure(int others, std::size_t count) {
  const Scratch scratch;
  fs::create_directory(scratch.path() + "/touched");
  const auto daemon = start_vigild(scratch, config_of(scratch, others));
  const auto requests = signed_requests(kind_of("500B"), count, count);
  std::vector<double> ms;
  for (std::size_t at = 0; at < count; ++at) {
    const auto begun = Wall::now();
    const auto load = run_load(daemon->port(), 1, {requests[at]});
    if (load.other > 0) throw std::runtime_error("not accepted: " + load.other_example);
    const auto touched = wait_for(fmt::format("{}/touched/{}", scratch.path(), at));
    ms.push_back(std::chrono::duration<double, std::milli>(touched - begun).count());
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
