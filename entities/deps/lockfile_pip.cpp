// requirements.txt as pip reads it: lines that go on, comments, options, other files.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "entities/deps/lockfile_parts.hpp"

namespace vigil::entities::deps {
namespace {

// A line and those it goes on with, without its comment; false at the end.
bool next_logical(LineReader& lines, std::string& joined, int& number) {
  joined.clear();
  std::string_view line;
  bool any = false;
  while (lines.next(line)) {
    if (!any) number = lines.number();
    any = true;
    const auto first = line.find_first_not_of(" \t");
    const bool comment = first != std::string_view::npos && line[first] == '#';
    const bool goes_on = line.ends_with('\\') && !comment;
    while (goes_on && line.ends_with('\\')) line.remove_suffix(1);
    joined += line;
    if (!goes_on) break;
  }
  // A comment begins at the start or after a space: "#egg=" in an address is none.
  for (std::size_t at = joined.find('#'); at != std::string::npos; at = joined.find('#', at + 1)) {
    if (at == 0 || joined[at - 1] == ' ' || joined[at - 1] == '\t') {
      joined.resize(at);
      break;
    }
  }
  return any;
}

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

// What stands behind the option of that name; empty when it is another one.
std::string_view option(std::string_view line, std::string_view brief, std::string_view whole) {
  if (line.starts_with(whole)) {
    const auto value = line.substr(whole.size());
    return value.starts_with('=') || value.starts_with(' ') ? trim(value.substr(1)) : "";
  }
  return line.starts_with(brief) ? trim(line.substr(brief.size())) : "";
}

// Only "==" pins a version; a bare version ends at a space, a comma or a semicolon.
std::string_view pinned_version(std::string_view constraint) {
  if (!constraint.starts_with("==")) return {};
  constraint.remove_prefix(constraint.starts_with("===") ? 3 : 2);
  constraint = trim(constraint);
  const auto version = constraint.substr(0, constraint.find_first_of(" ,;)\t"));
  return version.find('*') == std::string_view::npos ? version : std::string_view();
}

Result<void> read_requirement(std::string_view line, int number, Packages& packages) {
  std::size_t size = 0;
  while (size < line.size() && is_name_char(line[size])) ++size;
  if (size == 0) return refuse(number, fmt::format("{}: expected a package", line.substr(0, 40)));
  const auto name = line.substr(0, size);
  auto rest = trim(line.substr(size));
  if (rest.starts_with('/') || rest.starts_with(':') || rest.starts_with('+')) {
    return {};  // a folder or an address, which no registry knows
  }
  if (rest.starts_with('[')) {
    const auto close = rest.find(']');
    if (close == std::string_view::npos) return refuse(number, "expected ] after the extras");
    rest = trim(rest.substr(close + 1));
  }
  if (rest.starts_with('(')) rest.remove_prefix(1);
  constexpr std::string_view begins = "=<>!~;@-";
  if (!rest.empty() && begins.find(rest.front()) == std::string_view::npos) {
    return refuse(number, fmt::format("{}: expected a version after the name, not {}", name,
                                      rest.substr(0, 40)));
  }
  packages.add(normal_name("PyPI", name), pinned_version(rest), Purpose::normal, number);
  return {};
}

}  // namespace

Result<Lockfile> read_requirements(std::string_view text) {
  Packages packages("PyPI");
  LineReader lines(text);
  std::string joined;
  int number = 0;
  while (next_logical(lines, joined, number)) {
    const auto line = trim(joined);
    if (line.empty()) continue;
    if (line.starts_with('-')) {
      for (const auto& [brief, whole] :
           {std::pair{"-r", "--requirement"}, {"-c", "--constraint"}}) {
        const auto file = option(line, brief, whole);
        if (!file.empty()) packages.file().references.push_back({std::string(file), number});
      }
      continue;  // other options name no package
    }
    if (auto read = read_requirement(line, number, packages); !read) {
      return std::unexpected(read.error());
    }
  }
  return packages.take();
}

}  // namespace vigil::entities::deps
