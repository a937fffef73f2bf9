// The one place that speaks toml++.
#include <fmt/format.h>
#include <toml++/toml.h>

#include <optional>

#include "config/node.hpp"

namespace vigil::config {
namespace {

Place place_of(const toml::source_region& region) {
  return {static_cast<int>(region.begin.line), static_cast<int>(region.begin.column)};
}

std::string date_text(const toml::date& date) {
  return fmt::format("{:04}-{:02}-{:02}", date.year, date.month, date.day);
}

std::string time_text(const toml::time& time) {
  auto text = fmt::format("{:02}:{:02}:{:02}", time.hour, time.minute, time.second);
  if (time.nanosecond != 0) text += fmt::format(".{:09}", time.nanosecond);
  return text;
}

std::string moment_text(const toml::date_time& moment) {
  auto text = date_text(moment.date) + "T" + time_text(moment.time);
  if (!moment.offset) return text;
  const int minutes = moment.offset->minutes;
  if (minutes == 0) return text + "Z";
  const int size = minutes < 0 ? -minutes : minutes;
  return text + fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+', size / 60, size % 60);
}

Node scalar_of(const toml::node& from) {
  if (const auto* text = from.as_string()) return Node::of_text(text->get());
  if (const auto* integer = from.as_integer()) return Node::of_integer(integer->get());
  if (const auto* real = from.as_floating_point()) return Node::of_real(real->get());
  if (const auto* boolean = from.as_boolean()) return Node::of_boolean(boolean->get());
  Node node;
  node.kind = Node::Kind::time;
  if (const auto* moment = from.as_date_time()) node.text = moment_text(moment->get());
  if (const auto* date = from.as_date()) node.text = date_text(date->get());
  if (const auto* time = from.as_time()) node.text = time_text(time->get());
  return node;
}

Node node_of(const toml::node& from) {
  Node node;
  if (const auto* table = from.as_table()) {
    node.items.reserve(table->size());
    for (const auto& [key, value] : *table) {
      Node& member = node.items.emplace_back(node_of(value));
      member.key = std::string(key.str());
      member.key_place = place_of(key.source());
    }
  } else if (const auto* list = from.as_array()) {
    node.kind = Node::Kind::list;
    node.items.reserve(list->size());
    for (const auto& item : *list) node.items.push_back(node_of(item));
  } else {
    node = scalar_of(from);
  }
  node.place = place_of(from.source());
  return node;
}

// Where a key of more steps than this begins. toml++ nests one table for each step of a.b.c and
// takes them apart by recursion: a key of many thousand steps would overflow the stack.
constexpr int steps_max = 64;

std::optional<Place> find_endless_key(std::string_view text) {
  Place at{1, 0};
  int steps = 0;
  char before = '\n';  // the last character that is no blank
  for (const char c : text) {
    ++at.column;
    const bool in_key = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                        (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '"' || c == '\'' ||
                        c == ' ' || c == '\t' || c == '.';
    if (!in_key) steps = 0;
    if (c == '.' && before != '.' && ++steps > steps_max) return at;
    if (c != ' ' && c != '\t') before = c;
    if (c == '\n') at = {at.line + 1, 0};
  }
  return std::nullopt;
}

}  // namespace

std::expected<Node, Diagnostic> parse_toml(std::string_view text, const std::string& file) {
  if (const auto place = find_endless_key(text)) {
    return std::unexpected(Diagnostic{file, place->line, place->column, "",
                                      fmt::format("a key has {} steps at most", steps_max)});
  }
  try {
    const toml::table table = toml::parse(text, std::string_view(file));
    return node_of(table);
  } catch (const toml::parse_error& error) {
    const Place place = place_of(error.source());
    return std::unexpected(Diagnostic{file, place.line, place.column, "",
                                      fmt::format("this is not TOML: {}", error.description())});
  }
}

}  // namespace vigil::config
