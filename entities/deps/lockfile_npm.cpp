// package-lock.json and npm-shrinkwrap.json, versions 1 to 3.
#include <fmt/format.h>

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

Result<void> read_packages(const json::object& all, Lines& lines, Packages& packages) {
  for (const auto& [path, value] : all) {
    if (path.empty()) continue;  // the project itself
    const int line = lines.of_key(path, '{');
    const auto* package = value.if_object();
    if (package == nullptr)
      return refuse(line, fmt::format("packages.\"{}\": no object", std::string_view(path)));
    if (flag_in(*package, "link")) continue;
    const auto given = text_in(*package, "name");
    packages.add(given.empty() ? name_of(path) : given, released(text_in(*package, "version")),
                 purpose_of(*package), line);
  }
  return {};
}

// The nesting is bounded by the reader of JSON.
Result<void> read_tree(const json::object& all, Lines& lines, Packages& packages) {
  for (const auto& [key, value] : all) {
    const int line = lines.of_key(key, '{');
    const auto* package = value.if_object();
    if (package == nullptr)
      return refuse(line, fmt::format("dependencies.\"{}\": no object", std::string_view(key)));
    const auto named = behind_alias(key, text_in(*package, "version"));
    packages.add(named.name, released(named.version), purpose_of(*package), line);
    if (const auto* inner = object_in(*package, "dependencies")) {
      if (auto read = read_tree(*inner, lines, packages); !read) return read;
    }
  }
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
    read = read_tree(*tree, lines, packages);
  }
  if (!read) return std::unexpected(read.error());
  return packages.take();
}

}  // namespace vigil::entities::deps
