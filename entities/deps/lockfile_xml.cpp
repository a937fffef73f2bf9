// Maven's pom.xml and Gradle's verification-metadata.xml. pugixml expands no entities and reads no
// other files, so a document can do no more than be long.
#include <fmt/format.h>

#include <map>
#include <memory>
#include <pugixml.hpp>
#include <set>

#include "entities/deps/lockfile_parts.hpp"

namespace vigil::entities::deps {
namespace {

using Properties = std::map<std::string, std::string, std::less<>>;

Result<std::unique_ptr<pugi::xml_document>> parse(std::string_view text, std::string_view root) {
  auto document = std::make_unique<pugi::xml_document>();
  const auto result =
      document->load_buffer(text.data(), text.size(), pugi::parse_default, pugi::encoding_utf8);
  if (!result) {
    return refuse(line_at(text, static_cast<std::size_t>(result.offset)),
                  fmt::format("not XML: {}", result.description()));
  }
  if (std::string_view(document->document_element().name()) != root) {
    return refuse(1, fmt::format("expected <{}>", root));
  }
  return document;
}

// Nodes come in the order of the text, so lines are counted once.
class Places {
 public:
  explicit Places(std::string_view text) : text_(text) {}
  int of(const pugi::xml_node& node) {
    const auto at = static_cast<std::size_t>(std::max<std::ptrdiff_t>(node.offset_debug(), 0));
    if (at < at_) return line_at(text_, at);
    line_ += line_at(text_.substr(at_), at - at_) - 1;
    at_ = at;
    return line_;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
};

Properties properties_of(const pugi::xml_node& project) {
  Properties all;
  for (const auto& node : project.child("properties").children()) {
    all[node.name()] = std::string(trim(node.child_value()));
  }
  const auto parent = project.child("parent");
  for (const auto* key : {"groupId", "artifactId", "version"}) {
    auto value = std::string(trim(project.child_value(key)));
    if (value.empty()) value = trim(parent.child_value(key));
    if (value.empty()) continue;
    all[fmt::format("project.{}", key)] = value;
    all[fmt::format("pom.{}", key)] = value;
  }
  return all;
}

// ${name} by its property. Properties may name others, and themselves: how often is bounded.
void expand_into(std::string_view text, const Properties& properties, int& left, std::string& out) {
  constexpr std::size_t bytes_max = 4096;
  while (!text.empty() && out.size() < bytes_max) {
    const auto opens = text.find("${");
    const auto closes = opens == std::string_view::npos ? opens : text.find('}', opens);
    out += text.substr(0, std::min(closes == std::string_view::npos ? closes : opens, bytes_max));
    if (closes == std::string_view::npos) return;
    const auto found = properties.find(text.substr(opens + 2, closes - opens - 2));
    if (found == properties.end() || left == 0) {
      out += text.substr(opens, std::min(closes + 1 - opens, bytes_max));
    } else {
      --left;
      expand_into(found->second, properties, left, out);
    }
    text.remove_prefix(closes + 1);
  }
}

std::string expand(std::string_view text, const Properties& properties) {
  int left = 64;
  std::string out;
  expand_into(text, properties, left, out);
  return out;
}

// "[1.0,2.0)" is at least 1.0; what no property fills is not known.
std::string_view least_version(std::string_view version) {
  if (version.find("${") != std::string_view::npos) return {};
  if (version.starts_with('[') || version.starts_with('(')) {
    version = version.substr(1, version.find_first_of(",])", 1) - 1);
  }
  return trim(version);
}

// What is managed is only told for what no dependency names.
enum class Which { direct, managed };

void add_dependencies(const pugi::xml_node& list, Which which, const Properties& properties,
                      Places& places, Packages& packages, const Properties& managed,
                      std::set<std::string>& seen) {
  for (const auto& node : list.children("dependency")) {
    const auto value = [&](const char* key) {
      return expand(trim(node.child_value(key)), properties);
    };
    const auto name = value("groupId") + ":" + value("artifactId");
    if (name.size() < 3 || (which == Which::managed && !seen.insert(name).second)) continue;
    seen.insert(name);
    auto version = value("version");
    if (version.empty()) {
      const auto found = managed.find(name);
      if (found != managed.end()) version = found->second;
    }
    const auto scope = value("scope");
    const bool optional = value("optional") == "true";
    const auto purpose =
        scope == "test" ? Purpose::dev : (optional ? Purpose::optional : Purpose::normal);
    packages.add(name, least_version(version), purpose, places.of(node));
  }
}

}  // namespace

Result<Lockfile> read_maven(std::string_view text) {
  const auto document = parse(text, "project");
  if (!document) return std::unexpected(document.error());
  const auto project = (*document)->document_element();
  const auto properties = properties_of(project);
  const auto management = project.child("dependencyManagement").child("dependencies");
  Properties managed;
  for (const auto& node : management.children("dependency")) {
    const auto name = expand(trim(node.child_value("groupId")), properties) + ":" +
                      expand(trim(node.child_value("artifactId")), properties);
    managed[name] = expand(trim(node.child_value("version")), properties);
  }
  Packages packages("Maven");
  Places places(text);
  std::set<std::string> seen;
  add_dependencies(project.child("dependencies"), Which::direct, properties, places, packages,
                   managed, seen);
  add_dependencies(management, Which::managed, properties, places, packages, managed, seen);
  return packages.take();
}

Result<Lockfile> read_gradle_verification(std::string_view text) {
  const auto document = parse(text, "verification-metadata");
  if (!document) return std::unexpected(document.error());
  Packages packages("Maven");
  Places places(text);
  const auto root = (*document)->document_element();
  for (const auto& node : root.child("components").children("component")) {
    const std::string_view group = node.attribute("group").value();
    const std::string_view name = node.attribute("name").value();
    const int line = places.of(node);
    if (group.empty() || name.empty()) return refuse(line, "a component without group or name");
    packages.add(fmt::format("{}:{}", group, name), node.attribute("version").value(),
                 Purpose::normal, line);
  }
  return packages.take();
}

}  // namespace vigil::entities::deps
