#include <fmt/format.h>

#include <algorithm>

#include "config/node.hpp"

namespace vigil::config {
namespace {

std::string quote(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\u{:04X}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

bool is_bare(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

std::string key_text(std::string_view key) { return is_bare(key) ? std::string(key) : quote(key); }

std::string real_text(double value) {
  auto text = fmt::format("{}", value);
  if (text.find_first_of(".eni") == std::string::npos) text += ".0";  // e, nan and inf stay
  return text;
}

bool is_section(const Node& node) {
  return node.kind == Node::Kind::table && node.layout == Node::Layout::section;
}

bool is_list_of_sections(const Node& node) {
  return node.kind == Node::Kind::list && !node.items.empty() &&
         std::ranges::all_of(node.items, is_section);
}

void print_section(const Node& table, const std::string& path, std::string& out) {
  for (const auto& member : table.items) {
    if (is_section(member) || is_list_of_sections(member)) continue;
    out += fmt::format("{} = {}\n", key_text(member.key), print_value(member));
  }
  for (const auto& member : table.items) {
    const auto below = path.empty() ? key_text(member.key) : path + "." + key_text(member.key);
    if (is_section(member)) {
      // A header that would hold nothing but other headers says nothing.
      const bool only_headers =
          !member.items.empty() && std::ranges::all_of(member.items, is_section);
      if (!only_headers) out += fmt::format("\n[{}]\n", below);
      print_section(member, below, out);
    } else if (is_list_of_sections(member)) {
      for (const auto& item : member.items) {
        out += fmt::format("\n[[{}]]\n", below);
        print_section(item, below, out);
      }
    }
  }
}

}  // namespace

std::string print_value(const Node& value) {
  switch (value.kind) {
    case Node::Kind::text:
      return quote(value.text);
    case Node::Kind::time:
      return value.text;
    case Node::Kind::integer:
      return fmt::format("{}", value.integer);
    case Node::Kind::real:
      return real_text(value.real);
    case Node::Kind::boolean:
      return value.boolean ? "true" : "false";
    case Node::Kind::list:
    case Node::Kind::table:
      break;
  }
  const bool is_table = value.kind == Node::Kind::table;
  std::string inside;
  for (const auto& item : value.items) {
    if (!inside.empty()) inside += ", ";
    if (is_table) inside += key_text(item.key) + " = ";
    inside += print_value(item);
  }
  if (!is_table) return "[" + inside + "]";
  return inside.empty() ? "{}" : "{ " + inside + " }";
}

std::string print_toml(const Node& table) {
  std::string out;
  print_section(table, "", out);
  if (out.starts_with('\n')) out.erase(0, 1);
  return out;
}

const Node* Node::find(std::string_view wanted) const {
  const auto found = std::ranges::find(items, wanted, &Node::key);
  return kind == Kind::table && found != items.end() ? &*found : nullptr;
}

Node& Node::add(std::string_view as, Node value) {
  value.key = as;
  return items.emplace_back(std::move(value));
}

Node Node::of_text(std::string value) {
  Node node;
  node.kind = Kind::text;
  node.text = std::move(value);
  return node;
}

Node Node::of_integer(std::int64_t value) {
  Node node;
  node.kind = Kind::integer;
  node.integer = value;
  return node;
}

Node Node::of_real(double value) {
  Node node;
  node.kind = Kind::real;
  node.real = value;
  return node;
}

Node Node::of_boolean(bool value) {
  Node node;
  node.kind = Kind::boolean;
  node.boolean = value;
  return node;
}

Node Node::of_list() {
  Node node;
  node.kind = Kind::list;
  return node;
}

std::string_view describe_kind_of(const Node& node) {
  switch (node.kind) {
    case Node::Kind::text:
      return "a text";
    case Node::Kind::integer:
      return "an integer";
    case Node::Kind::real:
      return "a number with a fraction";
    case Node::Kind::boolean:
      return "true or false";
    case Node::Kind::time:
      return "a date or time";
    case Node::Kind::list:
      return "a list";
    case Node::Kind::table:
      return "a table";
  }
  return "something else";
}

}  // namespace vigil::config
