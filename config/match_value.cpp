// Field matches: read from TOML and written back (the language is described in match.hpp).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "config/forms.hpp"
#include "config/values.hpp"

namespace vigil::config {
namespace {

// The attributes an event has as JSON (core/event.hpp). Another first step would never match.
constexpr std::array<std::string_view, 13> attributes{
    "specversion",     "seq",     "id",    "source", "type", "subject", "time", "received_at",
    "datacontenttype", "headers", "taint", "data",   "forge"};

std::string step_below(std::string_view path, std::string_view key) {
  return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

bool is_pattern(const boost::json::value& value) {
  return value.is_string() && value.get_string().starts_with("~");
}

bool has_field(const Match& match, const FieldMatch& field) {
  const bool asks_presence =
      field.test == FieldMatch::Test::present || field.test == FieldMatch::Test::absent;
  return std::ranges::any_of(match.fields, [&](const FieldMatch& other) {
    const bool other_asks =
        other.test == FieldMatch::Test::present || other.test == FieldMatch::Test::absent;
    return other.path == field.path && asks_presence == other_asks;
  });
}

std::optional<boost::json::value> scalar_of(const Node& node, const Context& context) {
  switch (node.kind) {
    case Node::Kind::text:
    case Node::Kind::time:
      return boost::json::string(node.text);
    case Node::Kind::integer:
      return node.integer;
    case Node::Kind::boolean:
      return node.boolean;
    case Node::Kind::real:
      if (std::isfinite(node.real)) return node.real;
      break;
    case Node::Kind::list:
    case Node::Kind::table:
      break;
  }
  context.expected(node, "a text, a number, true, false, or a list of these");
  return std::nullopt;
}

class Builder {
 public:
  explicit Builder(const Context& context) : context_(context) {}

  Match build(const Node& table) {
    Match match;
    for (const auto& member : table.items) {
      if (member.key == "and") {
        parts(member, match.all);
      } else if (member.key == "or") {
        parts(member, match.any);
      } else if (member.key == "not") {
        parts(member, match.none);
      } else {
        field(member, "", match);
      }
    }
    return match;
  }

 private:
  // One table, or a list of them.
  void parts(const Node& node, std::vector<Match>& to) {
    if (node.kind == Node::Kind::table) {
      to.push_back(build(node));
      if (node.items.empty()) at(node.key).wrong(node, "an empty match matches everything");
      return;
    }
    const Context here = at(node.key);
    if (node.kind != Node::Kind::list || node.items.empty()) {
      return here.expected(node, "a list of matches like [{ subject = \"a\" }]");
    }
    for (const auto& item : node.items) {
      if (item.kind != Node::Kind::table) {
        here.expected(item, "a match like { subject = \"a\" }");
      } else if (item.items.empty()) {
        here.wrong(item, "an empty match matches everything");
      } else {
        to.push_back(build(item));
      }
    }
  }

  // `data.action = "x"` without quotes is a table in a table: its steps make the path.
  void field(const Node& node, const std::string& above, Match& to) {
    const std::string path = step_below(above, node.key);
    if (node.kind == Node::Kind::table) {
      if (node.items.empty()) at(path).expected(node, "a value to compare with");
      for (const auto& member : node.items) field(member, path, to);
      return;
    }
    const bool asks_presence = path.ends_with('?');
    const std::string plain = asks_presence ? path.substr(0, path.size() - 1) : path;
    if (const auto wrong = why_not(Form::dotted_path, plain)) return at(path).wrong(node, *wrong);
    if (!starts_with_attribute(node, plain)) return;
    if (asks_presence) {
      if (node.kind != Node::Kind::boolean) {
        return at(path).expected(node, "true (is there) or false (is not)");
      }
      using Test = FieldMatch::Test;
      return add(node, FieldMatch{plain, node.boolean ? Test::present : Test::absent, {}}, to);
    }
    compare(node, plain, to);
  }

  bool starts_with_attribute(const Node& node, std::string_view path) {
    const auto first = path.substr(0, path.find('.'));
    if (std::ranges::find(attributes, first) != attributes.end()) return true;
    auto hint = suggestion(first, {attributes.begin(), attributes.end()});
    if (hint.empty()) hint = fmt::format("; the payload is below data: \"data.{}\"", path);
    context_.problems.add(context_.path + "." + std::string(path), node.key_place,
                          fmt::format("an event has no \"{}\"{}", first, hint));
    return false;
  }

  void compare(const Node& node, const std::string& path, Match& to) {
    std::vector<boost::json::value> plain;
    std::vector<boost::json::value> patterns;
    const auto take = [&](const Node& item) {
      auto value = scalar_of(item, at(path));
      if (!value) return;
      if (is_pattern(*value)) {
        patterns.emplace_back(boost::json::string(value->get_string().subview(1)));
      } else {
        plain.push_back(std::move(*value));
      }
    };
    if (node.kind == Node::Kind::list) {
      if (node.items.empty()) return at(path).wrong(node, "an empty list matches nothing");
      for (const auto& item : node.items) take(item);
    } else {
      take(node);
    }
    FieldMatch exact{path, FieldMatch::Test::any_of, std::move(plain)};
    FieldMatch regex{path, FieldMatch::Test::regex, std::move(patterns)};
    if (exact.values.empty() && regex.values.empty()) return;  // was reported
    if (exact.values.empty()) return add(node, std::move(regex), to);
    if (regex.values.empty()) return add(node, std::move(exact), to);
    Match either;  // a list of both: one of the two tests must hold
    either.any.push_back(Match{{std::move(exact)}, {}, {}, {}});
    either.any.push_back(Match{{std::move(regex)}, {}, {}, {}});
    to.all.push_back(std::move(either));
  }

  void add(const Node& node, FieldMatch field, Match& to) {
    if (has_field(to, field)) {
      return at(field.path).wrong(node, "stands here twice; put the values into one list");
    }
    to.fields.push_back(std::move(field));
  }

  Context at(std::string_view path) const { return context_.below(fmt::format(".{}", path)); }

  const Context& context_;
};

Node value_node(const boost::json::value& value, std::string_view before) {
  if (value.is_string())
    return Node::of_text(std::string(before) + std::string(value.get_string()));
  if (const auto* integer = value.if_int64()) return Node::of_integer(*integer);
  if (const auto* real = value.if_double()) return Node::of_real(*real);
  return Node::of_boolean(value.if_bool() != nullptr && value.get_bool());
}

Node field_node(const FieldMatch& field) {
  const std::string_view before = field.test == FieldMatch::Test::regex ? "~" : "";
  if (field.values.size() == 1) return value_node(field.values.front(), before);
  Node list = Node::of_list();
  for (const auto& value : field.values) list.items.push_back(value_node(value, before));
  return list;
}

Node match_node(const Match& match) {
  Node node;
  for (const auto& field : match.fields) {
    const bool asks_presence =
        field.test == FieldMatch::Test::present || field.test == FieldMatch::Test::absent;
    if (asks_presence) {
      node.add(field.path + "?", Node::of_boolean(field.test == FieldMatch::Test::present));
    } else {
      node.add(field.path, field_node(field));
    }
  }
  const auto parts = [&](std::string_view key, const std::vector<Match>& matches) {
    if (matches.empty()) return;
    Node list = Node::of_list();
    for (const auto& part : matches) list.items.push_back(match_node(part));
    node.add(key, std::move(list));
  };
  parts("and", match.all);
  parts("or", match.any);
  parts("not", match.none);
  return node;
}

}  // namespace

void read(const Node& node, const Context& context, Match& to) {
  if (node.kind != Node::Kind::table) {
    return context.expected(node, "a match like { \"data.action\" = [\"opened\"] }");
  }
  to = Builder(context).build(node);
}

Written write(const Spec&, const Match& value) {
  if (value.empty()) return std::nullopt;
  return match_node(value);
}

}  // namespace vigil::config
