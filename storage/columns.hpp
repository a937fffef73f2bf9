#pragma once
// How values look in columns: JSON as text, lists of events as JSON arrays, big JSON packed.
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/json.hpp"

namespace vigil::storage {

// Throw std::runtime_error when a column does not hold what was once put there.
json::value json_of(std::string_view column);  // empty: null
json::object object_of(std::string_view column);
std::string column_of(const json::value& value);  // null: empty
std::string packed_column_of(const json::value& value);
json::value packed_json_of(std::string_view column);

std::string column_of(const std::vector<EventId>& events);  // [1,2,3]
std::vector<EventId> events_of(std::string_view column);

// No stored text is at or past it: the end of the range of keys that begin with `prefix`.
inline std::string end_of(const std::string& prefix) { return prefix + '\xff'; }

}  // namespace vigil::storage
