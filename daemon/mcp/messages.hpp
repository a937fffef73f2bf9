#pragma once
// What is said to a server of tools and what it says: JSON-RPC 2.0 in the form of the Model Context
// Protocol (https://modelcontextprotocol.io/specification/2025-06-18). Pure; any thread.
#include <boost/json/object.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/json.hpp"
#include "daemon/models/talk.hpp"

namespace vigil::mcp {

constexpr std::string_view newest_protocol = "2025-06-18";
bool is_known_protocol(std::string_view version);

std::string request_text(std::int64_t id, std::string_view method, const json::object& parameters);
std::string notice_text(std::string_view method, const json::object& parameters);
json::object introduction();  // the parameters of "initialize"

// What one line, body or event held, in whole: the answer to `id`, or what has to be answered
// because the server asks something itself (it may ask whether we live, and nothing else).
struct Heard {
  std::optional<Result<json::object>> answer;
  std::vector<std::string> to_send;
};
Result<Heard> hear(std::string_view text, std::int64_t id);

// One page of "tools/list". What a server says of its tools is cut where it is too long; a tool
// that a model could not be told of is left out.
struct Page {
  std::vector<models::ToolSpec> tools;  // by the server's own names
  std::string next;                     // cursor; empty: that was the last
};
Result<Page> page_of(const json::object& result);

// The text of what "tools/call" gave. A tool that says it failed is an error with that text.
Result<std::string> text_of(const json::object& result, std::size_t bytes_max);

}  // namespace vigil::mcp
