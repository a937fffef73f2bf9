#pragma once
// JSON as the program sees it: Boost.JSON values, parsed within limits, reached by dotted path.
#include <boost/json/fwd.hpp>
#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace vigil {

namespace json = boost::json;

// Strict RFC 8259: valid UTF-8, one value, at most `depth_max` nested containers.
constexpr std::size_t json_depth_max = 64;
Result<json::value> parse_json(std::string_view text, std::size_t depth_max = json_depth_max);
// The same into few large blocks of memory: quick to make and to free. For what is only read
// afterwards, such as an event's payload; the blocks live as long as any part of it.
Result<json::value> parse_payload(std::string_view text);

std::string to_text(const json::value& value);         // compact
std::string to_pretty_text(const json::value& value);  // indented, for people

// The value at "pull_request.labels.0.name"; nullptr if any step is missing. An empty path is the
// value itself. Valid as long as `root` is.
const json::value* find_path(const json::value& root, std::string_view path);

// What stands at the path, if it has that type. Numbers are given as text by find_scalar_text.
std::optional<std::string_view> find_text(const json::value& root, std::string_view path);
std::optional<std::int64_t> find_integer(const json::value& root, std::string_view path);
std::optional<bool> find_bool(const json::value& root, std::string_view path);
std::optional<std::string> find_scalar_text(const json::value& root, std::string_view path);

bool is_valid_utf8(std::string_view text);
// The text with every malformed byte replaced by U+FFFD.
std::string to_valid_utf8(std::string_view text);

}  // namespace vigil
