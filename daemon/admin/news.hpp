#pragma once
// Which news a listener of the tail wants, and how an item looks on the wire. Pure.
#include <boost/json/object.hpp>
#include <string>
#include <vector>

#include "core/json.hpp"

namespace vigil::admin {

struct NewsFilter {
  std::vector<std::string> topics;  // empty: all
  std::string entity;               // empty: any; and so on
  std::string case_key;
  std::string source;
  std::string type;  // may hold `*` (any run of characters)
  std::int64_t swarm = 0;
};

bool matches(const NewsFilter& filter, const json::object& item);
bool matches_pattern(std::string_view pattern, std::string_view text);

// "event: TOPIC\ndata: {...}\n\n"
std::string sse_text(const json::object& item);

}  // namespace vigil::admin
