#pragma once
// Starts a program that needs no containment, with one exec instead of the two that vigil-exec
// takes. Private to swarm; loop thread only, because the child dies with the thread that started
// it.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "swarm/cage.hpp"

namespace vigil::swarm {

struct Launch {
  std::vector<std::string> argv;         // argv[0] is looked up in `path`, unless it has a slash
  std::vector<std::string> environment;  // NAME=value
  std::string path;
  std::string workdir;
  std::array<int, 4> fds{};  // they become 0 to 3; nothing else stays open
  std::uint64_t memory_bytes_max = 0;
  std::uint64_t file_bytes_max = 0;
  std::uint64_t cpu_seconds_max = 0;
  std::optional<Cage> cage;
  int cgroup = -1;  // cgroup.procs of a group that it joins first
};

// The child's process number. It has its own session, no core files, default signal handlers and an
// empty mask. What it cannot set up it says on standard error, in a line that begins with
// launcher_says, and exits with 126, or 127 when there is no such program.
constexpr const char* launcher_says = "vigil-exec: ";
Result<int> launch(Launch launch);

}  // namespace vigil::swarm
