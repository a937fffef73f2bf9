#pragma once
// One TOML value with its place in the file: what the loader walks and what to_toml prints. The
// TOML library itself is spoken in node_parse.cpp alone. Values; any thread.
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"

namespace vigil::config {

struct Place {  // 1-based; 0: not in a file
  int line = 0;
  int column = 0;
};

struct Node {
  enum class Kind { text, integer, real, boolean, time, list, table };
  enum class Layout { section, one_line };  // of a table: [header] or { ... }

  Kind kind = Kind::table;
  Layout layout = Layout::one_line;
  Place place;
  std::string key;  // when it stands in a table
  Place key_place;
  std::string text;  // a text, or a time as RFC 3339 spells it
  std::int64_t integer = 0;
  double real = 0;
  bool boolean = false;
  std::vector<Node> items;  // of a list or, with their keys, of a table

  const Node* find(std::string_view wanted) const;  // nullptr: no such key
  Node& add(std::string_view as, Node value);

  static Node of_text(std::string value);
  static Node of_integer(std::int64_t value);
  static Node of_real(double value);
  static Node of_boolean(bool value);
  static Node of_list();
};

// "a table", "a text", ...: for messages.
std::string_view describe_kind_of(const Node& node);

// The first syntax error ends the reading: what follows it cannot be trusted.
std::expected<Node, Diagnostic> parse_toml(std::string_view text, const std::string& file);

std::string print_toml(const Node& table);   // a whole document
std::string print_value(const Node& value);  // on one line

}  // namespace vigil::config
