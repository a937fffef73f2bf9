#include <fmt/format.h>
#include <fmt/ranges.h>

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <cmath>

#include "config/forms.hpp"
#include "config/values.hpp"

namespace vigil::config {
namespace {

constexpr std::array<std::string_view, 7> days{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

Node node_of(const boost::json::value& value) {
  if (const auto* text = value.if_string()) return Node::of_text(std::string(*text));
  if (const auto* integer = value.if_int64()) return Node::of_integer(*integer);
  if (const auto* natural = value.if_uint64()) {
    return Node::of_integer(static_cast<std::int64_t>(*natural));
  }
  if (const auto* real = value.if_double()) return Node::of_real(*real);
  if (const auto* boolean = value.if_bool()) return Node::of_boolean(*boolean);
  Node node;
  if (const auto* array = value.if_array()) {
    node = Node::of_list();
    for (const auto& item : *array) node.items.push_back(node_of(item));
  } else if (const auto* object = value.if_object()) {
    for (const auto& [key, member] : *object) node.add(std::string_view(key), node_of(member));
  }
  return node;
}

template <class T>
Written write_table(const std::map<std::string, T>& value) {
  Node node;
  for (const auto& [key, member] : value) node.add(key, *write(Spec{}, member));
  return node;
}

std::string number_type(std::string_view what, const Spec& spec) {
  if (spec.most) return fmt::format("{}, {} to {}", what, spec.least, *spec.most);
  if (spec.least > 0) return fmt::format("{}, at least {}", what, spec.least);
  return std::string(what);
}

std::string_view form_name(Form form) {
  switch (form) {
    case Form::path:
      return "path";
    case Form::zone:
      return "time zone";
    case Form::cron:
      return "cron expression";
    case Form::url:
      return "URL";
    case Form::listen:
      return "address:port";
    case Form::address_range:
      return "address range";
    case Form::destination:
      return "destination";
    case Form::header_name:
      return "header name";
    case Form::dotted_path:
      return "dotted path";
    case Form::event_type:
      return "event type";
    case Form::pattern:
      return "name or pattern";
    case Form::task_name:
    case Form::name:
    case Form::variable:
      return "name";
    case Form::program:
    case Form::argv:
    case Form::clock:
    case Form::free:
      break;
  }
  return "text";
}

}  // namespace

Written write(const Spec&, bool value) { return Node::of_boolean(value); }

Written write(const Spec& spec, int value) {
  if (spec.form == Form::clock) return Node::of_text(clock_text(value));
  return Node::of_integer(value);
}

Written write(const Spec&, std::int64_t value) { return Node::of_integer(value); }

Written write(const Spec&, double value) {
  const bool whole = std::trunc(value) == value && std::abs(value) < 1e15;
  return whole ? Node::of_integer(static_cast<std::int64_t>(value)) : Node::of_real(value);
}

Written write(const Spec&, std::size_t value) {
  return Node::of_text(size_text(static_cast<std::int64_t>(value)));
}

Written write(const Spec&, Duration value) { return Node::of_text(exact_text(value)); }

Written write(const Spec&, TimePoint value) {
  // RFC 3339 with the microseconds that to_rfc3339 would cut.
  auto text = to_rfc3339(value);
  const auto us = (value.time_since_epoch().count() % 1'000'000 + 1'000'000) % 1'000'000;
  if (us % 1'000 != 0) text = fmt::format("{}.{:06}Z", text.substr(0, 19), us);
  Node node = Node::of_text(std::move(text));
  node.kind = Node::Kind::time;
  return node;
}

Written write(const Spec&, const std::string& value) { return Node::of_text(value); }

Written write(const Spec&, const SecretRef& value) {
  if (value.text.empty()) return std::nullopt;
  return Node::of_text(value.text);
}

Written write(const Spec&, const std::vector<std::string>& value) {
  Node node = Node::of_list();
  for (const auto& item : value) node.items.push_back(Node::of_text(item));
  return node;
}

Written write(const Spec&, const std::vector<SecretRef>& value) {
  Node node = Node::of_list();
  for (const auto& item : value) node.items.push_back(Node::of_text(item.text));
  return node;
}

Written write(const Spec&, const std::vector<int>& value) {
  Node node = Node::of_list();
  for (const int day : value) {
    node.items.push_back(Node::of_text(std::string(days.at(static_cast<std::size_t>(day - 1)))));
  }
  return node;
}

Written write(const Spec&, const boost::json::object& value) { return node_of(value); }

Written write(const Spec&, const std::map<std::string, std::string>& value) {
  return write_table(value);
}
Written write(const Spec&, const std::map<std::string, int>& value) { return write_table(value); }
Written write(const Spec&, const std::map<std::string, Autonomy>& value) {
  return write_table(value);
}
Written write(const Spec&, const std::map<std::string, SecretRef>& value) {
  return write_table(value);
}

std::string one_of(std::span<const std::string_view> words) {
  return fmt::format("one of {}", fmt::join(words, ", "));
}

std::string type_of(const Spec&, bool) { return "true or false"; }

std::string type_of(const Spec& spec, int) {
  return spec.form == Form::clock ? "time of day" : number_type("integer", spec);
}

std::string type_of(const Spec& spec, std::int64_t) { return number_type("integer", spec); }

std::string type_of(const Spec&, double) { return "number"; }

std::string type_of(const Spec& spec, std::size_t) {
  if (spec.most) {
    return fmt::format("size, {} to {}", size_text(spec.least), size_text(*spec.most));
  }
  return spec.least > 0 ? fmt::format("size, at least {}", size_text(spec.least)) : "size";
}

std::string type_of(const Spec& spec, Duration) {
  if (spec.least == 0) return "duration";
  return fmt::format("duration, at least {}", exact_text(Duration{spec.least}));
}

std::string type_of(const Spec&, TimePoint) { return "moment"; }

std::string type_of(const Spec& spec, const std::string&) {
  return spec.choices.empty() ? std::string(form_name(spec.form)) : one_of(spec.choices);
}

std::string type_of(const Spec&, const SecretRef&) { return "secret reference"; }

std::string type_of(const Spec& spec, const std::vector<std::string>&) {
  if (spec.form == Form::program || spec.form == Form::argv) return "program and arguments";
  return spec.form == Form::free ? "list (text)" : fmt::format("list ({})", form_name(spec.form));
}

std::string type_of(const Spec&, const std::vector<SecretRef>&) {
  return "list (secret reference)";
}
std::string type_of(const Spec&, const std::vector<int>&) { return "list (day)"; }
std::string type_of(const Spec&, const boost::json::object&) { return "table (anything)"; }
std::string type_of(const Spec&, const std::map<std::string, std::string>&) {
  return "table (text)";
}
std::string type_of(const Spec&, const std::map<std::string, int>&) { return "table (integer)"; }
std::string type_of(const Spec&, const std::map<std::string, Autonomy>&) {
  return fmt::format("table ({})", one_of(Words<Autonomy>::all));
}
std::string type_of(const Spec&, const std::map<std::string, SecretRef>&) {
  return "table (secret reference)";
}
std::string type_of(const Spec&, const Match&) { return "match"; }

}  // namespace vigil::config
