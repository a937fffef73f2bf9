#include "entities/rules/template.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <charconv>

namespace vigil::entities {
namespace {

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

const json::value* find(const std::string& root, const std::string& path, const Scope& scope) {
  if (root == "event") return scope.event == nullptr ? nullptr : scope.event->find(path);
  if (root == "report" && scope.report != nullptr) return find_path(*scope.report, path);
  return nullptr;
}

std::string shown(const json::value& value) {
  if (value.is_null()) return {};
  if (auto scalar = find_scalar_text(value, "")) return *scalar;
  return to_text(value);
}

// Cut between characters, not inside one.
std::string cut(std::string text, std::size_t length_max) {
  if (length_max == 0 || text.size() <= length_max) return text;
  std::size_t end = length_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  text.resize(end);
  return text + "…";
}

// What an event says must not look like a hole when the rest is filled in later.
std::string defuse(std::string text) {
  for (auto at = text.find("{{"); at != std::string::npos; at = text.find("{{", at + 1)) {
    text.insert(at + 1, "\xe2\x80\x8b");  // a space of no width
  }
  return text;
}

}  // namespace

Result<Template::Part> Template::compile_hole(std::string_view hole) {
  Part out;
  out.source = fmt::format("{{{{{}}}}}", hole);
  const auto malformed = [&](std::string_view why) {
    return fail(ErrorCode::invalid_input, fmt::format("{}: {}", out.source, why));
  };
  bool first = true;
  while (first || !hole.empty()) {
    const auto bar = hole.find('|');
    const auto step = trim(hole.substr(0, bar));
    hole = bar == std::string_view::npos ? std::string_view{} : hole.substr(bar + 1);
    if (first) {
      first = false;
      const auto dot = step.find('.');
      out.root = step.substr(0, dot);
      out.path = dot == std::string_view::npos ? "" : step.substr(dot + 1);
      const bool known =
          out.root == "event" || out.root == "report" || (out.root == "case" && out.path == "key");
      if (!known) return malformed("expected event.PATH, report.PATH or case.key");
      continue;
    }
    if (step == "json") {
      out.as_json = true;
    } else if (step.starts_with("default '") && step.ends_with('\'') && step.size() > 9) {
      out.otherwise = step.substr(9, step.size() - 10);
    } else if (step.starts_with("truncate ")) {
      const auto number = trim(step.substr(9));
      const auto* last = number.data() + number.size();
      const auto [end, error] = std::from_chars(number.data(), last, out.length_max);
      if (error != std::errc{} || end != last || out.length_max == 0) {
        return malformed("truncate takes a number of bytes");
      }
    } else {
      return malformed("expected json, default 'text' or truncate NUMBER after the bar");
    }
  }
  return out;
}

Result<Template> Template::compile(const std::string& text) {
  Template out;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto begin = text.find("{{", at);
    if (begin != at) {
      Part literal;
      literal.literal = text.substr(at, begin == std::string::npos ? begin : begin - at);
      out.parts_.push_back(std::move(literal));
    }
    if (begin == std::string::npos) break;
    const auto end = text.find("}}", begin);
    if (end == std::string::npos) {
      return fail(ErrorCode::invalid_input, fmt::format("'{}': a {{{{ is not closed", text));
    }
    auto hole = compile_hole(std::string_view(text).substr(begin + 2, end - begin - 2));
    if (!hole) return std::unexpected(std::move(hole.error()));
    out.parts_.push_back(std::move(*hole));
    at = end + 2;
  }
  return out;
}

bool Template::has_holes() const {
  for (const auto& part : parts_) {
    if (!part.root.empty()) return true;
  }
  return false;
}

std::string Template::render(const Part& part, const Scope& scope) {
  if (part.root.empty()) return part.literal;
  const bool later = part.root == "report" && scope.report == nullptr;
  if (later) return part.source;
  std::string text;
  if (part.root == "case") {
    text = scope.case_key;
  } else if (const auto* value = find(part.root, part.path, scope); value != nullptr) {
    text = part.as_json ? to_text(*value) : shown(*value);
  }
  if (text.empty()) text = part.otherwise;
  return cut(scope.report == nullptr ? defuse(std::move(text)) : std::move(text), part.length_max);
}

std::string Template::text(const Scope& scope) const {
  std::string out;
  for (const auto& part : parts_) out += render(part, scope);
  return out;
}

json::value Template::value(const Scope& scope) const {
  const bool one_hole = parts_.size() == 1 && !parts_[0].root.empty();
  if (!one_hole || parts_[0].as_json || parts_[0].length_max > 0) return json::value(text(scope));
  const auto* found = find(parts_[0].root, parts_[0].path, scope);
  if (found == nullptr || found->is_null() || found->is_string()) return json::value(text(scope));
  return *found;
}

namespace {

// Texts become {"": number}, a shape no configuration can hold: keys of tables are not empty.
constexpr std::string_view marker;

Result<json::value> take_texts(const json::value& value, std::vector<Template>& texts) {
  if (value.is_string()) {
    auto text = Template::compile(std::string(value.get_string()));
    if (!text) return std::unexpected(std::move(text.error()));
    texts.push_back(std::move(*text));
    return json::value(json::object{{marker, texts.size() - 1}});
  }
  if (const auto* list = value.if_array()) {
    json::array out;
    for (const auto& item : *list) {
      auto taken = take_texts(item, texts);
      if (!taken) return taken;
      out.push_back(std::move(*taken));
    }
    return json::value(std::move(out));
  }
  if (const auto* object = value.if_object()) {
    json::object out;
    for (const auto& [name, item] : *object) {
      auto taken = take_texts(item, texts);
      if (!taken) return taken;
      out[name] = std::move(*taken);
    }
    return json::value(std::move(out));
  }
  return value;
}

json::value fill(const json::value& shape, const std::vector<Template>& texts, const Scope& scope) {
  if (const auto* object = shape.if_object()) {
    if (const auto* number = object->if_contains(marker)) {
      return texts[number->to_number<std::size_t>()].value(scope);
    }
    json::object out;
    for (const auto& [name, item] : *object) out[name] = fill(item, texts, scope);
    return json::value(std::move(out));
  }
  if (const auto* list = shape.if_array()) {
    json::array out;
    for (const auto& item : *list) out.push_back(fill(item, texts, scope));
    return json::value(std::move(out));
  }
  return shape;
}

}  // namespace

Result<JsonTemplate> JsonTemplate::compile(const json::value& value) {
  JsonTemplate out;
  auto shape = take_texts(value, out.texts_);
  if (!shape) return std::unexpected(std::move(shape.error()));
  out.shape_ = std::move(*shape);
  return out;
}

json::value JsonTemplate::value(const Scope& scope) const { return fill(shape_, texts_, scope); }

}  // namespace vigil::entities
