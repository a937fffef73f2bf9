// yarn.lock, of yarn 1 and of yarn 2 and later: blocks of indented lines under a line of names.
#include <fmt/format.h>

#include "entities/deps/lockfile_parts.hpp"

namespace vigil::entities::deps {
namespace {

struct Block {
  std::string_view names;
  std::string_view version;
  std::string_view resolution;  // yarn 2 and later: the real name
  int line = 0;
};

// The name in front of "@range", behind an alias when there is one.
std::string_view name_in(std::string_view descriptor) {
  const auto at = descriptor.find('@', 1);
  if (at == std::string_view::npos) return descriptor;
  constexpr std::string_view alias = "npm:";
  const auto range = descriptor.substr(at + 1);
  // "cjs@npm:@babel/types@^7" is an alias; "types@npm:^7" is what yarn 2 always writes.
  if (range.starts_with(alias)) {
    const auto real = range.substr(alias.size());
    const auto end = real.find('@', 1);
    if (end != std::string_view::npos) return real.substr(0, end);
  }
  return descriptor.substr(0, at);
}

std::string_view first_of(std::string_view names) {
  if (names.starts_with('"')) {
    // yarn 2 quotes all names together, yarn 1 each.
    const auto end = names.find('"', 1);
    names = names.substr(1, end == std::string_view::npos ? end : end - 1);
  }
  return trim(names.substr(0, names.find(", ")));
}

Result<void> finish(const Block& block, Packages& packages) {
  if (block.line == 0 || block.names == "__metadata") return {};
  if (block.version.empty()) {
    return refuse(block.line, fmt::format("{} has no version", block.names));
  }
  const auto first = first_of(block.names);
  const auto resolved = block.resolution.empty() ? first : block.resolution;
  if (resolved.find("@workspace:") != std::string_view::npos) return {};  // the project's own
  packages.add(name_in(resolved), block.version, Purpose::normal, block.line);
  return {};
}

// `version "1.0"`, `"version" "1.0"` and `version: 1.0`.
void read_field(std::string_view line, Block& block) {
  auto end = line.find_first_of(" :");
  if (line.starts_with('"')) end = line.find('"', 1) + 1;
  if (end == 0 || end == std::string_view::npos) return;
  const auto key = unquote(line.substr(0, end));
  auto value = line.substr(end);
  if (value.starts_with(':')) value.remove_prefix(1);
  value = unquote(trim(value));
  if (key == "version" && block.version.empty()) block.version = value;
  if (key == "resolution" && block.resolution.empty()) block.resolution = value;
}

}  // namespace

Result<Lockfile> read_yarn(std::string_view text) {
  Packages packages("npm");
  LineReader lines(text);
  std::string_view line;
  Block block;
  while (lines.next(line)) {
    const auto indent = indent_of(line);
    if (indent == line.size() || line[indent] == '#') continue;
    if (indent == 0) {
      if (auto done = finish(block, packages); !done) return std::unexpected(done.error());
      if (!line.ends_with(':')) {
        return refuse(lines.number(), "not a yarn.lock: expected names and a colon");
      }
      block = {line.substr(0, line.size() - 1), {}, {}, lines.number()};
    } else if (block.line == 0) {
      return refuse(lines.number(), "not a yarn.lock: an indented line before any name");
    } else if (indent == 2) {
      read_field(line.substr(indent), block);
    }
  }
  if (auto done = finish(block, packages); !done) return std::unexpected(done.error());
  return packages.take();
}

}  // namespace vigil::entities::deps
