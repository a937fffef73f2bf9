#pragma once
// What the kernel says of a machine in /proc, read as values. Pure; any thread.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace vigil::entities::ops {

// A line of /proc/pressure/*: the share of time that some, or all, tasks waited, in percent.
struct Pressure {
  std::string kind;  // some, full
  double avg10 = 0;
  double avg60 = 0;
  double avg300 = 0;
  double total_seconds = 0;
};
Result<std::vector<Pressure>> parse_pressure(std::string_view text);

struct Load {
  double one = 0;
  double five = 0;
  double fifteen = 0;
};
Result<Load> parse_load(std::string_view text);

Result<double> parse_uptime(std::string_view text);  // in seconds

struct MemoryFacts {
  double total = 0;  // all in bytes
  double available = 0;
  double swap_total = 0;
  double swap_free = 0;
};
Result<MemoryFacts> parse_memory(std::string_view text);

// One file system, and where it is mounted.
struct Mount {
  std::string device;  // 8:1
  std::string path;
  std::string type;
  std::string source;
};
// All of /proc/self/mountinfo; escapes are undone, lines that are none are passed over.
std::vector<Mount> parse_mounts(std::string_view text);
// Those that hold data on a disk here, each once, at its shortest path.
std::vector<Mount> real_mounts(std::vector<Mount> mounts);

struct OpenFiles {
  double used = 0;
  double max = 0;
};
Result<OpenFiles> parse_open_files(std::string_view text);  // /proc/sys/fs/file-nr
std::size_t count_processors(std::string_view stat);        // /proc/stat
// The names in `systemctl list-units --state=failed --plain --no-legend`.
std::vector<std::string> parse_failed_units(std::string_view text);

}  // namespace vigil::entities::ops
