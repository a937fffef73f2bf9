// Manifests that are trees: package.json, composer.json, Cargo.toml, pyproject.toml, pom.xml. They
// are read where their own rules say what is meant, and edited where the bytes stand.
#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <pugixml.hpp>

#include "core/json.hpp"
#include "entities/deps/lockfile.hpp"
#include "entities/deps/lockfile_parts.hpp"
#include "entities/deps/rewrite_parts.hpp"

namespace vigil::entities::deps {
namespace {

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

struct Place {
  std::size_t at = 0;
  std::size_t size = 0;
};

// The texts two levels deep whose section and name are asked for, in a document known to be JSON.
std::vector<Place> json_places(std::string_view text, std::string_view name) {
  constexpr std::array sections{"dependencies", "devDependencies", "optionalDependencies",
                                "require",      "require-dev",     "resolutions",
                                "overrides"};
  std::vector<Place> found;
  std::string_view section;
  std::string_view key;
  int depth = 0;
  bool is_value = false;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    if (c == ':') is_value = true;
    if (c == ',' || c == '{' || c == '[' || c == '}' || c == ']') is_value = false;
    if (c != '"') continue;
    const auto start = at + 1;
    for (++at; at < text.size() && text[at] != '"'; ++at) at += text[at] == '\\' ? 1 : 0;
    const auto word = text.substr(start, std::min(at, text.size()) - start);
    if (depth == 1 && !is_value) section = word;
    if (depth == 2 && !is_value) key = word;
    const bool in_section =
        std::ranges::any_of(sections, [&](std::string_view one) { return section == one; });
    if (depth == 2 && is_value && in_section && key == name) found.push_back({start, word.size()});
  }
  return found;
}

// One after the other, from the end, so that places stay where they are.
Raised raise_all(std::string_view text, std::vector<Place> places, Manner manner,
                 const Raise& raise) {
  if (places.empty()) return absent();
  std::ranges::sort(places, std::greater{}, &Place::at);
  Raised all = fine();
  std::string now(text);
  for (const auto& [at, size] : places) {
    auto one = raise_requirement(now, at, size, manner, raise);
    if (one.fate == RaiseFate::needs_person) return one;
    if (one.fate == RaiseFate::edited) now = std::move(one.text);
  }
  return now == text ? all : edited(std::move(now));
}

bool is_dependency_table(std::string_view header) {
  static const RE2 cargo(
      R"((?:workspace\.|target\..+\.)?(?:dev-|build-)?dependencies)"
      R"(|tool\.poetry(?:\.group\.[^.]+)?\.(?:dev-)?dependencies|(?:dev-)?packages)");
  return RE2::FullMatch(piece(header), cargo);
}

void places_in_line(std::string_view line, std::size_t start, std::string_view name, Manner manner,
                    std::vector<Place>& found) {
  static const RE2 entry(
      R"re(\s*["']?([A-Za-z0-9_.\-]+)["']?\s*=\s*(?:["']([^"']*)["']|\{(.*)\}).*)re");
  static const RE2 version(R"re((?:^|.*[\s,])version\s*=\s*["']([^"']*)["'].*)re");
  static const RE2 package(R"re((?:^|.*[\s,])package\s*=\s*["']([^"']*)["'].*)re");
  re2::StringPiece key;
  re2::StringPiece plain;
  re2::StringPiece table;
  if (!RE2::FullMatch(piece(line), entry, &key, &plain, &table)) return;
  std::string real = key.as_string();
  re2::StringPiece value = plain;
  if (table.data() != nullptr) {
    re2::StringPiece other;
    if (RE2::FullMatch(table, package, &other)) real = other.as_string();
    if (!RE2::FullMatch(table, version, &value)) return;
  }
  const auto* ecosystem = manner == Manner::cargo ? "crates.io" : "PyPI";
  if (normal_name(ecosystem, real) != normal_name(ecosystem, name) || value.empty()) return;
  found.push_back({start + static_cast<std::size_t>(value.data() - line.data()), value.size()});
}

