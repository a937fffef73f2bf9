// What a CalDAV server answers: names without their prefixes, whichever those are.
#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <pugixml.hpp>
#include <string_view>

#include "entities/calendar/look.hpp"

namespace vigil::entities::calendar {
namespace {

constexpr std::size_t responses_max = 20'000;

std::string_view local_name(const pugi::xml_node& node) {
  const std::string_view name = node.name();
  return name.substr(name.find(':') == std::string_view::npos ? 0 : name.find(':') + 1);
}

pugi::xml_node child(const pugi::xml_node& node, std::string_view name) {
  return node.find_child([&](const pugi::xml_node& one) { return local_name(one) == name; });
}

std::string text_of(const pugi::xml_node& node) { return to_valid_utf8(node.text().get()); }

int status_of(const pugi::xml_node& node) {  // HTTP/1.1 404 Not Found
  const std::string_view line = child(node, "status").text().get();
  const auto blank = line.find(' ');
  if (blank == std::string_view::npos || line.size() < blank + 4) return 200;
  const auto digits = line.substr(blank + 1, 3);
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) return 200;
  return (digits[0] - '0') * 100 + (digits[1] - '0') * 10 + (digits[2] - '0');
}

json::object response_of(const pugi::xml_node& response) {
  json::object out{{"href", text_of(child(response, "href"))}, {"status", status_of(response)}};
  for (const auto& part : response.children()) {
    if (local_name(part) != "propstat" || status_of(part) != 200) continue;
    for (const auto& property : child(part, "prop").children()) {
      const auto name = local_name(property);
      if (name == "getetag") out["etag"] = text_of(property);
      if (name == "getctag") out["ctag"] = text_of(property);
      if (name == "sync-token") out["sync_token"] = text_of(property);
      if (name == "calendar-data") out["text"] = text_of(property);
      if (name == "resourcetype" && child(property, "collection")) out["collection"] = true;
    }
  }
  return out;
}

}  // namespace

Result<json::value> run_dav(const Request& request) {
  const auto body = find_text(request.input, "body").value_or("");
  pugi::xml_document document;
  const auto parsed = document.load_buffer(body.data(), body.size());
  const auto root = child(document, "multistatus");
  if (!parsed || !root) {
    return fail(ErrorCode::invalid_input, "the server's answer is no multistatus");
  }
  json::array responses;
  for (const auto& node : root.children()) {
    if (local_name(node) != "response") continue;
    if (responses.size() >= responses_max) {
      return fail(ErrorCode::too_large, "the collection has too many resources");
    }
    responses.push_back(response_of(node));
  }
  json::object out{{"responses", std::move(responses)}};
  if (const auto token = child(root, "sync-token")) out["sync_token"] = text_of(token);
  return out;
}

}  // namespace vigil::entities::calendar
