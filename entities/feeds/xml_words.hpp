#pragma once
// How elements of feeds are called and what they hold, over pugixml. Private to this folder.
#include <pugixml.hpp>
#include <string>
#include <string_view>

namespace vigil::entities::feeds {

// "title" for what belongs to the feed's own format, else with the usual prefix of its namespace:
// "dc:creator", "atom:link", "itunes:summary", whatever prefix the document chose.
std::string word_of(const pugi::xml_node& node);
// The value of an attribute, by its name.
std::string attribute(const pugi::xml_node& node, const char* name);

// What the element holds: text decoded, CDATA as it is, markup as it stands; trimmed.
std::string text_of(const pugi::xml_node& node);
// What it holds as source: text stays escaped.
std::string markup_of(const pugi::xml_node& node);
// xml:base of the element and those around it, upon that of the document.
std::string base_of(const pugi::xml_node& node, std::string_view document);

}  // namespace vigil::entities::feeds
