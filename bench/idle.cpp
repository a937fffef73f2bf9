#include "bench/idle.hpp"

#include <fmt/format.h>

#include <charconv>
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

std::string config_of(const Scratch& scratch, int entities) {
  const auto secret = scratch.write("secret", bench_secret);
  auto out = fmt::format(
      "[http]\nlisten = [\"127.0.0.1:0\"]\n"
      "[source.github]\nkind = \"webhook\"\nscheme = \"github\"\nsecrets = [\"file:{}\"]\n",
      secret);
  for (int at = 0; at < entities; ++at) {
    out += fmt::format(
        "[entity.e{0}]\nkind = \"rules\"\ncase_key = \"{{{{event.data.bench}}}}\"\n"
        "[[entity.e{0}.on]]\nsource = \"github\"\nmatch = {{ \"data.bench\" = \"case-{0}\" }}\n"
        "[[entity.e{0}.rule]]\nname = \"note\"\nremember = \"seen {{{{event.type}}}}\"\n",
        at);
  }
  return out;
}

// A number out of /proc/PID/...: the field that starts a line.
std::int64_t proc_number(const fs::path& file, std::string_view field) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(field)) continue;
    const auto digit = line.find_first_of("0123456789");
    std::int64_t value = 0;
    std::from_chars(line.data() + digit, line.data() + line.size(), value);
    return value;
  }
  return 0;
}

// How often any thread of the process was given a processor. A thread that makes a system call has
// run; if this stands still, none was made.
std::int64_t turns(pid_t pid) {
  std::int64_t out = 0;
  for (const auto& thread : fs::directory_iterator(fmt::format("/proc/{}/task", pid))) {
    out += proc_number(thread.path() / "status", "voluntary_ctxt_switches");
    out += proc_number(thread.path() / "status", "nonvoluntary_ctxt_switches");
  }
  return out;
}

struct Idle {
  double resident_kb = 0;
  std::int64_t turns = 0;
  std::int64_t cases = 0;
};

Idle watch(int entities, int seconds) {
  const Scratch scratch;
  const auto daemon = start_vigild(scratch, config_of(scratch, entities));
  const auto load = run_load(daemon->port(), 8,
                             signed_requests(kind_of("500B"), static_cast<std::size_t>(entities),
                                             static_cast<std::size_t>(entities)));
  if (load.other > 0) throw std::runtime_error("not accepted: " + load.other_example);
  const auto socket = scratch.path() + "/state/admin.sock";
  Idle out;
  for (int tries = 0; tries < 1'200 && out.cases < entities; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    out.cases = find_integer(ask_admin(socket, "/v1/status"), "runtime.decisions").value_or(0);
  }
  // Past the idle timeouts of both doors: then nothing is due.
  std::this_thread::sleep_for(std::chrono::seconds(20));
  const auto before = turns(daemon->pid());
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  out.turns = turns(daemon->pid()) - before;
  out.resident_kb =
      static_cast<double>(proc_number(fmt::format("/proc/{}/status", daemon->pid()), "VmRSS:"));
  return out;
}

}  // namespace

void run_idle(Pace pace) {
  const int seconds = pace == Pace::quick ? 5 : 30;
  const int few = 10;
  const int many = pace == Pace::quick ? 2'000 : 10'000;
  const auto small = watch(few, seconds);
  const auto large = watch(many, seconds);
  for (const auto& [entities, idle] : {std::pair{few, small}, std::pair{many, large}}) {
    Figure ran;
    ran.bench = "idle";
    ran.metric = fmt::format("times any thread ran in {} s, {} entities", seconds, entities);
    ran.value = static_cast<double>(idle.turns);
    ran.unit = "context switches";
    ran.beside = {{"cases", idle.cases}, {"resident_kb", idle.resident_kb}};
    ran.aim = "0: no system calls";
    ran.met = idle.turns == 0;
    print(ran);
  }
  Figure per;
  per.bench = "idle";
  per.metric = "resident memory per further idle entity with one case";
  per.value = (large.resident_kb - small.resident_kb) / (many - few);
  per.unit = "KB";
  per.beside = {{"base_kb", small.resident_kb}, {"with_many_kb", large.resident_kb}};
  per.aim = "< 1";
  per.met = per.value < 1;
  print(per);
}

}  // namespace vigil::bench
