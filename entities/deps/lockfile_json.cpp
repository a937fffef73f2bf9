// Lock files that are one JSON object: Composer, Pipenv, NuGet, Conan.
#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "entities/deps/lockfile_parts.hpp"

namespace vigil::entities::deps {
namespace {

Result<void> read_composer_list(const json::object& root, std::string_view key, Purpose purpose,
                                Lines& lines, Packages& packages) {
  const auto* list = root.if_contains(key);
  if (list == nullptr || list->is_null()) return {};
  if (!list->is_array()) return refuse(1, fmt::format("{}: expected a list", key));
  for (const auto& item : list->get_array()) {
    const auto* package = item.if_object();
    const auto name = package == nullptr ? std::string_view() : text_in(*package, "name");
    if (name.empty()) return refuse(1, fmt::format("{}: a package without a name", key));
    packages.add(name, text_in(*package, "version"), purpose,
                 lines.of_text(fmt::format("\"{}\"", name)));
  }
  return {};
}

Result<void> read_pipenv_group(const json::object& root, std::string_view key, Purpose purpose,
                               Lines& lines, Packages& packages) {
  const auto* group = object_in(root, key);
  if (group == nullptr) return {};
  for (const auto& [name, value] : *group) {
    const int line = lines.of_key(name, '{');
    const auto* package = value.if_object();
    if (package == nullptr)
      return refuse(line, fmt::format("{}.\"{}\": no object", key, std::string_view(name)));
    auto version = text_in(*package, "version");
    if (version.empty()) continue;  // from a repository or a folder
    while (version.starts_with('=')) version.remove_prefix(1);
    packages.add(normal_name("PyPI", name), trim(version), purpose, line);
  }
  return {};
}

// zlib/1.2.11@user/channel#revision%time:package is zlib 1.2.11; what has no name is left out.
void add_conan(std::string_view reference, Purpose purpose, Lines& lines, Packages& packages) {
  const int line = lines.of_text(fmt::format("\"{}\"", reference));
  const auto slash = reference.find('/');
  const auto mark = reference.find_first_of("@#:%");
  if (slash == std::string_view::npos || slash == 0 || mark < slash) return;
  packages.add(
      reference.substr(0, slash),
      reference.substr(slash + 1, mark == std::string_view::npos ? mark : mark - slash - 1),
      purpose, line);
}

void read_conan_list(const json::object& root, std::string_view key, Purpose purpose, Lines& lines,
                     Packages& packages) {
  const auto* list = root.if_contains(key);
  if (list == nullptr || !list->is_array()) return;
  for (const auto& item : list->get_array()) {
    if (item.is_string()) add_conan(item.get_string(), purpose, lines, packages);
  }
}

void read_conan_graph(const json::object& nodes, Lines& lines, Packages& packages) {
  for (const auto& [number, value] : nodes) {
    const auto* node = value.if_object();
    if (node == nullptr || node->contains("path")) continue;  // the project itself
    auto reference = text_in(*node, "ref");
    if (reference.empty()) reference = text_in(*node, "pref");
    const bool builds = text_in(*node, "context") == "build";
    add_conan(reference, builds ? Purpose::dev : Purpose::normal, lines, packages);
  }
}

}  // namespace

Result<Lockfile> read_composer(std::string_view text) {
  const auto root = read_json_object(text, "a composer.lock");
  if (!root) return std::unexpected(root.error());
  if (!root->contains("packages") && !root->contains("packages-dev")) {
    return refuse(1, "not a composer.lock: it has no packages");
  }
  Packages packages("Packagist");
  Lines lines(text);
  auto read = read_composer_list(*root, "packages", Purpose::normal, lines, packages);
  if (read) read = read_composer_list(*root, "packages-dev", Purpose::dev, lines, packages);
  if (!read) return std::unexpected(read.error());
  return packages.take();
}

Result<Lockfile> read_pipenv(std::string_view text) {
  const auto root = read_json_object(text, "a Pipfile.lock");
  if (!root) return std::unexpected(root.error());
  if (!root->contains("_meta")) return refuse(1, "not a Pipfile.lock: it has no _meta");
  Packages packages("PyPI");
  Lines lines(text);
  auto read = read_pipenv_group(*root, "default", Purpose::normal, lines, packages);
  if (read) read = read_pipenv_group(*root, "develop", Purpose::dev, lines, packages);
  if (!read) return std::unexpected(read.error());
  return packages.take();
}

Result<Lockfile> read_nuget(std::string_view text) {
  const auto root = read_json_object(text, "a packages.lock.json");
  if (!root) return std::unexpected(root.error());
  const auto* frameworks = object_in(*root, "dependencies");
  if (frameworks == nullptr) {
    return refuse(1, "not a packages.lock.json: it has no dependencies");
  }
  Packages packages("NuGet");
  Lines lines(text);
  for (const auto& [framework, value] : *frameworks) {
    const auto* all = value.if_object();
    if (all == nullptr) {
      return refuse(lines.of_text(fmt::format("\"{}\"", std::string_view(framework))),
                    "dependencies: a framework is no object");
    }
    for (const auto& [name, item] : *all) {
      const int line = lines.of_key(name, '{');
      const auto* package = item.if_object();
      if (package == nullptr) return refuse(line, "dependencies: a package is no object");
      if (text_in(*package, "type") == "Project") continue;
      packages.add(name, text_in(*package, "resolved"), Purpose::normal, line);
    }
  }
  return packages.take();
}

Result<Lockfile> read_conan(std::string_view text) {
  const auto root = read_json_object(text, "a conan.lock");
  if (!root) return std::unexpected(root.error());
  if (!root->contains("version")) return refuse(1, "not a conan.lock: it has no version");
  Packages packages("ConanCenter");
  Lines lines(text);
  if (const auto* graph = object_in(*root, "graph_lock")) {
    if (const auto* nodes = object_in(*graph, "nodes")) read_conan_graph(*nodes, lines, packages);
  } else {
    read_conan_list(*root, "requires", Purpose::normal, lines, packages);
    read_conan_list(*root, "build_requires", Purpose::dev, lines, packages);
    read_conan_list(*root, "python_requires", Purpose::dev, lines, packages);
  }
  return packages.take();
}

Result<Lockfile> read_renv(std::string_view text) {
  const auto root = read_json_object(text, "a renv.lock");
  if (!root) return std::unexpected(root.error());
  Packages packages("CRAN");
  Lines lines(text);
  const auto* all = object_in(*root, "Packages");
  if (all == nullptr) return refuse(1, "not a renv.lock: it has no Packages");
  for (const auto& [name, value] : *all) {
    const int line = lines.of_key(name, '{');
    const auto* package = value.if_object();
    if (package == nullptr) return refuse(line, "Packages: a package is no object");
    const auto source = text_in(*package, "Source");
    const bool released = source.empty() || source == "Repository" || source == "CRAN";
    packages.add(name, released ? text_in(*package, "Version") : "", Purpose::normal, line);
  }
  return packages.take();
}

}  // namespace vigil::entities::deps
