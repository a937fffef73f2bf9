#include "entities/deps/rewrite_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "entities/deps/lockfile.hpp"
#include "entities/deps/rewrite_parts.hpp"

namespace vigil::entities::deps {
namespace {

std::string_view name_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string_view format_name(std::string_view path) {
  const auto* format = lock_format_of(path);
  return format == nullptr ? std::string_view() : format->name;
}

// Both come from files and advisories: nothing of them may end the place they are written to.
bool is_plain(std::string_view text) {
  return !text.empty() && text.size() <= 300 && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._-+@/:~!").find(c) != std::string_view::npos;
  });
}

struct Tool {
  std::string_view format;
  std::string_view manifests;  // parted by spaces
  std::string_view hint;       // {} is the package, then the version
};
constexpr std::array tools{
    Tool{"npm", "package.json", "npm install --package-lock-only {}@{}"},
    Tool{"yarn", "package.json", "yarn upgrade {}@{}"},
    Tool{"pnpm", "package.json", "pnpm update --lockfile-only {}@{}"},
    Tool{"cargo", "Cargo.toml", "cargo update -p {} --precise {}"},
    Tool{"poetry", "pyproject.toml", "poetry update --lock {}  (to {})"},
    Tool{"uv", "pyproject.toml", "uv lock --upgrade-package {}=={}"},
    Tool{"pdm", "pyproject.toml", "pdm update --no-sync {}  (to {})"},
    Tool{"pipenv", "Pipfile", "pipenv upgrade {}=={}"},
    Tool{"pip", "", "pip-compile --upgrade-package {}=={} --generate-hashes"},
    Tool{"go", "", "go get {}@v{} && go mod tidy"},
    Tool{"bundler", "Gemfile gems.rb", "bundle update --conservative {}  (to {})"},
    Tool{"composer", "composer.json", "composer update {}:{}"},
    Tool{"nuget", "", "dotnet add package {} --version {}"},
    Tool{"pub", "pubspec.yaml", "dart pub upgrade {}  (to {})"},
    Tool{"mix", "mix.exs", "mix deps.update {}  (to {})"},
};

const Tool* tool_of(std::string_view path) {
  const auto format = format_name(path);
  const auto found = std::ranges::find(tools, format, &Tool::format);
  return found == tools.end() ? nullptr : &*found;
}

bool holds_hash(std::string_view text, std::string_view mark) {
  return text.find(mark) != std::string_view::npos;
}

Raised raise_in_lock(std::string_view path, std::string_view format, std::string_view text,
                     const Raise& raise) {
  const auto lock = read_lockfile(path, text);
  if (!lock) return for_person(lock.error().message);
  const auto wanted = normal_name(raise.ecosystem, raise.name);
  const auto is_it = [&](const Locked& one) {
    return one.ecosystem == raise.ecosystem && one.version == raise.from &&
           normal_name(one.ecosystem, one.name) == wanted;
  };
  if (std::ranges::none_of(lock->packages, is_it)) return absent();
  if (format == "pip" && !holds_hash(text, "--hash")) return raise_in_requirements(text, raise);
  if (format == "go") return raise_in_go_mod(text, raise);
  if (format == "bundler" && !holds_hash(text, "\nCHECKSUMS")) {
    return raise_in_gemfile_lock(text, raise);
  }
  if (format == "gradle") return raise_in_gradle_lock(text, raise);
  if (format == "maven") return raise_in_pom(text, raise);
  return for_tool(fmt::format("{} holds hashes or a resolution that only its own tool can write",
                              name_of(path)));
}

}  // namespace

Raised raise_in(std::string_view path, std::string_view text, const Raise& raise) {
  if (!is_plain(raise.name) || !is_plain(raise.to) || !is_plain(raise.from)) {
    return for_person("the name or the version holds characters that belong in neither");
  }
  if (text.size() > lockfile_bytes_max) return for_person("the file is too large");
  const auto name = name_of(path);
  if (name == "package.json") return raise_in_json(text, Manner::npm, raise);
  if (name == "composer.json") return raise_in_json(text, Manner::composer, raise);
  if (name == "Cargo.toml") return raise_in_toml(text, Manner::cargo, raise);
  if (name == "pyproject.toml" || name == "Pipfile") {
    return raise_in_toml(text, Manner::python, raise);
  }
  if (name == "Gemfile" || name == "gems.rb") return raise_in_gemfile(text, raise);
  const auto format = format_name(path);
  if (!format.empty()) return raise_in_lock(path, format, text, raise);
  return for_person(fmt::format("{} is of no kind that is edited here", name));
}

bool is_dependency_file(std::string_view path) {
  const auto name = name_of(path);
  constexpr std::array others{"package.json",     "composer.json", "Cargo.toml", "pyproject.toml",
                              "Pipfile",          "Gemfile",       "gems.rb",    "go.sum",
                              "Package.resolved", "pubspec.yaml",  "mix.exs",    "build.gradle",
                              "build.gradle.kts", "bun.lock",      "go.work.sum"};
  return lock_format_of(path) != nullptr ||
         std::ranges::any_of(others, [&](std::string_view other) { return name == other; });
}

std::vector<std::string> manifests_beside(std::string_view lock_path) {
  std::vector<std::string> all;
  const auto* tool = tool_of(lock_path);
  if (tool == nullptr) return all;
  const auto folder = lock_path.substr(0, lock_path.size() - name_of(lock_path).size());
  auto rest = tool->manifests;
  while (!rest.empty()) {
    const auto space = rest.find(' ');
    all.push_back(fmt::format("{}{}", folder, rest.substr(0, space)));
    rest = space == std::string_view::npos ? std::string_view() : rest.substr(space + 1);
  }
  return all;
}

std::string tool_hint(std::string_view lock_path, const Raise& raise) {
  const auto* tool = tool_of(lock_path);
  if (tool == nullptr) {
    return fmt::format("raise {} to {} in {} with its own tool", raise.name, raise.to, lock_path);
  }
  return fmt::format(fmt::runtime(tool->hint), raise.name, raise.to);
}

// ---- what the rewriters share

Raised absent() { return {}; }
Raised fine() { return {RaiseFate::fine, {}, {}}; }
Raised edited(std::string text) { return {RaiseFate::edited, std::move(text), {}}; }
Raised for_tool(std::string why) { return {RaiseFate::needs_tool, {}, std::move(why)}; }
Raised for_person(std::string why) { return {RaiseFate::needs_person, {}, std::move(why)}; }

std::string spliced(std::string_view text, std::size_t at, std::size_t size, std::string_view by) {
  std::string out;
  out.reserve(text.size() + by.size());
  out.append(text.substr(0, at)).append(by).append(text.substr(at + size));
  return out;
}

std::string by_line(std::string_view text,
                    const std::function<std::string(std::string_view)>& edit) {
  std::string out;
  out.reserve(text.size() + 64);
  while (!text.empty()) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    const bool carriage = line.ends_with('\r');
    if (carriage) line.remove_suffix(1);
    out += edit(line);
    if (carriage) out += '\r';
    if (end == std::string_view::npos) break;
    out += '\n';
    text.remove_prefix(end + 1);
  }
  return out;
}

Raised raise_requirement(std::string_view text, std::size_t at, std::size_t size, Manner manner,
                         const Raise& raise) {
  const auto now = text.substr(at, size);
  const auto next = raised(manner, now, raise.to);
  if (!next) {
    return for_person(
        fmt::format("\"{}\" is asked of {}, which does not take {}", now, raise.name, raise.to));
  }
  return *next == now ? fine() : edited(spliced(text, at, size, *next));
}

}  // namespace vigil::entities::deps
