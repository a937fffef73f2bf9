#include "entities/ops/host_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

namespace vigil::entities::ops {
namespace {

constexpr std::size_t mounts_max = 5000;

std::string_view take_line(std::string_view& text) {
  const auto end = std::min(text.find('\n'), text.size());
  const auto line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> out;
  while (true) {
    const auto start = line.find_first_not_of(" \t\r");
    if (start == std::string_view::npos) return out;
    line.remove_prefix(start);
    const auto end = std::min(line.find_first_of(" \t\r"), line.size());
    out.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

// Blanks in paths stand as \040.
std::string without_escapes(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size(); ++at) {
    int code = 0;
    if (text[at] == '\\' && at + 3 < text.size()) {
      const auto* first = text.data() + at + 1;
      const auto [end, error] = std::from_chars(first, first + 3, code, 8);
      if (error == std::errc{} && end == first + 3 && code > 0 && code < 256) {
        out += static_cast<char>(code);
        at += 3;
        continue;
      }
    }
    out += text[at];
  }
  return out;
}

// Types that hold data on a disk of this machine. Those over the network may hang whoever asks.
bool is_real(std::string_view type) {
  static constexpr std::string_view real[] = {
      "ext2",    "ext3",     "ext4",    "xfs",   "btrfs", "zfs",      "f2fs", "bcachefs",
      "jfs",     "reiserfs", "vfat",    "exfat", "ntfs",  "ntfs3",    "ufs",  "overlay",
      "fuseblk", "nilfs2",   "hfsplus", "apfs",  "9p",    "virtiofs", "gfs2", "ocfs2"};
  return std::ranges::find(real, type) != std::end(real);
}

}  // namespace

Result<std::vector<Pressure>> parse_pressure(std::string_view text) {
  std::vector<Pressure> out;
  while (!text.empty() && out.size() < 4) {
    const auto words = words_of(take_line(text));
    if (words.empty()) continue;
    Pressure one;
    one.kind = words[0];
    int seen = 0;
    for (const auto word : words) {
      const auto equals = word.find('=');
      if (equals == std::string_view::npos) continue;
      const auto value = number_of(word.substr(equals + 1));
      if (!value) continue;
      const auto name = word.substr(0, equals);
      if (name == "avg10") one.avg10 = *value;
      if (name == "avg60") one.avg60 = *value;
      if (name == "avg300") one.avg300 = *value;
      if (name == "total") one.total_seconds = *value / 1e6;
      ++seen;
    }
    if (seen < 4 || (one.kind != "some" && one.kind != "full")) {
      return fail(ErrorCode::invalid_input, "its lines are not as the kernel writes them");
    }
    out.push_back(std::move(one));
  }
  if (out.empty()) return fail(ErrorCode::invalid_input, "it is empty");
  return out;
}

Result<Load> parse_load(std::string_view text) {
  const auto words = words_of(take_line(text));
  if (words.size() >= 3) {
    const auto one = number_of(words[0]);
    const auto five = number_of(words[1]);
    const auto fifteen = number_of(words[2]);
    if (one && five && fifteen) return Load{*one, *five, *fifteen};
  }
  return fail(ErrorCode::invalid_input, "it does not begin with three numbers");
}

Result<double> parse_uptime(std::string_view text) {
  const auto words = words_of(take_line(text));
  const auto seconds = words.empty() ? std::nullopt : number_of(words[0]);
  if (!seconds) return fail(ErrorCode::invalid_input, "it does not begin with a number");
  return *seconds;
}

Result<MemoryFacts> parse_memory(std::string_view text) {
  std::map<std::string, double, std::less<>> all;
  while (!text.empty() && all.size() < 200) {
    const auto words = words_of(take_line(text));
    if (words.size() < 2 || !words[0].ends_with(':')) continue;
    const auto value = number_of(words[1]);
    if (!value) continue;
    const double unit = words.size() > 2 && words[2] == "kB" ? 1024 : 1;
    all.emplace(words[0].substr(0, words[0].size() - 1), *value * unit);
  }
  if (!all.contains("MemTotal") || all["MemTotal"] <= 0) {
    return fail(ErrorCode::invalid_input, "it does not say MemTotal");
  }
  // Kernels before 3.14 do not say what is available.
  const double available = all.contains("MemAvailable")
                               ? all["MemAvailable"]
                               : all["MemFree"] + all["Buffers"] + all["Cached"];
  return MemoryFacts{all["MemTotal"], available, all["SwapTotal"], all["SwapFree"]};
}

std::vector<Mount> parse_mounts(std::string_view text) {
  std::vector<Mount> out;
  while (!text.empty() && out.size() < mounts_max) {
    const auto words = words_of(take_line(text));
    const auto dash = std::ranges::find(words, std::string_view("-"));
    if (words.size() < 7 || dash == words.end() || words.end() - dash < 3) continue;
    out.push_back({std::string(words[2]), without_escapes(words[4]), std::string(dash[1]),
                   without_escapes(dash[2])});
  }
  return out;
}

std::vector<Mount> real_mounts(std::vector<Mount> mounts) {
  std::erase_if(mounts, [](const Mount& one) { return !is_real(one.type); });
  // Bind mounts show a device again; subvolumes of btrfs have numbers of their own.
  std::map<std::string, Mount> by_device;
  for (auto& one : mounts) {
    const auto key = one.source.starts_with('/') ? one.source : one.device;
    const auto found = by_device.find(key);
    if (found == by_device.end()) {
      by_device.emplace(key, std::move(one));
    } else if (one.path.size() < found->second.path.size()) {
      found->second = std::move(one);
    }
  }
  std::vector<Mount> out;
  for (auto& [key, one] : by_device) out.push_back(std::move(one));
  std::ranges::sort(out, {}, &Mount::path);
  return out;
}

Result<OpenFiles> parse_open_files(std::string_view text) {
  const auto words = words_of(take_line(text));
  if (words.size() >= 3) {
    const auto given = number_of(words[0]);
    const auto unused = number_of(words[1]);
    const auto max = number_of(words[2]);
    if (given && unused && max && *max > 0) return OpenFiles{*given - *unused, *max};
  }
  return fail(ErrorCode::invalid_input, "it does not hold three numbers");
}

std::size_t count_processors(std::string_view stat) {
  std::size_t count = 0;
  while (!stat.empty()) {
    const auto line = take_line(stat);
    const bool is_one =
        line.starts_with("cpu") && line.size() > 3 && line[3] >= '0' && line[3] <= '9';
    if (is_one) ++count;
  }
  return count;
}

std::vector<std::string> parse_failed_units(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty() && out.size() < 1000) {
    auto words = words_of(take_line(text));
    if (!words.empty() && words[0] == "\u25cf") words.erase(words.begin());  // its mark
    if (!words.empty() && words[0].find('.') != std::string_view::npos) out.emplace_back(words[0]);
  }
  return out;
}

}  // namespace vigil::entities::ops
