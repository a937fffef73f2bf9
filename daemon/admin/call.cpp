#include "daemon/admin/call.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>

#include "core/log.hpp"

namespace vigil::admin {
namespace {

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_input:
      return 400;
    case ErrorCode::unauthorized:
      return 401;
    case ErrorCode::forbidden:
      return 403;
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::conflict:
      return 409;
    case ErrorCode::too_large:
      return 413;
    case ErrorCode::timed_out:
    case ErrorCode::busy:
    case ErrorCode::unavailable:
    case ErrorCode::full:
    case ErrorCode::cancelled:
      return 503;
    case ErrorCode::internal:
      return 500;
  }
  return 500;
}

std::string hint_for(ErrorCode code) {
  switch (code) {
    case ErrorCode::busy:
    case ErrorCode::timed_out:
    case ErrorCode::cancelled:
      return "try again in a moment";
    case ErrorCode::full:
      return "free space on the disk of the state directory; nothing is lost meanwhile";
    case ErrorCode::unavailable:
      return "look at `vigilctl doctor` and the daemon's log";
    case ErrorCode::internal:
      return "look at the daemon's log";
    default:
      return "GET /v1 lists every route with its parameters";
  }
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Refusal refusal(const Error& error, std::string hint) {
  if (hint.empty()) hint = hint_for(error.code);
  return {status_of(error.code), error.message, std::move(hint)};
}

std::unexpected<Refusal> refuse(int status, std::string error, std::string hint) {
  return std::unexpected(Refusal{status, std::move(error), std::move(hint)});
}

std::unexpected<Refusal> refuse(const Error& error, std::string hint) {
  return std::unexpected(refusal(error, std::move(hint)));
}

ingress::Response to_response(const Refusal& refusal) {
  json::object body{{"error", to_valid_utf8(refusal.error)}, {"hint", to_valid_utf8(refusal.hint)}};
  return json_response(body, refusal.status);
}

ingress::Response json_response(const json::value& value, int status) {
  ingress::Response response;
  response.status = status;
  response.body = to_text(value) + "\n";
  return response;
}

std::optional<std::string> percent_decoded(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus == Plus::space) {
      c = ' ';
    }
    if (c == '\0') return std::nullopt;
    out += c;
  }
  if (!is_valid_utf8(out)) return std::nullopt;
  return out;
}

std::optional<Parameters> parse_query(std::string_view query) {
  Parameters out;
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    query = end == std::string_view::npos ? std::string_view{} : query.substr(end + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = percent_decoded(pair.substr(0, equals), Plus::space);
    auto value = percent_decoded(
        equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1),
        Plus::space);
    if (!name || !value) return std::nullopt;
    out.emplace_back(std::move(*name), std::move(*value));
  }
  return out;
}

std::optional<std::int64_t> parse_id(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value <= 0) return std::nullopt;
  return value;
}

std::string_view Call::text(std::string_view parameter) const {
  for (const auto& [name, value] : parameters) {
    if (name == parameter) return value;
  }
  return {};
}

bool Call::has(std::string_view parameter) const {
  return std::ranges::any_of(parameters, [&](const auto& pair) { return pair.first == parameter; });
}

Checked<int> Call::limit() const {
  const auto given = text("limit");
  if (given.empty()) return limit_default;
  const auto value = parse_id(given);
  if (!value || *value > limit_max) {
    return refuse(400,
                  fmt::format("limit={} is not a number from 1 to {}", quoted(given), limit_max),
                  "ask for pages with before= for more");
  }
  return static_cast<int>(*value);
}

Checked<std::int64_t> Call::before() const {
  const auto given = text("before");
  if (given.empty()) return 0;
  const auto value = parse_id(given);
  if (!value) return bad_id(given);
  return *value;
}

std::unexpected<Refusal> Call::bad_id(std::string_view text) {
  return refuse(400, fmt::format("{} is not an id", quoted(text)),
                "an id is a whole number greater than 0, as the lists show it");
}

Checked<json::object> Call::body(std::initializer_list<std::string_view> members) const {
  if (request.body.empty()) return json::object{};
  auto value = parse_json(request.body);
  if (!value) return refuse(value.error(), "send one JSON object as the body");
  if (!value->is_object()) {
    return refuse(400, "the body is not a JSON object", "send one JSON object as the body");
  }
  for (const auto& member : value->get_object()) {
    if (std::ranges::find(members, std::string_view(member.key())) == members.end()) {
      return refuse(400, fmt::format("the body has an unknown member {}", quoted(member.key())),
                    fmt::format("members are: {}", fmt::join(members, ", ")));
    }
  }
  return std::move(value->get_object());
}

Checked<std::string> text_member(const json::object& body, std::string_view member,
                                 std::size_t bytes_max) {
  const auto* value = body.if_contains(member);
  if (value == nullptr || value->is_null()) return std::string();
  if (!value->is_string()) {
    return refuse(400, fmt::format("{} is not a text", member), "give it as a JSON string");
  }
  const std::string_view text = value->get_string();
  if (text.size() > bytes_max) {
    return refuse(400, fmt::format("{} is longer than {} bytes", member, bytes_max), "shorten it");
  }
  return std::string(text);
}

}  // namespace vigil::admin
