#include "entities/rules/template.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <charconv>

namespace vigil::entities {
namespace {

constexpr std::size_t kept_bytes_max = 64 * 1024;  // of one value, until a swarm has ended
constexpr std::string_view blanks = " \t\r\n";
constexpr std::array<std::string_view, 7> names_of_report{"error", "ok",   "result",      "tasks",
                                                          "title", "wall", "tasks_failed"};

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(blanks);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

// A hole's path and its filters, which bars part. Only filters have quotes (a path may hold an
// apostrophe), and nothing between quotes parts or ends anything.
struct Hole {
  std::vector<std::string_view> steps;
  std::size_t end = std::string_view::npos;  // of its last character; npos: it is not closed
};

Hole read_hole(std::string_view text, std::size_t at) {
  Hole out;
  std::size_t begin = at;
  char quote = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quote != 0) {
      if (c == quote) quote = 0;
      continue;
    }
    const bool closed = text.substr(at).starts_with("}}");
    if (closed || c == '|') {
      out.steps.push_back(trim(text.substr(begin, at - begin)));
      begin = at + 1;
    }
    if (closed) {
      out.end = at;
      return out;
    }
    if (!out.steps.empty() && (c == '\'' || c == '"')) quote = c;
  }
  return out;
}

const json::value* find(const std::string& root, const std::string& path, const Scope& scope) {
  if (root == "event" && scope.event != nullptr) return scope.event->find(path);
  if (root == "event" && scope.kept != nullptr) return scope.kept->if_contains(path);
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

Result<void> check_path(const std::string& root, const std::string& path) {
  if (root == "case" && path == "key") return {};
  if (root == "event") return check_event_path(path);
  const auto first = path.substr(0, path.find('.'));
  if (root == "report" && std::ranges::find(names_of_report, first) != names_of_report.end()) {
    return {};
  }
  return fail(ErrorCode::invalid_input, root == "report"
                                            ? fmt::format("a report has no '{}', only {}", first,
                                                          fmt::join(names_of_report, ", "))
                                            : "expected event.PATH, report.PATH or case.key");
}

}  // namespace

Result<void> Template::compile_filter(std::string_view filter, Part& out) {
  const auto word = filter.substr(0, filter.find_first_of(blanks));
  const auto given = trim(filter.substr(word.size()));
  if (word == "json" && given.empty()) {
    out.as_json = true;
    return {};
  }
  if (word == "default" && given.size() >= 2 && given.front() == given.back() &&
      (given.front() == '\'' || given.front() == '"')) {
    out.otherwise = given.substr(1, given.size() - 2);
    return {};
  }
  if (word == "truncate") {
    const auto* last = given.data() + given.size();
    const auto [end, error] = std::from_chars(given.data(), last, out.length_max);
    if (error == std::errc{} && end == last && out.length_max > 0) return {};
    return fail(ErrorCode::invalid_input, "truncate takes a number of bytes: truncate 80");
  }
  return fail(ErrorCode::invalid_input,
              "expected json, default 'text' or truncate NUMBER after the bar");
}

Result<Template::Part> Template::compile_hole(std::string_view source,
                                              std::span<const std::string_view> steps) {
  Part out;
  out.source = source;
  const auto malformed = [&](const Error& error) {
    return fail(ErrorCode::invalid_input, fmt::format("{}: {}", source, error.message));
  };
  const auto name = steps.front();
  const auto dot = name.find('.');
  out.root = name.substr(0, dot);
  out.path = dot == name.npos ? "" : name.substr(dot + 1);
  if (auto known = check_path(out.root, out.path); !known) return malformed(known.error());
  for (const auto& filter : steps.subspan(1)) {
    if (auto read = compile_filter(filter, out); !read) return malformed(read.error());
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
    const auto hole = read_hole(text, begin + 2);
    if (hole.end == std::string_view::npos) {
      return fail(ErrorCode::invalid_input, fmt::format("'{}': a {{{{ is not closed", text));
    }
    at = hole.end + 2;
    auto part = compile_hole(std::string_view(text).substr(begin, at - begin), hole.steps);
    if (!part) return std::unexpected(std::move(part.error()));
    out.parts_.push_back(std::move(*part));
  }
  return out;
}

bool Template::has_holes() const {
  return std::ranges::any_of(parts_, [](const Part& part) { return !part.root.empty(); });
}

bool Template::begins_with_hole() const { return !parts_.empty() && !parts_.front().root.empty(); }

std::string Template::hole_of(std::string_view root) const {
  const auto found = std::ranges::find(parts_, root, &Part::root);
  return found == parts_.end() ? "" : found->source;
}

void Template::keep(const EventView& event, json::object& kept) const {
  for (const auto& part : parts_) {
    if (part.root != "event" || kept.contains(part.path)) continue;
    const auto* value = event.find(part.path);
    if (value == nullptr || value->is_null()) continue;
    if (const auto* text = value->if_string()) {
      kept[part.path] = cut(std::string(*text), kept_bytes_max);
    } else if (!value->is_structured() || to_text(*value).size() <= kept_bytes_max) {
      kept[part.path] = *value;
    } else {
      kept[part.path] = cut(to_text(*value), kept_bytes_max);
    }
  }
}

std::string Template::render(const Part& part, const Scope& scope) {
  if (part.root.empty()) return part.literal;
  std::string text;
  if (part.root == "case") {
    text = scope.case_key;
  } else if (const auto* value = find(part.root, part.path, scope); value != nullptr) {
    text = part.as_json ? to_text(*value) : shown(*value);
  }
  if (text.empty()) text = part.otherwise;
  return cut(std::move(text), part.length_max);
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
