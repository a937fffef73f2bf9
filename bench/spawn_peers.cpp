#include "bench/spawn_peers.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <stdexcept>

extern char** environ;

namespace vigil::bench {
namespace {

using Steady = std::chrono::steady_clock;

struct Ended {
  int code = -1;  // -1: no such program
  long peak_kb = 0;
};

// Output goes nowhere, input comes from a file.
Ended run_program(std::vector<std::string> argv, const std::string& input, const std::string& dir) {
  std::vector<char*> pointers;
  for (auto& argument : argv) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_addopen(&actions, 0, input.c_str(), O_RDONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addchdir_np(&actions, dir.c_str());
  pid_t pid = -1;
  const int refused =
      ::posix_spawnp(&pid, argv[0].c_str(), &actions, nullptr, pointers.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (refused != 0) return {};
  int status = 0;
  rusage usage{};
  ::wait4(pid, &status, 0, &usage);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, usage.ru_maxrss};
}

Ran rate(int tasks, const std::vector<std::string>& argv, const std::string& input,
         const std::string& dir) {
  const auto begun = Steady::now();
  const Ended ended = run_program(argv, input, dir);
  if (ended.code == -1 || ended.code == 127) return {};
  if (ended.code != 0) throw std::runtime_error(argv[0] + " did not end well");
  return {tasks / std::chrono::duration<double>(Steady::now() - begun).count(), ended.peak_kb};
}

std::string numbers(const std::string& dir, int tasks) {
  const auto path = dir + "/numbers";
  std::ofstream file(path);
  for (int at = 0; at < tasks; ++at) file << at << '\n';
  return path;
}

Ran with_make(const std::string& dir, int tasks, int slots) {
  {
    std::ofstream file(dir + "/Makefile");
    file << "all:";
    for (int at = 0; at < tasks; ++at) file << " t" << at;
    file << '\n';
    for (int at = 0; at < tasks; ++at) file << 't' << at << ":; @/bin/true\n";
  }
  return rate(tasks, {"make", "-s", fmt::format("-j{}", slots)}, "/dev/null", dir);
}

Ran with_ninja(const std::string& dir, int tasks, int slots) {
  {
    std::ofstream file(dir + "/build.ninja");
    file << "rule r\n command = /bin/true\n";
    for (int at = 0; at < tasks; ++at) file << "build o" << at << ": r\n";
  }
  ::unlink((dir + "/.ninja_log").c_str());
  return rate(tasks, {"ninja", fmt::format("-j{}", slots)}, "/dev/null", dir);
}

constexpr const char* dask_script = R"(
import subprocess, sys
try:
    from distributed import Client, LocalCluster
except ImportError:
    sys.exit(127)
if __name__ == "__main__":
    tasks, slots = int(sys.argv[1]), int(sys.argv[2])
    with LocalCluster(n_workers=2, threads_per_worker=max(1, slots // 2), dashboard_address=None,
                      processes=True) as cluster, Client(cluster) as client:
        client.gather(client.map(lambda n: subprocess.run(["/bin/true"]).returncode, range(tasks)))
)";

Ran with_dask(const std::string& dir, int tasks, int slots) {
  // Not dask.py: Python would take that for the module.
  std::ofstream(dir + "/many_true.py") << dask_script;
  return rate(tasks,
              {"/usr/bin/python3", "many_true.py", std::to_string(tasks), std::to_string(slots)},
              "/dev/null", dir);
}

}  // namespace

std::vector<Peer> peers_in(const std::string& directory) {
  std::vector<Peer> peers;
  peers.push_back({"xargs -P", "findutils", [directory](int tasks, int slots) {
                     return rate(tasks,
                                 {"xargs", "-P", std::to_string(slots), "-n", "1", "/bin/true"},
                                 numbers(directory, tasks), directory);
                   }});
  peers.push_back({"GNU parallel", "parallel", [directory](int tasks, int slots) {
                     return rate(tasks, {"parallel", fmt::format("-j{}", slots), "/bin/true"},
                                 numbers(directory, tasks), directory);
                   }});
  peers.push_back({"make -j", "make", [directory](int tasks, int slots) {
                     return with_make(directory, tasks, slots);
                   }});
  peers.push_back({"ninja", "ninja-build", [directory](int tasks, int slots) {
                     return with_ninja(directory, tasks, slots);
                   }});
  peers.push_back({"Dask distributed", "python3-distributed", [directory](int tasks, int slots) {
                     return with_dask(directory, tasks, slots);
                   }});
  return peers;
}

}  // namespace vigil::bench
