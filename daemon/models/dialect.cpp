#include "daemon/models/dialect.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/log.hpp"

namespace vigil::models {
namespace {

constexpr std::size_t body_bytes_max = 16 * 1024 * 1024;
constexpr std::size_t text_bytes_max = 4 * 1024 * 1024;

}  // namespace

bool Listener::take(std::string_view bytes) {
  if (over_ || broken_) return false;
  if (form_ == Form::unknown) {
    const auto first = bytes.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return true;
    form_ = bytes[first] == '{' ? Form::whole : Form::stream;
  }
  if (form_ == Form::whole) {
    body_.append(bytes, 0, body_bytes_max - std::min(body_bytes_max, body_.size()));
    return body_.size() < body_bytes_max;
  }
  const bool fits = stream_.take(bytes, [this](std::string_view data) { hear(data); });
  if (fits && said_.text.size() <= text_bytes_max) return !over_ && !broken_;
  said_.error = "the answer is larger than anything that was asked for";
  broken_ = true;
  return false;
}

void Listener::hear(std::string_view data) {
  if (over_ || broken_) return;
  if (is_end(data)) {
    over_ = true;
    return;
  }
  const auto parsed = parse_json(data);
  if (!parsed || !parsed->is_object()) {
    said_.error = fmt::format("an event of the answer is not JSON: {}", vigil::quoted(data));
    broken_ = true;
    return;
  }
  const auto& object = parsed->as_object();
  if (const auto* error = object.if_contains("error"); error != nullptr && !error->is_null()) {
    said_.error = error_text(to_text(*parsed));
    broken_ = true;
    return;
  }
  event(*parsed);
}

Said Listener::said() {
  if (form_ == Form::whole && !over_ && !broken_) {
    const auto parsed = parse_json(body_);
    over_ = true;
    if (parsed && parsed->is_object()) {
      whole(*parsed);
    } else {
      said_.error = fmt::format("the answer is not JSON: {}", vigil::quoted(body_));
    }
  }
  // Not all servers say goodbye after they said why they stopped.
  if (!over_ && said_.end == End::none && said_.error.empty()) {
    said_.error = "the answer broke off";
  }
  finish();
  if (!said_.error.empty()) said_.end = End::none;
  return said_;
}

const Dialect& dialect_of(config::ModelApi api) {
  return api == config::ModelApi::anthropic ? anthropic_dialect() : openai_dialect();
}

std::string error_text(std::string_view body) {
  const auto parsed = parse_json(body);
  if (!parsed) return body.empty() ? "no explanation" : vigil::quoted(body);
  for (const auto* path : {"error.message", "error", "message", "detail"}) {
    if (const auto text = find_text(*parsed, path)) return vigil::quoted(*text);
  }
  return vigil::quoted(body);
}

std::int64_t count_of(const json::value& of, std::string_view path) {
  return std::max<std::int64_t>(find_integer(of, path).value_or(0), 0);
}

}  // namespace vigil::models
