#include "entities/codebase/paths.hpp"

#include <algorithm>
#include <array>

namespace vigil::entities::codebase {
namespace {

std::vector<std::string_view> steps_of(std::string_view path) {
  std::vector<std::string_view> steps;
  while (!path.empty()) {
    const auto slash = path.find('/');
    if (slash != 0) steps.push_back(path.substr(0, slash));
    path = slash == std::string_view::npos ? std::string_view{} : path.substr(slash + 1);
  }
  return steps;
}

// One step against one step of a pattern, without recursion: back to the last star on a mismatch.
bool matches_step(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (n < name.size()) {
    const bool escaped = p + 1 < pattern.size() && pattern[p] == '\\';
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = n;
    } else if (p < pattern.size() &&
               (escaped ? pattern[p + 1] == name[n] : pattern[p] == '?' || pattern[p] == name[n])) {
      p += escaped ? 2 : 1;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

enum class Below { included, excluded };

// Row by row over the pattern's steps: which prefixes of the path match so far.
bool matches_steps(const std::vector<std::string_view>& pattern,
                   const std::vector<std::string_view>& path, Below below) {
  std::vector<bool> reached(path.size() + 1, false);
  reached[0] = true;
  for (std::size_t p = 0; p < pattern.size(); ++p) {
    std::vector<bool> now(path.size() + 1, false);
    if (pattern[p] == "**") {
      const bool last = p + 1 == pattern.size();
      bool any = false;
      for (std::size_t n = 0; n <= path.size(); ++n) {
        now[n] = last ? any : any || reached[n];  // at the end it stands for at least one step
        any = any || reached[n];
      }
    } else {
      for (std::size_t n = 0; n < path.size(); ++n) {
        now[n + 1] = reached[n] && matches_step(pattern[p], path[n]);
      }
    }
    reached = std::move(now);
  }
  if (reached[path.size()]) return true;
  if (below == Below::excluded) return false;
  return std::find(reached.begin() + 1, reached.end(), true) != reached.end();
}

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, word) != words.end();
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) {
    return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
  });
  return out;
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view path) {
  if (pattern.empty()) return false;
  const bool folder = pattern.ends_with('/');
  const auto slash = pattern.find('/');
  const bool rooted = slash != std::string_view::npos && slash + 1 != pattern.size();
  auto steps = steps_of(pattern);
  if (steps.empty()) return true;  // "/" is everything
  if (!rooted) steps.insert(steps.begin(), "**");
  if (folder) steps.push_back("**");
  const bool children_only = rooted && steps.back() == "*";
  return matches_steps(steps, steps_of(path), children_only ? Below::excluded : Below::included);
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view path) {
  return std::ranges::any_of(patterns,
                             [&](const auto& pattern) { return matches_pattern(pattern, path); });
}

std::string_view file_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string_view folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view{} : path.substr(0, slash);
}

std::string_view extension_of(std::string_view path) {
  const auto name = file_name(path);
  const auto dot = name.rfind('.');
  return dot == std::string_view::npos || dot == 0 ? std::string_view{} : name.substr(dot + 1);
}

bool is_test(std::string_view path) {
  constexpr std::array<std::string_view, 14> folders{
      "test",     "tests",    "testing",   "__tests__", "spec",  "specs",    "e2e",
      "testdata", "fixtures", "__mocks__", "t",         "mocks", "testutil", "__snapshots__"};
  for (const auto step : steps_of(lower(folder_of(path)))) {
    if (is_one_of(step, folders)) return true;
  }
  const auto full = lower(file_name(path));
  const auto stem = std::string_view(full).substr(0, full.rfind('.'));
  for (const std::string_view end : {"_test", "_tests", ".test", ".spec", "_spec", "-test"}) {
    if (stem.ends_with(end)) return true;
  }
  if (stem.starts_with("test_") || stem == "conftest") return true;
  const auto name = file_name(path);  // FooTest.java, FooTests.cs
  const auto own = name.substr(0, name.rfind('.'));
  return own.ends_with("Test") || own.ends_with("Tests") || own.ends_with("Spec");
}

bool is_code(std::string_view path) {
  constexpr std::array<std::string_view, 38> known{
      "c",   "cc",   "cpp", "cxx",    "h",   "hh",    "hpp", "rs",  "go",    "py",
      "rb",  "java", "kt",  "kts",    "cs",  "fs",    "js",  "jsx", "ts",    "tsx",
      "mjs", "cjs",  "vue", "svelte", "php", "swift", "m",   "mm",  "scala", "ex",
      "exs", "erl",  "hs",  "ml",     "lua", "pl",    "zig", "dart"};
  return is_one_of(lower(extension_of(path)), known) && !is_test(path) && !is_generated(path);
}

bool is_lockfile(std::string_view path) {
  constexpr std::array<std::string_view, 26> known{"package-lock.json",
                                                   "npm-shrinkwrap.json",
                                                   "yarn.lock",
                                                   "pnpm-lock.yaml",
                                                   "bun.lock",
                                                   "bun.lockb",
                                                   "Cargo.lock",
                                                   "poetry.lock",
                                                   "uv.lock",
                                                   "pdm.lock",
                                                   "Pipfile.lock",
                                                   "go.sum",
                                                   "composer.lock",
                                                   "Gemfile.lock",
                                                   "mix.lock",
                                                   "pubspec.lock",
                                                   "Podfile.lock",
                                                   "flake.lock",
                                                   "packages.lock.json",
                                                   "gradle.lockfile",
                                                   "Package.resolved",
                                                   "deno.lock",
                                                   "conan.lock",
                                                   "stack.yaml.lock",
                                                   "renv.lock",
                                                   "buildscript-gradle.lockfile"};
  return is_one_of(file_name(path), known);
}

bool is_generated(std::string_view path) {
  if (is_lockfile(path)) return true;
  constexpr std::array<std::string_view, 7> folders{"vendor",       "node_modules", "third_party",
                                                    "dist",         "generated",    "__generated__",
                                                    "__snapshots__"};
  for (const auto step : steps_of(folder_of(path))) {
    if (is_one_of(step, folders)) return true;
  }
  const auto name = lower(file_name(path));
  for (const std::string_view end : {".min.js", ".min.css", ".map", ".snap", ".pb.go", "_pb2.py",
                                     ".pb.cc", ".pb.h", ".g.dart", ".designer.cs"}) {
    if (name.ends_with(end)) return true;
  }
  return false;
}

bool is_prose(std::string_view path) {
  constexpr std::array<std::string_view, 7> known{"md",       "rst", "txt", "adoc",
                                                  "markdown", "tex", "org"};
  return is_one_of(lower(extension_of(path)), known);
}

}  // namespace vigil::entities::codebase
