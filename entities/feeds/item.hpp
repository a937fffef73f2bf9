#pragma once
// What sources of documents tell: one item for each entry, row or line, ready to become an event.
// Values; any thread.
#include <optional>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "core/time.hpp"
#include "entities/feeds/feed.hpp"

namespace vigil::entities::feeds {

struct Item {
  std::string id;      // among those of its source: where it was seen before, it is the same one
  std::string digest;  // of what it says: another one, and it says something else
  std::string type;    // feed.item, market.bar...; empty: as the source says
  std::string subject;
  std::optional<TimePoint> time;
  json::value data;
};

struct Items {
  std::vector<Item> all;    // in the order of the document
  std::size_t skipped = 0;  // rows that could not be read
  std::string problem;      // of the first of them
  std::string damage;       // of the document
};

constexpr std::size_t id_bytes_max = 400;
constexpr std::size_t subject_bytes_max = 200;

std::string digest_of(std::string_view text);
// The id as it is, or a digest where it is too long.
std::string short_id(const std::string& id);

// One item of type feed.item for each entry. Entries that name no id are known by their link and
// title.
Items items_of(const Feed& feed);

json::value to_json(const Items& items);

}  // namespace vigil::entities::feeds
