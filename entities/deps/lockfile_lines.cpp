// Lock files that are plain lines: go.mod, Gemfile.lock, gradle.lockfile.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "entities/deps/lockfile_parts.hpp"

namespace vigil::entities::deps {
namespace {

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  while (true) {
    const auto from = line.find_first_not_of(" \t");
    if (from == std::string_view::npos) return words;
    const auto end = line.find_first_of(" \t", from);
    words.push_back(unquote(line.substr(from, end - from)));
    if (end == std::string_view::npos) return words;
    line.remove_prefix(end);
  }
}

struct Module {
  std::string_view name;
  std::string_view version;  // as go.mod writes it, with its v
  int line = 0;
};

struct Replacement {
  Module old;  // no version: every version of it
  Module by;
};

struct GoMod {
  std::vector<Module> required;
  std::vector<Replacement> replaced;
  Module go;
  Module toolchain;
};

bool is_folder(std::string_view name) { return name.starts_with('.') || name.starts_with('/'); }

Result<void> read_go_line(std::string_view verb, const std::vector<std::string_view>& words,
                          int line, GoMod& mod) {
  if (verb == "require") {
    if (words.size() != 2) return refuse(line, "require: expected a module and its version");
    mod.required.push_back({words[0], words[1], line});
  } else if (verb == "replace") {
    const auto arrow = std::ranges::find(words, "=>") - words.begin();
    const auto after = static_cast<std::ptrdiff_t>(words.size()) - arrow - 1;
    if (arrow < 1 || arrow > 2 || after < 1 || after > 2) {
      return refuse(line, "replace: expected MODULE [VERSION] => MODULE|FOLDER [VERSION]");
    }
    mod.replaced.push_back({{words[0], arrow == 2 ? words[1] : "", line},
                            {words[arrow + 1], after == 2 ? words[arrow + 2] : "", line}});
  } else if (verb == "go" && words.size() == 1) {
    mod.go = {"stdlib", words[0], line};
  } else if (verb == "toolchain" && words.size() == 1 && words[0].starts_with("go")) {
    mod.toolchain = {"stdlib", words[0].substr(2), line};
  }
  return {};
}

constexpr std::string_view gradle_line = "expected GROUP:NAME:VERSION=CONFIGURATIONS";

// Whether each of the configurations is one of tests.
bool tests_alone(std::string_view configurations) {
  if (configurations.empty()) return false;
  while (!configurations.empty()) {
    const auto comma = configurations.find(',');
    if (!configurations.substr(0, comma).starts_with("test")) return false;
    configurations =
        comma == std::string_view::npos ? std::string_view() : configurations.substr(comma + 1);
  }
  return true;
}

Result<GoMod> parse_go_mod(std::string_view text) {
  constexpr std::array verbs{"module",  "go",      "toolchain", "godebug", "require",
                             "exclude", "replace", "retract",   "tool",    "ignore"};
  GoMod mod;
  LineReader lines(text);
  std::string_view line;
  std::string_view block;
  while (lines.next(line)) {
    auto words = words_of(line.substr(0, line.find("//")));
    if (words.empty()) continue;
    if (block.empty()) {
      const auto verb = words.front();
      if (std::ranges::find(verbs, verb) == verbs.end()) {
        return refuse(lines.number(), fmt::format("not a go.mod: {} is none of its words", verb));
      }
      if (words.back() == "(") {
        block = verb;
        continue;
      }
      words.erase(words.begin());
      if (auto read = read_go_line(verb, words, lines.number(), mod); !read) {
        return std::unexpected(read.error());
      }
    } else if (words.front() == ")") {
      block = {};
    } else if (auto read = read_go_line(block, words, lines.number(), mod); !read) {
      return std::unexpected(read.error());
    }
  }
  if (!block.empty()) return refuse(lines.number(), fmt::format("{} ( has no end", block));
  return mod;
}

}  // namespace

Result<Lockfile> read_go_mod(std::string_view text) {
  auto mod = parse_go_mod(text);
  if (!mod) return std::unexpected(mod.error());
  std::map<std::pair<std::string_view, std::string_view>, Module> replaced;
  for (const auto& [old, by] : mod->replaced) replaced[{old.name, old.version}] = by;
  Packages packages("Go");
  const auto plain = [](std::string_view version) {
    return version.starts_with('v') ? version.substr(1) : version;
  };
  for (auto module : mod->required) {
    auto found = replaced.find({module.name, module.version});
    if (found == replaced.end()) found = replaced.find({module.name, ""});
    if (found != replaced.end()) module = found->second;
    const auto version = is_folder(module.name) ? std::string_view() : plain(module.version);
    packages.add(module.name, version, Purpose::normal, module.line);
  }
  // The library of the language has advisories of its own, under this name.
  const auto& language = mod->toolchain.line != 0 ? mod->toolchain : mod->go;
  if (language.line != 0) {
    packages.add(language.name, language.version, Purpose::normal, language.line);
  }
  return packages.take();
}

// Sections in capitals, and under `specs:` one gem for each line that is indented by four.
Result<Lockfile> read_bundler(std::string_view text) {
  Packages packages("RubyGems");
  LineReader lines(text);
  std::string_view line;
  std::string_view section;
  while (lines.next(line)) {
    if (line.empty()) continue;
    const auto indent = indent_of(line);
    if (line.starts_with("<<<<<<<") || line.starts_with(">>>>>>>")) {
      return refuse(lines.number(), "a merge was left unfinished here");
    }
    if (indent == 0) {
      const auto is_capital = [](char c) { return (c >= 'A' && c <= 'Z') || c == ' '; };
      if (!std::ranges::all_of(line, is_capital)) {
        return refuse(lines.number(), "not a Gemfile.lock: expected a section in capitals");
      }
      section = line;
      continue;
    }
    const bool lists =
        section == "GEM" || section == "GIT" || section == "PATH" || section == "PLUGIN SOURCE";
    if (!lists || indent != 4) continue;
    const auto opens = line.find(" (");
    if (opens == std::string_view::npos || !line.ends_with(')')) {
      return refuse(lines.number(), "expected NAME (VERSION)");
    }
    // Behind a dash is the platform that it was built for: 1.13.3-x86_64-linux.
    const auto version = line.substr(opens + 2, line.size() - opens - 3);
    packages.add(line.substr(4, opens - 4), version.substr(0, version.find('-')), Purpose::normal,
                 lines.number());
  }
  return packages.take();
}

// group:artifact:version=configuration,configuration
Result<Lockfile> read_gradle(std::string_view text) {
  Packages packages("Maven");
  LineReader lines(text);
  std::string_view line;
  int first_bad = 0;
  while (lines.next(line)) {
    if (line.empty() || line.starts_with('#') || line.starts_with("empty=")) continue;
    const auto equals = line.find('=');
    const auto name_end = line.find(':') == std::string_view::npos
                              ? std::string_view::npos
                              : line.find(':', line.find(':') + 1);
    if (equals == std::string_view::npos || name_end >= equals || line.starts_with(':')) {
      if (first_bad == 0) first_bad = lines.number();
      auto& bad = packages.file().bad_lines;
      if (bad.size() < bad_lines_max) bad.push_back({std::string(gradle_line), lines.number()});
      continue;
    }
    packages.add(line.substr(0, name_end), line.substr(name_end + 1, equals - name_end - 1),
                 tests_alone(line.substr(equals + 1)) ? Purpose::dev : Purpose::normal,
                 lines.number());
  }
  if (first_bad != 0 && packages.file().packages.empty()) return refuse(first_bad, gradle_line);
  return packages.take();
}

}  // namespace vigil::entities::deps
