// package-lock.json and npm-shrinkwrap.json, versions 1 to 3.
#include <fmt/format.h>

#include <array>

#include "entities/deps/lockfile_parts.hpp"

namespace vigil::entities::deps {
namespace {

Purpose purpose_of(const json::object& package) {
  // What is both may be missing at any time, so it counts as for development.
  if (flag_in(package, "dev") || flag_in(package, "devOptional")) return Purpose::dev;
  return flag_in(package, "optional") ? Purpose::optional : Purpose::normal;
}

// node_modules/a/node_modules/@b/c is @b/c; a folder of the project's own has its folder's name.
std::string_view name_of(std::string_view path) {
  constexpr std::string_view folder = "node_modules/";
  const auto at = path.rfind(folder);
  if (at != std::string_view::npos) return path.substr(at + folder.size());
  const auto last = path.rfind('/');
  if (last == std::string_view::npos) return path;
  const auto before = path.rfind('/', last - 1);
  const auto scope = before == std::string_view::npos ? 0 : before + 1;
  return path.substr(path[scope] == '@' ? scope : last + 1);
}

// "npm:@babel/code-frame@7.0.0": the real name and version behind an alias.
struct Named {
  std::string_view name;
  std::string_view version;
};

Named behind_alias(std::string_view name, std::string_view version) {
  constexpr std::string_view alias = "npm:";
  if (!version.starts_with(alias)) return {name, version};
  version.remove_prefix(alias.size());
  const auto at = version.rfind('@');
  if (at == std::string_view::npos || at == 0) return {name, version};
  return {version.substr(0, at), version.substr(at + 1)};
}

// Versions of what came from a folder, a repository or an address say nothing about releases.
std::string_view released(std::string_view version) {
  return version.find_first_of(":/#") == std::string_view::npos ? version : std::string_view();
}

constexpr std::array requirement_keys{"dependencies", "optionalDependencies", "peerDependencies",
                                      "devDependencies"};
constexpr std::size_t asked_max = 500'000;
constexpr int steps_up_max = 64;

void add_asked(Named named, std::string_view range, std::string_view by, Lockfile& file) {
  if (file.asked.size() >= asked_max || named.version.empty()) return;
  file.asked.push_back({std::string(named.name), std::string(named.version),
                        std::string(behind_alias("", range).version), std::string(by)});
}

// As node looks for it: beside the package, then in each folder above it.
Named resolve(const json::object& all, std::string_view from, std::string_view name) {
  for (int step = 0; step < steps_up_max; ++step) {
    const auto path = fmt::format("{}{}node_modules/{}", from, from.empty() ? "" : "/", name);
    if (const auto* package = object_in(all, path)) {
      const auto given = text_in(*package, "name");
      return {given.empty() ? name : given, released(text_in(*package, "version"))};
    }
    if (from.empty()) break;
    const auto slash = from.rfind('/');
    from = slash == std::string_view::npos ? std::string_view() : from.substr(0, slash);
  }
  return {};
}

void read_asked(const json::object& all, std::string_view path, const json::object& package,
                Lockfile& file) {
  // What an installed package needs for its own development is not installed.
  const bool installed = path.find("node_modules/") != std::string_view::npos;
  const auto given = text_in(package, "name");
  const auto by = path.empty() ? std::string("the project")
                               : fmt::format("{} {}", given.empty() ? name_of(path) : given,
                                             text_in(package, "version"));
  for (const std::string_view key : requirement_keys) {
    if (installed && key == "devDependencies") continue;
    const auto* asked = object_in(package, key);
    if (asked == nullptr) continue;
    for (const auto& [name, range] : *asked) {
      if (range.is_string()) add_asked(resolve(all, path, name), range.get_string(), by, file);
    }
  }
}

Result<void> read_packages(const json::object& all, Lines& lines, Packages& packages) {
  for (const auto& [path, value] : all) {
    const int line = lines.of_key(path, '{');
    const auto* package = value.if_object();
    if (package == nullptr) {
      return refuse(line, fmt::format("packages.\"{}\": no object", std::string_view(path)));
    }
    if (flag_in(*package, "link")) continue;
    read_asked(all, path, *package, packages.file());
    if (path.empty()) continue;  // the project itself
    const auto given = text_in(*package, "name");
    packages.add(given.empty() ? name_of(path) : given, released(text_in(*package, "version")),
                 purpose_of(*package), line);
  }
  return {};
}

// The folders above a package of an old file, the nearest last.
using Above = std::vector<const json::object*>;

void read_old_asked(const Above& above, std::string_view by, const json::object& package,
                    Lockfile& file) {
  const auto* asked = object_in(package, "requires");
  if (asked == nullptr) return;
  for (const auto& [name, range] : *asked) {
    for (auto folder = above.rbegin(); folder != above.rend(); ++folder) {
      const auto* found = object_in(**folder, name);
      if (found == nullptr) continue;
      const auto named = behind_alias(name, text_in(*found, "version"));
      if (range.is_string()) {
        add_asked({named.name, released(named.version)}, range.get_string(), by, file);
      }
      break;
    }
  }
}

// The nesting is bounded by the reader of JSON.
Result<void> read_tree(const json::object& all, Above& above, Lines& lines, Packages& packages) {
  above.push_back(&all);
  for (const auto& [key, value] : all) {
    const int line = lines.of_key(key, '{');
    const auto* package = value.if_object();
    if (package == nullptr) {
      return refuse(line, fmt::format("dependencies.\"{}\": no object", std::string_view(key)));
    }
    const auto named = behind_alias(key, text_in(*package, "version"));
    packages.add(named.name, released(named.version), purpose_of(*package), line);
    const auto by = fmt::format("{} {}", named.name, named.version);
    const auto* inner = object_in(*package, "dependencies");
    if (inner != nullptr) {
      if (auto read = read_tree(*inner, above, lines, packages); !read) return read;
      above.push_back(inner);
    }
    read_old_asked(above, by, *package, packages.file());
    if (inner != nullptr) above.pop_back();
  }
  above.pop_back();
  return {};
}

}  // namespace

Result<Lockfile> read_npm(std::string_view text) {
  const auto root = read_json_object(text, "a package-lock.json");
  if (!root) return std::unexpected(root.error());
  if (!root->contains("lockfileVersion")) {
    return refuse(1, "not a package-lock.json: it has no lockfileVersion");
  }
  Packages packages("npm");
  Lines lines(text);
  Result<void> read;
  if (const auto* all = object_in(*root, "packages")) {
    read = read_packages(*all, lines, packages);
  } else if (const auto* tree = object_in(*root, "dependencies")) {
    Above above;
    read = read_tree(*tree, above, lines, packages);
  }
  if (!read) return std::unexpected(read.error());
  return packages.take();
}

}  // namespace vigil::entities::deps
