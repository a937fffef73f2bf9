#pragma once
// The forms of feeds. Private to this folder; read_feed() chooses.
#include <pugixml.hpp>

#include "entities/feeds/feed.hpp"

namespace vigil::entities::feeds {

Feed read_rss(const pugi::xml_node& root, const ReadOptions& options);   // and RDF
Feed read_atom(const pugi::xml_node& root, const ReadOptions& options);  // 0.3 and 1.0
Result<Feed> read_json_feed(std::string_view text, const ReadOptions& options);

}  // namespace vigil::entities::feeds
