#include "storage/columns.hpp"

#include <fmt/format.h>

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <stdexcept>

#include "storage/compress.hpp"

namespace vigil::storage {

json::value json_of(std::string_view column) {
  if (column.empty()) return nullptr;
  json::parse_options deep;
  deep.max_depth = 4 * json_depth_max;  // what was put in by wrapping something at the limit
  boost::system::error_code error;
  auto value = json::parse(column, error, {}, deep);
  if (error) {
    throw std::runtime_error(fmt::format("a stored value is damaged: {}", error.message()));
  }
  return value;
}

json::object object_of(std::string_view column) {
  auto value = json_of(column);
  if (value.is_null()) return {};
  if (!value.is_object()) throw std::runtime_error("a stored value is damaged: no object");
  return std::move(value.as_object());
}

std::string column_of(const json::value& value) {
  return value.is_null() ? std::string() : json::serialize(value);
}

std::string packed_column_of(const json::value& value) {
  return value.is_null() ? std::string() : pack(json::serialize(value));
}

json::value packed_json_of(std::string_view column) { return json_of(unpack(column)); }

std::string column_of(const std::vector<EventId>& events) {
  std::string out = "[";
  for (const auto event : events) {
    if (out.size() > 1) out += ',';
    out += std::to_string(event.value);
  }
  return out + ']';
}

std::vector<EventId> events_of(std::string_view column) {
  std::vector<EventId> out;
  const char* at = column.data();
  const char* end = at + column.size();
  while (at < end) {
    ++at;  // over [ or ,
    std::int64_t value = 0;
    const auto [rest, error] = std::from_chars(at, end, value);
    if (error != std::errc()) break;
    out.push_back(EventId{value});
    at = rest;
  }
  return out;
}

}  // namespace vigil::storage
