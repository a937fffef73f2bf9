#include "entities/ops/host_readings.hpp"

#include <fmt/format.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "entities/codebase/git.hpp"
#include "entities/ops/host_facts.hpp"
#include "entities/ops/reading.hpp"
#include "entities/ops/reading_input.hpp"

namespace vigil::entities::ops {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t proc_bytes_max = 1024 * 1024;

// Files below the root that was asked for.
struct Host {
  std::string root;  // "" for /
  Readings& out;

  std::string at(std::string_view path) const { return root + std::string(path); }
  // A problem when it cannot be read.
  std::optional<std::string> read(std::string_view path) const {
    auto text = read_bounded(at(path), proc_bytes_max);
    if (text) return std::move(*text);
    out.problem(text.error().message);
    return std::nullopt;
  }
  // What was made of the file, or a problem.
  template <class T>
  std::optional<T> parsed(std::string_view path, Result<T> (*parse)(std::string_view)) const {
    const auto text = read(path);
    if (!text) return std::nullopt;
    auto value = parse(*text);
    if (value) return std::move(*value);
    out.problem(fmt::format("{}: {}", path, value.error().message));
    return std::nullopt;
  }
};

void read_pressure(const Host& host) {
  for (const std::string name : {"cpu", "io", "memory"}) {
    const auto path = "/proc/pressure/" + name;
    const auto text = read_bounded(host.at(path), proc_bytes_max);
    const auto lines = text ? parse_pressure(*text) : std::unexpected(text.error());
    if (!lines) {
      host.out.problem(fmt::format("{}: no pressure is known ({})", path, lines.error().message));
      continue;
    }
    for (const auto& line : *lines) {
      const auto series = "pressure." + line.kind;
      host.out.add(series, line.avg10, "percent", {{"resource", name}, {"window", "10s"}});
      host.out.add(series, line.avg60, "percent", {{"resource", name}, {"window", "1m"}});
      host.out.add(series, line.avg300, "percent", {{"resource", name}, {"window", "5m"}});
      host.out.add(series + ".total", line.total_seconds, "seconds", {{"resource", name}});
    }
  }
}

void read_load(const Host& host) {
  const auto stat = host.read("/proc/stat");
  std::size_t processors = stat ? count_processors(*stat) : 0;
  if (processors == 0 && host.root.empty()) {
    processors = static_cast<std::size_t>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  }
  if (processors > 0) host.out.add("cpu.count", static_cast<double>(processors));
  const auto load = host.parsed("/proc/loadavg", parse_load);
  if (!load) return;
  const std::pair<std::string, double> windows[] = {
      {"1m", load->one}, {"5m", load->five}, {"15m", load->fifteen}};
  for (const auto& [window, value] : windows) {
    host.out.add("load", value, "", {{"window", window}});
    if (processors == 0) continue;
    host.out.add("load.per_cpu", value / static_cast<double>(processors), "", {{"window", window}});
  }
}

void read_memory(const Host& host) {
  const auto memory = host.parsed("/proc/meminfo", parse_memory);
  if (!memory) return;
  host.out.add("memory.total", memory->total, "bytes");
  host.out.add("memory.available_bytes", memory->available, "bytes");
  host.out.add("memory.available", 100 * memory->available / memory->total, "percent");
  host.out.add("swap.total", memory->swap_total, "bytes");
  if (memory->swap_total <= 0) return;
  host.out.add("swap.used", 100 * (1 - memory->swap_free / memory->swap_total), "percent");
}

void read_disk(const Host& host, const Mount& mount) {
  struct statvfs facts{};
  if (::statvfs(host.at(mount.path).c_str(), &facts) != 0) {
    host.out.problem(
        fmt::format("{}: its size is not known: {}", mount.path, std::strerror(errno)));
    return;
  }
  const Labels labels{{"mount", mount.path}, {"type", mount.type}, {"device", mount.source}};
  const auto unit = static_cast<double>(facts.f_frsize);
  const auto used = static_cast<double>(facts.f_blocks - facts.f_bfree);
  const auto free = static_cast<double>(facts.f_bavail);  // for all but root, as df counts it
  if (facts.f_blocks > 0 && used + free > 0) {
    host.out.add("disk.total", static_cast<double>(facts.f_blocks) * unit, "bytes", labels);
    host.out.add("disk.free_bytes", free * unit, "bytes", labels);
    host.out.add("disk.free", 100 * free / (used + free), "percent", labels);
  }
  if (facts.f_files > 0) {  // btrfs has no fixed number of them
    const auto inodes = static_cast<double>(facts.f_favail);
    host.out.add("disk.inodes_free", 100 * inodes / static_cast<double>(facts.f_files), "percent",
                 labels);
  }
}

void read_disks(const Host& host, const std::vector<std::string>& asked) {
  // Below another root that is the whole machine's, as its first process sees it.
  const auto own = read_bounded(
      host.at(host.root.empty() ? "/proc/self/mountinfo" : "/proc/1/mountinfo"), proc_bytes_max);
  if (!own) {
    host.out.problem(own.error().message);
    if (asked.empty()) return;
  }
  const auto all = own ? parse_mounts(*own) : std::vector<Mount>();
  if (asked.empty()) {
    const auto real = real_mounts(all);
    if (real.empty()) host.out.problem("no file system on a disk is mounted here");
    for (const auto& mount : real) read_disk(host, mount);
    return;
  }
  for (const auto& path : asked) {
    const auto found = std::ranges::find(all, path, &Mount::path);
    read_disk(host, found == all.end() ? Mount{"", path, "", ""} : *found);
  }
}

void read_rest(const Host& host) {
  if (const auto files = host.parsed("/proc/sys/fs/file-nr", parse_open_files)) {
    host.out.add("files.open", files->used);
    host.out.add("files.used", 100 * files->used / files->max, "percent");
  }
  const auto uptime = host.parsed("/proc/uptime", parse_uptime);
  if (uptime) host.out.add("uptime", *uptime, "seconds");
}

void read_units(const Host& host) {
  codebase::Errand errand;
  errand.argv = {"systemctl", "list-units",  "--state=failed",
                 "--plain",   "--no-legend", "--no-pager"};
  errand.environment = {"LANG=C.UTF-8", "PATH=/usr/local/bin:/usr/bin:/bin"};
  errand.timeout = 5s;
  errand.output_bytes_max = proc_bytes_max;
  const auto end = codebase::run_errand(errand);
  if (!end) {
    host.out.problem("units are not known: " + end.error().message);
    return;
  }
  if (end->exit_code != 0 || !end->in_time) {
    host.out.problem(fmt::format("units are not known: systemctl says {}",
                                 end->errors.empty() ? "nothing" : end->errors));
    return;
  }
  const auto failed = parse_failed_units(end->output);
  host.out.add("units.failed", static_cast<double>(failed.size()));
  for (const auto& unit : failed) host.out.add("unit.failed", 1, "", {{"unit", unit}});
}

}  // namespace

Result<json::value> run_host(const Request& request) {
  if (auto known = known_members(request.input, {"root", "mounts", "units"}); !known) {
    return std::unexpected(known.error());
  }
  auto root = text_in(request.input, "root", "");
  while (root.ends_with('/')) root.pop_back();
  if (!root.empty() && !std::filesystem::is_directory(root)) {
    return fail(ErrorCode::not_found, fmt::format("root: {} is no folder", root));
  }
  const auto mounts = texts_in(request.input, "mounts");
  if (!mounts) return std::unexpected(mounts.error());
  const auto units = flag_in(request.input, "units", root.empty());
  if (!units) return std::unexpected(units.error());
  Readings readings;
  const Host host{root, readings};
  read_pressure(host);
  read_load(host);
  read_memory(host);
  read_disks(host, *mounts);
  read_rest(host);
  if (*units) read_units(host);
  if (readings.all().empty()) {
    return fail(
        ErrorCode::invalid_input,
        fmt::format("nothing of {}/proc can be read: in a plan, name /proc in read_paths", root));
  }
  return json::value(readings.to_json());
}

}  // namespace vigil::entities::ops
