// Files that are plain lines: requirements.txt, go.mod, Gemfile, Gemfile.lock, gradle.lockfile.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>

#include "entities/deps/lockfile.hpp"
#include "entities/deps/lockfile_parts.hpp"
#include "entities/deps/rewrite_parts.hpp"

namespace vigil::entities::deps {
namespace {

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

std::size_t offset_in(std::string_view line, const re2::StringPiece& part) {
  return static_cast<std::size_t>(part.data() - line.data());
}

Raised changed_or_not(std::string_view before, std::string after, std::string_view what) {
  if (after == before) return for_person(fmt::format("the place of {} was not found", what));
  return edited(std::move(after));
}

}  // namespace

Raised raise_in_requirements(std::string_view text, const Raise& raise) {
  static const RE2 pin(
      R"(\s*([A-Za-z0-9][A-Za-z0-9._\-]*)\s*(?:\[[^\]]*\])?\s*\(?\s*===?\s*([^\s,;)\\#]+).*)");
  const auto wanted = normal_name("PyPI", raise.name);
  auto out = by_line(text, [&](std::string_view line) -> std::string {
    re2::StringPiece name;
    re2::StringPiece version;
    if (!RE2::FullMatch(piece(line), pin, &name, &version)) return std::string(line);
    if (normal_name("PyPI", {name.data(), name.size()}) != wanted) return std::string(line);
    if (version != piece(raise.from)) return std::string(line);
    return spliced(line, offset_in(line, version), version.size(), raise.to);
  });
  return changed_or_not(text, std::move(out), raise.name);
}

Raised raise_in_go_mod(std::string_view text, const Raise& raise) {
  const bool is_go = raise.name == "stdlib";
  static const RE2 toolchain(R"(\s*toolchain\s+go(\S+)\s*(?://.*)?)");
  static const RE2 go(R"(\s*go\s+(\S+)\s*(?://.*)?)");
  static const RE2 module(R"(\s*(?:require\s+|replace\s+\S.*=>\s+|.*=>\s+)?(\S+)\s+v(\S+).*)");
  const bool has_toolchain = text.find("\ntoolchain ") != std::string_view::npos;
  auto out = by_line(text, [&](std::string_view line) -> std::string {
    const auto code = line.substr(0, line.find("//"));
    re2::StringPiece name;
    re2::StringPiece version;
    const bool found =
        is_go ? RE2::FullMatch(piece(code), has_toolchain ? toolchain : go, &version)
              : RE2::FullMatch(piece(code), module, &name, &version) && name == piece(raise.name);
    if (!found || version != piece(raise.from)) return std::string(line);
    // What stands before an arrow says what is replaced.
    const auto at = offset_in(line, version);
    if (code.find("=>", at) != std::string_view::npos || code.find("exclude ") == 0) {
      return std::string(line);
    }
    return spliced(line, at, version.size(), raise.to);
  });
  return changed_or_not(text, std::move(out), raise.name);
}

Raised raise_in_gemfile(std::string_view text, const Raise& raise) {
  static const RE2 gem(R"(\s*gem[\s(]+["']([^"']+)["']\s*,\s*["']([^"']*)["'](.*))");
  static const RE2 bare(R"(\s*gem[\s(]+["']([^"']+)["'].*)");
  std::size_t start = 0;
  Raised last = absent();
  while (start < text.size()) {
    const auto end = std::min(text.find('\n', start), text.size());
    const auto line = text.substr(start, end - start);
    re2::StringPiece name;
    re2::StringPiece requirement;
    re2::StringPiece rest;
    if (RE2::FullMatch(piece(line), gem, &name, &requirement, &rest) && name == piece(raise.name)) {
      const auto after = trim({rest.data(), rest.size()});
      if (after.starts_with(",") && (after.find('"') == 1 || after.find("'") < 3)) {
        return for_person(fmt::format("{} has several requirements", raise.name));
      }
      return raise_requirement(text, start + offset_in(line, requirement), requirement.size(),
                               Manner::gem, raise);
    }
    if (RE2::FullMatch(piece(line), bare, &name) && name == piece(raise.name)) last = fine();
    start = end + 1;
  }
  return last;
}

// Nobody who asks for it may refuse it: bundler would then resolve something else.
Raised raise_in_gemfile_lock(std::string_view text, const Raise& raise) {
  static const RE2 asks(R"( {6}(\S+) \((.*)\))");
  LineReader lines(text);
  for (std::string_view line; lines.next(line);) {
    re2::StringPiece name;
    re2::StringPiece ranges;
    if (!RE2::FullMatch(piece(line), asks, &name, &ranges) || name != piece(raise.name)) continue;
    std::string_view rest(ranges.data(), ranges.size());
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      const auto one = trim(rest.substr(0, comma));
      const bool upper = one.starts_with('<') || one.starts_with('!');
      if (upper || !takes(Manner::gem, one, raise.to).value_or(false)) {
        return for_tool(fmt::format("line {} asks for {} {}", lines.number(), raise.name, one));
      }
      rest = comma == std::string_view::npos ? std::string_view() : rest.substr(comma + 1);
    }
  }
  const auto spec = fmt::format("    {} ({})", raise.name, raise.from);
  const auto pinned = fmt::format("  {} (= {})", raise.name, raise.from);
  auto out = by_line(text, [&](std::string_view line) -> std::string {
    if (line == spec) return fmt::format("    {} ({})", raise.name, raise.to);
    if (line == pinned) return fmt::format("  {} (= {})", raise.name, raise.to);
    return std::string(line);
  });
  return changed_or_not(text, std::move(out), raise.name);
}

Raised raise_in_gradle_lock(std::string_view text, const Raise& raise) {
  const auto start = fmt::format("{}:{}=", raise.name, raise.from);
  auto out = by_line(text, [&](std::string_view line) -> std::string {
    if (!line.starts_with(start)) return std::string(line);
    return fmt::format("{}:{}={}", raise.name, raise.to, line.substr(start.size()));
  });
  return changed_or_not(text, std::move(out), raise.name);
}

}  // namespace vigil::entities::deps
