#include "entities/codebase/lockfiles.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/codebase/finding.hpp"
#include "entities/codebase/paths.hpp"

namespace vigil::entities::codebase {
namespace {

struct Pair {
  std::string_view manifest;
  std::string_view locks;  // between blanks
};
constexpr std::array pairs{
    Pair{"package.json",
         "package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml bun.lock bun.lockb"},
    Pair{"Cargo.toml", "Cargo.lock"},
    Pair{"pyproject.toml", "poetry.lock uv.lock pdm.lock"},
    Pair{"Pipfile", "Pipfile.lock"},
    Pair{"go.mod", "go.sum"},
    Pair{"composer.json", "composer.lock"},
    Pair{"Gemfile", "Gemfile.lock"},
    Pair{"mix.exs", "mix.lock"},
    Pair{"pubspec.yaml", "pubspec.lock"},
    Pair{"Podfile", "Podfile.lock"},
    Pair{"flake.nix", "flake.lock"},
    Pair{"deno.json", "deno.lock"},
    Pair{"Package.swift", "Package.resolved"},
};

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

template <class Each>
void each_line(std::string_view text, Each each) {
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    each(trimmed(line));
  }
}

std::set<std::string> from_json(std::string_view text) {
  std::set<std::string> all;
  const auto parsed = parse_json(text);
  if (!parsed || !parsed->is_object()) return all;
  for (const auto& [section, value] : parsed->get_object()) {
    const std::string_view name = section;
    const bool counts = name.find("ependencies") != std::string_view::npos || name == "require" ||
                        name == "require-dev" || name == "resolutions" || name == "overrides" ||
                        name == "imports" || name == "pnpm";
    if (!counts || !value.is_object()) continue;
    for (const auto& [package, wanted] : value.get_object()) {
      all.insert(fmt::format("{} {} {}", name, std::string_view(package), vigil::to_text(wanted)));
    }
  }
  return all;
}

// Tables whose name speaks of dependencies, and arrays of that name in other tables.
std::set<std::string> from_toml(std::string_view text) {
  std::set<std::string> all;
  bool inside = false;
  bool in_array = false;
  std::string table;
  each_line(text, [&](std::string_view line) {
    if (line.empty() || line.front() == '#') return;
    if (line.front() == '[' && !in_array) {
      table = line;
      inside = line.find("dependencies") != std::string_view::npos ||
               line.find("dependency-groups") != std::string_view::npos || line == "[packages]" ||
               line == "[dev-packages]" || line.find("[patch") != std::string_view::npos ||
               line.find("[replace") != std::string_view::npos;
      return;
    }
    const bool opens = line.starts_with("dependencies") || line.starts_with("requires");
    if (inside || in_array || opens) all.insert(table + " " + std::string(line));
    if (opens && line.find('[') != std::string_view::npos) in_array = true;
    if (in_array && line.find(']') != std::string_view::npos &&
        (line.ends_with("]") || line.ends_with("],"))) {
      in_array = false;
    }
  });
  return all;
}

std::set<std::string> from_lines(std::string_view text, const RE2& wanted) {
  std::set<std::string> all;
  each_line(text, [&](std::string_view line) {
    if (RE2::PartialMatch(re2::StringPiece(line.data(), line.size()), wanted)) all.emplace(line);
  });
  return all;
}

}  // namespace

std::vector<std::string> locks_of(std::string_view manifest_path) {
  std::vector<std::string> all;
  for (const auto& pair : pairs) {
    if (pair.manifest != file_name(manifest_path)) continue;
    std::string_view rest = pair.locks;
    while (!rest.empty()) {
      const auto blank = rest.find(' ');
      all.emplace_back(rest.substr(0, blank));
      rest = blank == std::string_view::npos ? std::string_view{} : rest.substr(blank + 1);
    }
  }
  return all;
}

std::set<std::string> dependencies_in(std::string_view manifest_path, std::string_view text) {
  const auto name = file_name(manifest_path);
  if (name.ends_with(".json")) return from_json(text);
  if (name.ends_with(".toml") || name == "Pipfile") return from_toml(text);
  static const RE2 go(R"(^(require|replace|exclude)\b|^\S+\.\S+/?\S* v\d|=>)");
  static const RE2 ruby(R"(^\s*(gem|gemspec|source|git|path|ruby)\b)");
  static const RE2 elixir(R"(^\{:\w+,)");
  static const RE2 dart(R"(^[\w]+:\s*(\^|[\d>=<]|any|"))");
  static const RE2 pods(R"(^(pod|source)\b)");
  static const RE2 any(R"(url|package\()");
  if (name == "go.mod") return from_lines(text, go);
  if (name == "Gemfile") return from_lines(text, ruby);
  if (name == "mix.exs") return from_lines(text, elixir);
  if (name == "pubspec.yaml") return from_lines(text, dart);
  if (name == "Podfile") return from_lines(text, pods);
  return from_lines(text, any);
}

