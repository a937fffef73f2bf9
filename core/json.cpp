#include "core/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/monotonic_resource.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cmath>

namespace vigil {
namespace {

// Length of the well-formed UTF-8 sequence at the start of `text` (Unicode 15, table 3-7), or 0.
std::size_t utf8_sequence_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto tail = [&](std::size_t i, unsigned char low = 0x80, unsigned char high = 0xBF) {
    return i < text.size() && at(i) >= low && at(i) <= high;
  };
  const unsigned char lead = at(0);
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
  if (lead >= 0xE0 && lead <= 0xEF) {
    const unsigned char low = lead == 0xE0 ? 0xA0 : 0x80;
    const unsigned char high = lead == 0xED ? 0x9F : 0xBF;
    return tail(1, low, high) && tail(2) ? 3 : 0;
  }
  if (lead >= 0xF0 && lead <= 0xF4) {
    const unsigned char low = lead == 0xF0 ? 0x90 : 0x80;
    const unsigned char high = lead == 0xF4 ? 0x8F : 0xBF;
    return tail(1, low, high) && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

void write_pretty(const json::value& value, std::string& out, std::size_t indent) {
  const std::string pad(indent + 2, ' ');
  if (const auto* object = value.if_object(); object != nullptr && !object->empty()) {
    out += "{\n";
    bool first = true;
    for (const auto& [key, member] : *object) {
      if (!first) out += ",\n";
      first = false;
      out += pad + json::serialize(json::string(key)) + ": ";
      write_pretty(member, out, indent + 2);
    }
    out += "\n" + std::string(indent, ' ') + "}";
  } else if (const auto* array = value.if_array(); array != nullptr && !array->empty()) {
    out += "[\n";
    bool first = true;
    for (const auto& element : *array) {
      if (!first) out += ",\n";
      first = false;
      out += pad;
      write_pretty(element, out, indent + 2);
    }
    out += "\n" + std::string(indent, ' ') + "]";
  } else {
    out += json::serialize(value);
  }
}

// The parser makes infinity of a number that no double holds; written again that is no JSON.
bool is_finite(const json::value& value) {
  if (const auto* number = value.if_double()) return std::isfinite(*number);
  if (const auto* array = value.if_array()) return std::ranges::all_of(*array, is_finite);
  const auto* object = value.if_object();
  return object == nullptr || std::ranges::all_of(*object, [](const json::key_value_pair& member) {
           return is_finite(member.value());
         });
}

Result<json::value> parse_into(std::string_view text, std::size_t depth_max,
                               json::storage_ptr storage) {
  json::parse_options options;
  options.max_depth = depth_max;
  json::error_code error;
  json::value value = json::parse(text, error, std::move(storage), options);
  if (error == json::error::too_deep) {
    return fail(ErrorCode::invalid_input,
                fmt::format("JSON is nested deeper than {} levels", depth_max));
  }
  if (error) {
    return fail(ErrorCode::invalid_input, fmt::format("not valid JSON: {}", error.message()));
  }
  if (!is_finite(value)) {
    return fail(ErrorCode::invalid_input,
                "a number in the JSON is beyond 1.8e308: send such as text");
  }
  return value;
}

}  // namespace

Result<json::value> parse_json(std::string_view text, std::size_t depth_max) {
  return parse_into(text, depth_max, {});
}

Result<json::value> parse_payload(std::string_view text) {
  constexpr std::size_t block_bytes_min = 1024;
  auto blocks = json::make_shared_resource<json::monotonic_resource>(
      std::max(text.size() * 2, block_bytes_min));
  return parse_into(text, json_depth_max, std::move(blocks));
}

std::string to_text(const json::value& value) { return json::serialize(value); }

std::string to_pretty_text(const json::value& value) {
  std::string out;
  write_pretty(value, out, 0);
  return out;
}

const json::value* find_path(const json::value& root, std::string_view path) {
  const json::value* here = &root;
  while (!path.empty()) {
    const auto dot = path.find('.');
    const auto step = path.substr(0, dot);
    path = dot == std::string_view::npos ? std::string_view{} : path.substr(dot + 1);
    if (const auto* object = here->if_object()) {
      here = object->if_contains(step);
    } else if (const auto* array = here->if_array()) {
      std::size_t index = 0;
      const auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
      if (error != std::errc{} || end != step.data() + step.size()) return nullptr;
      here = array->if_contains(index);
    } else {
      return nullptr;
    }
    if (here == nullptr) return nullptr;
  }
  return here;
}

std::optional<std::string_view> find_text(const json::value& root, std::string_view path) {
  const auto* value = find_path(root, path);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string_view(value->get_string());
}

std::optional<std::int64_t> find_integer(const json::value& root, std::string_view path) {
  const auto* value = find_path(root, path);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  json::error_code error;
  const auto number = value->to_number<std::int64_t>(error);
  if (error) return std::nullopt;
  return number;
}

std::optional<bool> find_bool(const json::value& root, std::string_view path) {
  const auto* value = find_path(root, path);
  if (value == nullptr || !value->is_bool()) return std::nullopt;
  return value->get_bool();
}

std::optional<std::string> find_scalar_text(const json::value& root, std::string_view path) {
  const auto* value = find_path(root, path);
  if (value == nullptr || value->is_structured() || value->is_null()) return std::nullopt;
  if (value->is_string()) return std::string(value->get_string());
  return json::serialize(*value);
}

bool is_valid_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = utf8_sequence_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string to_valid_utf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto length = utf8_sequence_length(text);
    if (length == 0) {
      out += "\xEF\xBF\xBD";
      text.remove_prefix(1);
    } else {
      out += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return out;
}

}  // namespace vigil
