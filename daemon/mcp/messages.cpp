#include "daemon/mcp/messages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>

#include "core/log.hpp"

namespace vigil::mcp {
namespace {

constexpr std::array<std::string_view, 3> protocols{newest_protocol, "2025-03-26", "2024-11-05"};
constexpr std::size_t description_bytes_max = 4 * 1024;
constexpr std::size_t parameters_bytes_max = 32 * 1024;
constexpr std::size_t name_bytes_max = 128;
constexpr std::size_t errors_bytes_max = 1024;
constexpr int no_such_method = -32601;

std::string cut(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return to_valid_utf8(text);
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xC0) == 0x80) --bytes_max;
  return to_valid_utf8(text.substr(0, bytes_max)) + "\n(the rest was cut off)";
}

std::string reply_to(const json::object& request) {
  json::object reply{{"jsonrpc", "2.0"}, {"id", request.at("id")}};
  if (find_text(json::value(request), "method") == "ping") {
    reply["result"] = json::object{};
  } else {
    reply["error"] = {{"code", no_such_method}, {"message", "this client offers nothing"}};
  }
  return to_text(json::value(reply));
}

void hear_one(const json::value& message, std::int64_t id, Heard& heard) {
  if (!message.is_object()) return;
  const auto& object = message.as_object();
  const auto* about = object.if_contains("id");
  if (object.contains("method")) {
    if (about != nullptr && !about->is_null()) heard.to_send.push_back(reply_to(object));
    return;
  }
  if (about == nullptr || find_integer(message, "id") != id) return;
  if (const auto* error = object.if_contains("error")) {
    const auto said = find_text(*error, "message");
    heard.answer =
        fail(ErrorCode::unavailable,
             "it says " + vigil::quoted(cut(said.value_or("nothing"), errors_bytes_max)));
  } else if (const auto* result = object.if_contains("result"); result && result->is_object()) {
    heard.answer = result->as_object();
  } else {
    heard.answer = fail(ErrorCode::unavailable, "its answer has neither result nor error");
  }
}

// Of one part of a result; what is no text is named.
std::string part_text(const json::value& part) {
  const auto type = find_text(part, "type").value_or("unknown");
  if (type == "text") return std::string(find_text(part, "text").value_or(""));
  if (type == "resource") {
    if (const auto text = find_text(part, "resource.text")) return std::string(*text);
  }
  if (type == "resource_link") {
    return fmt::format("{}: {}", find_text(part, "name").value_or("a link"),
                       find_text(part, "uri").value_or(""));
  }
  return fmt::format("({}, which is no text)", type);
}

}  // namespace

bool is_known_protocol(std::string_view version) {
  return std::ranges::find(protocols, version) != protocols.end();
}

std::string request_text(std::int64_t id, std::string_view method, const json::object& parameters) {
  return to_text(json::value(
      json::object{{"jsonrpc", "2.0"}, {"id", id}, {"method", method}, {"params", parameters}}));
}

std::string notice_text(std::string_view method, const json::object& parameters) {
  return to_text(
      json::value(json::object{{"jsonrpc", "2.0"}, {"method", method}, {"params", parameters}}));
}

json::object introduction() {
  return {{"protocolVersion", newest_protocol},
          {"capabilities", json::object{}},
          {"clientInfo", {{"name", "vigild"}, {"version", VIGIL_VERSION}}}};
}

Result<Heard> hear(std::string_view text, std::int64_t id) {
  auto message = parse_json(text);
  if (!message) {
    return fail(ErrorCode::unavailable,
                fmt::format("it says what is no JSON: {}", vigil::quoted(text)));
  }
  Heard heard;
  if (const auto* batch = message->if_array()) {  // as of 2025-03-26
    for (const auto& one : *batch) hear_one(one, id, heard);
  } else {
    hear_one(*message, id, heard);
  }
  return heard;
}

Result<Page> page_of(const json::object& result) {
  const json::value whole(result);
  const auto* tools = result.if_contains("tools");
  if (tools == nullptr || !tools->is_array()) {
    return fail(ErrorCode::unavailable, "its list of tools is no list");
  }
  Page page;
  page.next = find_text(whole, "nextCursor").value_or("");
  for (const auto& tool : tools->as_array()) {
    const auto name = find_text(tool, "name").value_or("");
    if (name.empty() || name.size() > name_bytes_max) continue;
    const auto* parameters = find_path(tool, "inputSchema");
    if (parameters == nullptr || !parameters->is_object()) continue;
    if (to_text(*parameters).size() > parameters_bytes_max) continue;
    page.tools.push_back({std::string(name),
                          cut(find_text(tool, "description").value_or(""), description_bytes_max),
                          parameters->as_object()});
  }
  return page;
}

Result<std::string> text_of(const json::object& result, std::size_t bytes_max) {
  const json::value whole(result);
  std::string text;
  const auto* content = result.if_contains("content");
  if (content != nullptr && content->is_array()) {
    for (const auto& part : content->as_array()) {
      if (!text.empty()) text += '\n';
      text += part_text(part);
    }
  }
  const auto* structured = result.if_contains("structuredContent");
  if (text.empty() && structured != nullptr) text = to_text(*structured);
  text = cut(text, bytes_max);
  if (find_bool(whole, "isError").value_or(false)) {
    return fail(ErrorCode::unavailable, text.empty() ? "the tool failed" : text);
  }
  return text;
}

}  // namespace vigil::mcp
