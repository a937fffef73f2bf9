#include "entities/feeds/xml_words.hpp"

#include <array>
#include <sstream>
#include <utility>
#include <vector>

#include "entities/feeds/feed.hpp"
#include "entities/feeds/html_text.hpp"

namespace vigil::entities::feeds {
namespace {

constexpr int depth_max = 64;  // of what is walked upwards

// The usual prefix of a namespace; empty: that of a feed's own format.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> spaces{{
    {"http://purl.org/dc/elements/1.1/", "dc"},
    {"http://purl.org/dc/terms/", "dcterms"},
    {"http://purl.org/rss/1.0/modules/content/", "content"},
    {"http://www.itunes.com/dtds/podcast-1.0.dtd", "itunes"},
    {"http://search.yahoo.com/mrss/", "media"},
    {"http://www.w3.org/2005/Atom", "atom"},
    {"http://purl.org/atom/ns#", "atom"},
    {"http://www.w3.org/1999/02/22-rdf-syntax-ns#", "rdf"},
    {"http://purl.org/rss/1.0/", ""},
    {"http://my.netscape.com/rdf/simple/0.9/", ""},
    {"http://channel.netscape.com/rdf/simple/0.9/", ""},
    {"http://backend.userland.com/rss2", ""},
}};

std::string usual_prefix(const pugi::xml_node& node, std::string_view prefix) {
  const auto declaration = "xmlns:" + std::string(prefix);
  int depth = 0;
  for (auto at = node; at && depth < depth_max; at = at.parent(), ++depth) {
    const auto found = at.attribute(declaration.c_str());
    if (!found) continue;
    for (const auto& [uri, usual] : spaces) {
      if (uri == found.value()) return std::string(usual);
    }
    break;
  }
  return std::string(prefix);  // many leave the declaration out
}

std::string trimmed(std::string text) {
  constexpr std::string_view blank = " \t\r\n";
  const auto first = text.find_first_not_of(blank);
  if (first == std::string::npos) return {};
  text.erase(text.find_last_not_of(blank) + 1);
  text.erase(0, first);
  return cut_text(text, text_bytes_max);
}

std::string source_of(const pugi::xml_node& node) {
  std::ostringstream out;
  node.print(out, "", pugi::format_raw | pugi::format_no_declaration, pugi::encoding_utf8);
  return out.str();
}

}  // namespace

std::string word_of(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  const auto colon = name.find(':');
  if (colon == std::string_view::npos) return std::string(name);
  const auto prefix = usual_prefix(node, name.substr(0, colon));
  const auto local = std::string(name.substr(colon + 1));
  return prefix.empty() ? local : prefix + ":" + local;
}

std::string attribute(const pugi::xml_node& node, const char* name) {
  return trimmed(node.attribute(name).value());
}

std::string text_of(const pugi::xml_node& node) {
  std::string out;
  for (const auto& child : node.children()) {
    const auto type = child.type();
    if (type == pugi::node_pcdata || type == pugi::node_cdata) out += child.value();
    if (type == pugi::node_element) out += source_of(child);
  }
  return trimmed(std::move(out));
}

std::string markup_of(const pugi::xml_node& node) {
  std::string out;
  for (const auto& child : node.children()) out += source_of(child);
  return trimmed(std::move(out));
}

std::string base_of(const pugi::xml_node& node, std::string_view document) {
  std::vector<std::string> bases;
  int depth = 0;
  for (auto at = node; at && depth < depth_max; at = at.parent(), ++depth) {
    if (const auto base = at.attribute("xml:base")) bases.emplace_back(base.value());
  }
  std::string out(document);
  for (auto at = bases.rbegin(); at != bases.rend(); ++at) {
    out = out.empty() ? *at : resolve(out, *at);
  }
  return out;
}

}  // namespace vigil::entities::feeds
