#pragma once
// What the analysers of feeds and tables gave, as events. Pure; any thread.
#include <string>
#include <vector>

#include "config/streams.hpp"
#include "core/json.hpp"
#include "storage/journal.hpp"

namespace vigil::ingress {

struct TakenItem {
  std::string id;
  std::string digest;
  storage::NewEvent event;  // its uid is the id
  json::value payload;
};
struct TakenItems {
  std::vector<TakenItem> all;
  std::string trouble;  // rows that were left out, a damaged document; empty: none
};

// `type`: of items that say none. Errors: the answer is none of an analyser of this version.
Result<TakenItems> take_items(const std::string& source, const std::string& type, Taint taint,
                              const json::value& answer, TimePoint now);
// The mapping as the analysers' input.
json::object table_input(const config::Mapping& table);

}  // namespace vigil::ingress
