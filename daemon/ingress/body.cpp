#include "daemon/ingress/body.hpp"

#include <boost/json/object.hpp>

#include "daemon/ingress/form_data.hpp"
#include "daemon/ingress/signal_body.hpp"

namespace vigil::ingress {
namespace {

Result<Body> from_json(std::string text) {
  auto data = parse_payload(text);
  if (!data) return std::unexpected(std::move(data.error()));
  return Body{std::move(text), std::move(*data)};
}

Result<Body> from_value(json::value data) {
  auto text = to_text(data);
  return Body{std::move(text), std::move(data)};
}

Result<Body> from_form(std::string_view form) {
  json::object fields;
  while (!form.empty()) {
    const auto pair = form.substr(0, form.find('&'));
    form.remove_prefix(std::min(pair.size() + 1, form.size()));
    const auto equals = pair.find('=');
    auto name = decode_url(pair.substr(0, equals));
    auto value = equals == std::string_view::npos ? "" : decode_url(pair.substr(equals + 1));
    if (name == "payload") return from_json(std::move(value));
    if (name.empty()) continue;
    if (!is_valid_utf8(name) || !is_valid_utf8(value)) {
      return fail(ErrorCode::invalid_input, "the form is not UTF-8");
    }
    fields[name] = std::move(value);
  }
  return from_value(std::move(fields));
}

bool is_json_type(std::string_view type) {
  return type.empty() || type == "application/json" || type.ends_with("+json") ||
         type == "text/json";
}

// Senders whose every event is a JSON document. The others may say all they have to say by calling.
bool has_always_a_body(config::Scheme scheme) {
  using config::Scheme;
  return scheme != Scheme::hmac && scheme != Scheme::bearer && scheme != Scheme::basic &&
         scheme != Scheme::none && scheme != Scheme::tradingview;
}

bool looks_like_json(std::string_view body) {
  const auto first = body.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && (body[first] == '{' || body[first] == '[');
}

// Old versions of Gitea put the secret into the body; it has no business in the journal.
Result<Body> without_secret(Result<Body> body) {
  if (!body || !body->data.is_object() || !body->data.get_object().contains("secret")) return body;
  body->data.get_object().erase("secret");
  body->text = to_text(body->data);
  return body;
}

Result<Body> read_any(config::Scheme scheme, Request& request, bool& unsupported) {
  unsupported = false;
  auto type = std::string(request.header("content-type"));
  type = type.substr(0, type.find(';'));
  while (!type.empty() && type.back() == ' ') type.pop_back();
  for (char& c : type) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (request.body.empty()) {
    if (has_always_a_body(scheme)) return fail(ErrorCode::invalid_input, "the body is empty");
    return from_value(nullptr);
  }
  if (is_json_type(type)) return from_json(std::move(request.body));
  if (type == "application/x-www-form-urlencoded") {
    // curl -d names this type whatever it sends.
    if (looks_like_json(request.body)) return from_json(std::move(request.body));
    return from_form(request.body);
  }
  const bool plain =
      type == "text/plain" &&
      (scheme == config::Scheme::tradingview || scheme == config::Scheme::none ||
       scheme == config::Scheme::bearer || scheme == config::Scheme::sns);  // SNS names its JSON so
  if (plain) {
    if (looks_like_json(request.body)) return from_json(std::move(request.body));
    if (!is_valid_utf8(request.body))
      return fail(ErrorCode::invalid_input, "the text is not UTF-8");
    json::object data;
    data["text"] = std::move(request.body);
    return from_value(std::move(data));
  }
  unsupported = true;
  return fail(ErrorCode::invalid_input, "this content type is not read here");
}

}  // namespace

Result<Body> read_body(config::Scheme scheme, Request& request, bool& unsupported) {
  auto body = read_any(scheme, request, unsupported);
  if (scheme == config::Scheme::gitea) return without_secret(std::move(body));
  if (scheme == config::Scheme::tradingview && body && body->data.is_object()) {
    body->data = as_signal(body->text, std::move(body->data));
    body->text = to_text(body->data);
  }
  return body;
}

}  // namespace vigil::ingress
