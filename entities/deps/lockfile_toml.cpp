// Everything here that is TOML. The lock files of Cargo, Poetry, uv and PDM are each a list of
// tables called `package`.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <sstream>

#include "entities/deps/lockfile_parts.hpp"
#include "entities/deps/toml_values.hpp"

namespace vigil::entities::deps {
namespace {

int line_of(const toml::node& node) { return static_cast<int>(node.source().begin.line); }

Result<toml::table> parse(std::string_view text) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    return refuse(static_cast<int>(error.source().begin.line),
                  fmt::format("not TOML: {}", error.description()));
  }
}

std::string_view text_of(const toml::table& table, std::string_view key) {
  const auto* text = table.get_as<std::string>(key);
  return text == nullptr ? std::string_view() : std::string_view(text->get());
}

bool says(const toml::table& table, std::string_view key) {
  const auto* flag = table.get_as<bool>(key);
  return flag != nullptr && flag->get();
}

using PurposeOf = Purpose (*)(const toml::table& package);
using IsOwn = bool (*)(const toml::table& package);  // the project itself or a part of it

Result<Lockfile> read(std::string_view text, std::string_view ecosystem, PurposeOf purpose_of,
                      IsOwn is_own) {
  const auto root = parse(text);
  if (!root) return std::unexpected(root.error());
  Packages packages(ecosystem);
  const auto* node = root->get("package");
  if (node == nullptr) {
    // A project without dependencies has a lock file of metadata alone.
    const bool is_one = root->empty() || root->contains("version") || root->contains("metadata");
    if (is_one) return packages.take();
    return refuse(1, "not a lock file: it has neither package nor version nor metadata");
  }
  const auto* list = node->as_array();
  if (list == nullptr) return refuse(line_of(*node), "package: expected a list of tables");
  for (const auto& item : *list) {
    const auto* package = item.as_table();
    const auto name = package == nullptr ? std::string_view() : text_of(*package, "name");
    if (name.empty()) return refuse(line_of(item), "a package without a name");
    if (is_own(*package)) continue;
    packages.add(normal_name(ecosystem, name), text_of(*package, "version"), purpose_of(*package),
                 line_of(item));
  }
  return packages.take();
}

bool never(const toml::table& package) {
  (void)package;  // every package listed is a dependency
  return false;
}

bool only_groups_of_work(const toml::array& groups) {
  if (groups.empty()) return false;
  for (const auto& group : groups) {
    const auto name = group.value<std::string_view>().value_or("");
    if (name == "main" || name == "default") return false;
  }
  return true;
}

Purpose purpose_in_poetry(const toml::table& package) {
  if (text_of(package, "category") == "dev") return Purpose::dev;
  const auto* groups = package.get_as<toml::array>("groups");
  if (groups != nullptr && only_groups_of_work(*groups)) return Purpose::dev;
  return says(package, "optional") ? Purpose::optional : Purpose::normal;
}

Purpose always_normal(const toml::table& package) {
  (void)package;  // the file does not say what a package is for
  return Purpose::normal;
}

bool is_own_of_uv(const toml::table& package) {
  const auto* source = package.get_as<toml::table>("source");
  return source != nullptr && (source->contains("virtual") || source->contains("editable"));
}

}  // namespace

Result<Lockfile> read_cargo(std::string_view text) {
  return read(text, "crates.io", always_normal, never);
}

Result<Lockfile> read_poetry(std::string_view text) {
  return read(text, "PyPI", purpose_in_poetry, never);
}

Result<Lockfile> read_pdm(std::string_view text) {
  return read(text, "PyPI", purpose_in_poetry, never);
}

Result<Lockfile> read_uv(std::string_view text) {
  return read(text, "PyPI", always_normal, is_own_of_uv);
}

std::string TomlValues::text(std::string_view name) const {
  const auto found = all.find(name);
  return found == all.end() || found->second.empty() ? std::string() : found->second.front();
}

std::vector<std::string> TomlValues::texts(std::string_view name) const {
  const auto found = all.find(name);
  return found == all.end() ? std::vector<std::string>() : found->second;
}

Result<TomlValues> read_toml_values(std::string_view text) {
  const auto root = parse(text);
  if (!root) return std::unexpected(root.error());
  TomlValues values;
  for (const auto& [table_name, node] : *root) {
    const auto* table = node.as_table();
    if (table == nullptr) continue;
    for (const auto& [key, value] : *table) {
      auto& texts = values.all[fmt::format("{}.{}", table_name.str(), key.str())];
      const auto add = [&](const toml::node& one) {
        if (const auto* string = one.as_string()) texts.push_back(string->get());
        if (const auto* date = one.as_date()) {
          std::ostringstream written;
          written << date->get();
          texts.push_back(written.str());
        }
      };
      if (const auto* list = value.as_array()) {
        for (const auto& one : *list) add(one);
      } else {
        add(value);
      }
    }
  }
  return values;
}

}  // namespace vigil::entities::deps
