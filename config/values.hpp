#pragma once
// How each type of value is read from a node, written as one, and called in the reference.
#include <optional>
#include <string>

#include "config/node.hpp"
#include "config/problems.hpp"
#include "config/settings.hpp"
#include "config/spec.hpp"
#include "config/words.hpp"

namespace vigil::config {

struct Context {
  const Spec& spec;
  std::string path;  // dotted, of the key
  Problems& problems;

  void wrong(const Node& at, std::string message) const {
    problems.add(path, at.place, std::move(message));
  }
  void expected(const Node& at, std::string_view what) const;  // "expected X, not a list"
  Context below(std::string_view step) const { return {spec, path + std::string(step), problems}; }
};

// Each leaves `to` alone, and adds a problem, when the node does not fit.
void read(const Node& node, const Context& context, bool& to);
void read(const Node& node, const Context& context, int& to);
void read(const Node& node, const Context& context, std::int64_t& to);
void read(const Node& node, const Context& context, double& to);
void read(const Node& node, const Context& context, std::size_t& to);  // a size in bytes
void read(const Node& node, const Context& context, Duration& to);
void read(const Node& node, const Context& context, TimePoint& to);
void read(const Node& node, const Context& context, std::string& to);
void read(const Node& node, const Context& context, SecretRef& to);
void read(const Node& node, const Context& context, std::vector<std::string>& to);
void read(const Node& node, const Context& context, std::vector<SecretRef>& to);
void read(const Node& node, const Context& context, std::vector<int>& to);  // days of the week
void read(const Node& node, const Context& context, boost::json::object& to);
void read(const Node& node, const Context& context, std::map<std::string, std::string>& to);
void read(const Node& node, const Context& context, std::map<std::string, int>& to);
void read(const Node& node, const Context& context, std::map<std::string, Autonomy>& to);
void read(const Node& node, const Context& context, std::map<std::string, SecretRef>& to);
void read(const Node& node, const Context& context, Match& to);

// The place of the text among the words; nothing, and a problem, when it is none of them.
std::optional<std::size_t> read_choice(const Node& node, const Context& context,
                                       std::span<const std::string_view> words);

template <class Enum>
  requires std::is_enum_v<Enum>
void read(const Node& node, const Context& context, Enum& to) {
  const auto choice = read_choice(node, context, Words<Enum>::all);
  if (choice) to = static_cast<Enum>(*choice);
}

template <class T>
void read(const Node& node, const Context& context, std::optional<T>& to) {
  T value{};
  read(node, context, value);
  to = std::move(value);
}

// Nothing: the key is left out, as it has no value.
using Written = std::optional<Node>;
Written write(const Spec& spec, bool value);
Written write(const Spec& spec, int value);
Written write(const Spec& spec, std::int64_t value);
Written write(const Spec& spec, double value);
Written write(const Spec& spec, std::size_t value);
Written write(const Spec& spec, Duration value);
Written write(const Spec& spec, TimePoint value);
Written write(const Spec& spec, const std::string& value);
Written write(const Spec& spec, const SecretRef& value);
Written write(const Spec& spec, const std::vector<std::string>& value);
Written write(const Spec& spec, const std::vector<SecretRef>& value);
Written write(const Spec& spec, const std::vector<int>& value);
Written write(const Spec& spec, const boost::json::object& value);
Written write(const Spec& spec, const std::map<std::string, std::string>& value);
Written write(const Spec& spec, const std::map<std::string, int>& value);
Written write(const Spec& spec, const std::map<std::string, Autonomy>& value);
Written write(const Spec& spec, const std::map<std::string, SecretRef>& value);
Written write(const Spec& spec, const Match& value);

template <class Enum>
  requires std::is_enum_v<Enum>
Written write(const Spec&, Enum value) {
  return Node::of_text(std::string(word_of(value)));
}

template <class T>
Written write(const Spec& spec, const std::optional<T>& value) {
  return value ? write(spec, *value) : std::nullopt;
}

std::string one_of(std::span<const std::string_view> words);  // "one of a, b, c"

// The name of the type for people; the value only chooses the overload.
std::string type_of(const Spec& spec, bool);
std::string type_of(const Spec& spec, int);
std::string type_of(const Spec& spec, std::int64_t);
std::string type_of(const Spec& spec, double);
std::string type_of(const Spec& spec, std::size_t);
std::string type_of(const Spec& spec, Duration);
std::string type_of(const Spec& spec, TimePoint);
std::string type_of(const Spec& spec, const std::string&);
std::string type_of(const Spec& spec, const SecretRef&);
std::string type_of(const Spec& spec, const std::vector<std::string>&);
std::string type_of(const Spec& spec, const std::vector<SecretRef>&);
std::string type_of(const Spec& spec, const std::vector<int>&);
std::string type_of(const Spec& spec, const boost::json::object&);
std::string type_of(const Spec& spec, const std::map<std::string, std::string>&);
std::string type_of(const Spec& spec, const std::map<std::string, int>&);
std::string type_of(const Spec& spec, const std::map<std::string, Autonomy>&);
std::string type_of(const Spec& spec, const std::map<std::string, SecretRef>&);
std::string type_of(const Spec& spec, const Match&);

template <class Enum>
  requires std::is_enum_v<Enum>
std::string type_of(const Spec&, Enum) {
  return one_of(Words<Enum>::all);
}

template <class T>
std::string type_of(const Spec& spec, const std::optional<T>&) {
  return type_of(spec, T{});
}

}  // namespace vigil::config