// [project] dependencies = ["name==1.2"], each on any line: only exact pins are edited.
void pins_in_line(std::string_view line, std::size_t start, std::string_view name,
                  std::vector<Place>& found) {
  static const RE2 pin(R"re(["']([A-Za-z0-9_.\-]+)(?:\[[^\]]*\])?\s*(==\s*[^"',;\s]+)["';])re");
  re2::StringPiece rest = piece(line);
  re2::StringPiece who;
  re2::StringPiece what;
  while (RE2::FindAndConsume(&rest, pin, &who, &what)) {
    if (normal_name("PyPI", who.as_string()) != normal_name("PyPI", name)) continue;
    found.push_back({start + static_cast<std::size_t>(what.data() - line.data()), what.size()});
  }
}

}  // namespace

Raised raise_in_json(std::string_view text, Manner manner, const Raise& raise) {
  if (const auto parsed = parse_json(text); !parsed) return for_person(parsed.error().message);
  return raise_all(text, json_places(text, raise.name), manner, raise);
}

Raised raise_in_toml(std::string_view text, Manner manner, const Raise& raise) {
  std::vector<Place> found;
  std::string table;
  std::size_t start = 0;
  while (start < text.size()) {
    const auto end = std::min(text.find('\n', start), text.size());
    const auto line = text.substr(start, end - start);
    const auto plain = trim(line.substr(0, line.find(" #")));
    if (plain.starts_with('[') && plain.ends_with(']') &&
        plain.find('=') == std::string_view::npos && plain.find(',') == std::string_view::npos) {
      table = trim(plain.substr(1, plain.size() - 2));
    } else if (is_dependency_table(table)) {
      places_in_line(line, start, raise.name, manner, found);
    } else if (const auto dot = table.rfind('.');
               dot != std::string::npos && is_dependency_table(table.substr(0, dot)) &&
               unquote(std::string_view(table).substr(dot + 1)) == raise.name) {
      places_in_line(line, start, "version", manner, found);
    } else if (manner == Manner::python) {
      pins_in_line(line, start, raise.name, found);
    }
    start = end + 1;
  }
  return raise_all(text, std::move(found), manner, raise);
}

Raised raise_in_pom(std::string_view text, const Raise& raise) {
  pugi::xml_document document;
  if (!document.load_buffer(text.data(), text.size(), pugi::parse_default | pugi::parse_ws_pcdata,
                            pugi::encoding_utf8)) {
    return for_person("it is no XML");
  }
  std::vector<Place> places;
  bool odd = false;
  const auto properties = document.document_element().child("properties");
  // The place of a version's text; a property's own when the version names one.
  const auto add = [&](pugi::xml_node node) {
    auto value = trim(node.child_value());
    if (value.starts_with("${") && value.ends_with('}')) {
      node = properties.child(std::string(value.substr(2, value.size() - 3)).c_str());
      value = trim(node.child_value());
    }
    const auto at = node.first_child().offset_debug();
    const auto from =
        at < 0 ? std::string_view::npos : text.find(raise.from, static_cast<std::size_t>(at));
    if (value != raise.from || from == std::string_view::npos ||
        from > static_cast<std::size_t>(at) + 200) {
      odd |= value != raise.to;
      return;
    }
    places.push_back({from, raise.from.size()});
  };
  const auto wanted = [&](const pugi::xml_node& node) {
    return fmt::format("{}:{}", trim(node.child_value("groupId")),
                       trim(node.child_value("artifactId"))) == raise.name;
  };
  for (const auto* path : {"//dependency", "//parent", "//plugin", "//extension"}) {
    for (const auto& found : document.select_nodes(path)) {
      const auto node = found.node();
      if (wanted(node) && node.child("version")) add(node.child("version"));
    }
  }
  if (places.empty()) {
    return odd ? for_person("its version is made of more than one property or range") : absent();
  }
  std::ranges::sort(places, std::greater{}, &Place::at);
  const auto same = std::ranges::unique(places, {}, &Place::at);
  places.erase(same.begin(), same.end());
  std::string out(text);
  for (const auto& [at, size] : places) out = spliced(out, at, size, raise.to);
  return edited(std::move(out));
}

}  // namespace vigil::entities::deps