std::set<std::string> hosts_in(std::string_view lock_text) {
  static const RE2 address(
      R"((?:"?resolved"?:? "?|tarball: |"?url"?: ?"|source = "(?:registry|sparse|git)\+|url = "|remote: )(https?://[^/\s"'@]+))");
  std::set<std::string> hosts;
  re2::StringPiece rest(lock_text.data(), lock_text.size());
  std::string host;
  while (RE2::FindAndConsume(&rest, address, &host)) hosts.insert(host);
  return hosts;
}

namespace {

Finding about(std::string path, std::string_view rule, Severity severity, std::string title,
              std::string hint, std::string_view fingerprint) {
  Finding finding;
  finding.analyser = "lockfiles";
  finding.rule = rule;
  finding.severity = severity;
  finding.title = std::move(title);
  finding.hint = std::move(hint);
  finding.key = finding_key("lockfiles", rule, path, fingerprint);
  finding.path = std::move(path);
  return finding;
}

class Comparison {
 public:
  Comparison(const Look& look, std::vector<std::string> paths)
      : look_(look), paths_(std::move(paths)) {}

  // A workspace keeps one lock file at its root: every folder above counts.
  std::string lock_above(std::string_view manifest) const {
    for (auto folder = std::string(folder_of(manifest));; folder = folder_of(folder)) {
      for (const auto& lock : locks_of(manifest)) {
        const auto path = folder.empty() ? lock : folder + "/" + lock;
        if (look_.git().file_at(look_.head(), path)) return path;
      }
      if (folder.empty()) return {};
    }
  }

  void check_manifest(const std::string& path, std::vector<Finding>& out) const {
    const auto lock = lock_above(path);
    if (lock.empty() || std::ranges::find(paths_, lock) != paths_.end()) return;
    const auto before = look_.git().file_at(look_.base(), path).value_or("");
    const auto after = look_.git().file_at(look_.head(), path).value_or("");
    const auto wanted_before = dependencies_in(path, before);
    const auto wanted_after = dependencies_in(path, after);
    if (wanted_before == wanted_after) return;
    out.push_back(about(path, "not-locked", Severity::medium,
                        fmt::format("dependencies changed, but {} did not", one_line(lock)),
                        "run the package manager and commit the lock file", lock));
  }

  void check_lock(const std::string& path, std::vector<Finding>& out) const {
    const auto before = look_.git().file_at(look_.base(), path);
    const auto after = look_.git().file_at(look_.head(), path);
    if (!before || !after) return;
    const auto known = hosts_in(*before);
    if (known.empty()) return;
    for (const auto& host : hosts_in(*after)) {
      if (known.contains(host)) continue;
      const bool clear = host.starts_with("http:");
      out.push_back(about(
          path, clear ? "unencrypted-host" : "new-host", clear ? Severity::high : Severity::medium,
          fmt::format("the lock file now fetches from {}", one_line(host)),
          "make sure that this is meant: a lock file is where a swapped package hides", host));
    }
  }

 private:
  const Look& look_;
  std::vector<std::string> paths_;
};

}  // namespace

Result<json::value> run_lockfiles(const Request& request) {
  auto look = Look::at(request);
  if (!look) return std::unexpected(look.error());
  const auto paths = look->paths();
  const Comparison comparison(*look, paths);
  std::vector<Finding> findings;
  int seen = 0;
  for (const auto& path : paths) {
    if (is_test(path)) continue;  // examples for tests agree with nothing on purpose
    const bool manifest = !locks_of(path).empty();
    seen += manifest || is_lockfile(path) ? 1 : 0;
    if (manifest) comparison.check_manifest(path, findings);
    if (is_lockfile(path)) comparison.check_lock(path, findings);
  }
  auto summary =
      fmt::format("{} manifests and lock files changed, {} do not agree", seen, findings.size());
  return json::value(analysis(std::move(summary), std::move(findings)));
}

}  // namespace vigil::entities::codebase
