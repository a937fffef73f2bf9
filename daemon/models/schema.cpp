#include "daemon/models/schema.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>

#include "core/log.hpp"

namespace vigil::models {
namespace {

constexpr int depth_max = 32;
constexpr std::size_t misfits_max = 10;

constexpr std::array known_keys = {"type",
                                   "enum",
                                   "const",
                                   "properties",
                                   "required",
                                   "items",
                                   "prefixItems",
                                   "minItems",
                                   "maxItems",
                                   "additionalProperties",
                                   "uniqueItems",
                                   "minLength",
                                   "maxLength",
                                   "minimum",
                                   "exclusiveMinimum",
                                   "maximum",
                                   "exclusiveMaximum",
                                   "anyOf",
                                   "oneOf",
                                   "allOf",
                                   "$ref",
                                   "$defs",
                                   "title",
                                   "description",
                                   "default",
                                   "examples",
                                   "$schema",
                                   "$id",
                                   "$comment",
                                   "format"};
constexpr std::array types = {"null", "boolean", "object", "array", "number", "integer", "string"};

std::string_view type_name(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "true or false";
    case json::kind::int64:
    case json::kind::uint64:
      return "an integer";
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a text";
    case json::kind::array:
      return "a list";
    case json::kind::object:
      return "an object";
  }
  return "something else";
}

double number_of(const json::value& value) { return value.to_number<double>(); }

bool is_whole(const json::value& value) {
  if (value.is_int64() || value.is_uint64()) return true;
  constexpr double exact_max = 9e15;
  return value.is_double() && std::abs(value.as_double()) <= exact_max &&
         value.as_double() == std::trunc(value.as_double());
}

bool is_of(const json::value& value, std::string_view type) {
  if (type == "null") return value.is_null();
  if (type == "boolean") return value.is_bool();
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "number") return value.is_number();
  return type == "integer" && value.is_number() && is_whole(value);
}

// Of a text in code points, as the standard counts.
std::size_t length_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}

// ---- is it a schema we understand?

class Checking {
 public:
  explicit Checking(const json::object& root) : root_(root) {}

  Result<void> check(const json::value& schema, const std::string& at, int depth) {
    if (depth > depth_max) return wrong(at, "is nested too deeply");
    if (schema.is_bool()) return {};
    if (!schema.is_object()) return wrong(at, "expected an object");
    for (const auto& [key, value] : schema.as_object()) {
      if (std::ranges::find(known_keys, std::string_view(key)) == known_keys.end()) {
        return wrong(at, fmt::format("\"{}\" is not understood: leave it out, and say it in the "
                                     "prompt",
                                     std::string_view(key)));
      }
      if (auto good = check_member(key, value, at, depth); !good) return good;
    }
    return {};
  }

 private:
  static Result<void> wrong(const std::string& at, std::string_view what) {
    return fail(ErrorCode::invalid_input,
                fmt::format("schema{}: {}", at.empty() ? "" : " " + at, what));
  }

  Result<void> check_member(std::string_view key, const json::value& value, const std::string& at,
                            int depth) {
    const auto below = fmt::format("{}/{}", at, key);
    if (key == "type") return check_type(value, below);
    if (key == "items" || key == "additionalProperties") return check(value, below, depth + 1);
    if (key == "properties" || key == "$defs") {
      if (!value.is_object()) return wrong(below, "expected an object");
      for (const auto& [name, one] : value.as_object()) {
        auto good = check(one, fmt::format("{}/{}", below, std::string_view(name)), depth + 1);
        if (!good) return good;
      }
      return {};
    }
    if (key == "anyOf" || key == "oneOf" || key == "allOf" || key == "prefixItems") {
      if (!value.is_array() || value.as_array().empty()) return wrong(below, "expected a list");
      for (const auto& one : value.as_array()) {
        if (auto good = check(one, below, depth + 1); !good) return good;
      }
      return {};
    }
    if (key == "enum" || key == "required") {
      return value.is_array() ? Result<void>{} : wrong(below, "expected a list");
    }
    if (key == "$ref") return check_ref(value, below);
    if (key.starts_with("min") || key.starts_with("max") || key.starts_with("exclusive")) {
      return value.is_number() ? Result<void>{} : wrong(below, "expected a number");
    }
    return {};
  }

  static Result<void> check_type(const json::value& value, const std::string& at) {
    const auto is_type = [](const json::value& one) {
      return one.is_string() &&
             std::ranges::find(types, std::string_view(one.as_string())) != types.end();
    };
    const bool good = is_type(value) || (value.is_array() && !value.as_array().empty() &&
                                         std::ranges::all_of(value.as_array(), is_type));
    if (good) return {};
    return wrong(at, fmt::format("expected one of {}", fmt::join(types, ", ")));
  }

  Result<void> check_ref(const json::value& value, const std::string& at) {
    constexpr std::string_view start = "#/$defs/";
    const auto* text = value.if_string();
    if (text == nullptr || !std::string_view(*text).starts_with(start)) {
      return wrong(at, "expected \"#/$defs/NAME\"");
    }
    const auto name = std::string_view(*text).substr(start.size());
    const auto* defs = root_.if_contains("$defs");
    if (defs != nullptr && defs->is_object() && defs->as_object().contains(name)) return {};
    return wrong(at, fmt::format("there is no $defs/{}", name));
  }

  const json::object& root_;
};

// ---- does a value fit?

class Fitting {
 public:
  explicit Fitting(const json::object& root) : root_(root) {}

  void fit(const json::value& value, const json::value& schema, const std::string& at, int depth) {
    if (found.size() >= misfits_max) return;
    if (depth > 2 * depth_max) return add(at, "is nested too deeply");
    if (schema.is_bool()) {
      if (!schema.as_bool()) add(at, "is not allowed here");
      return;
    }
    const auto& rules = schema.as_object();
    if (const auto* ref = rules.if_contains("$ref")) {
      const auto name = std::string_view(ref->as_string()).substr(8);
      fit(value, root_.at("$defs").as_object().at(name), at, depth + 1);
    }
    if (const auto* type = rules.if_contains("type"); type && !fits_type(value, *type)) {
      return add(at, fmt::format("expected {}, not {}", to_text(*type), type_name(value)));
    }
    fit_values(value, rules, at);
    fit_choices(value, rules, at, depth);
    if (value.is_object()) fit_object(value.as_object(), rules, at, depth);
    if (value.is_array()) fit_list(value.as_array(), rules, at, depth);
    if (value.is_string()) fit_text(std::string_view(value.as_string()), rules, at);
    if (value.is_number()) fit_number(number_of(value), rules, at);
  }

  std::vector<std::string> found;

 private:
  void add(const std::string& at, std::string_view what) {
    if (found.size() < misfits_max) {
      found.push_back(fmt::format("{}: {}", at.empty() ? "the answer" : at, what));
    }
  }

  static bool fits_type(const json::value& value, const json::value& type) {
    if (type.is_string()) return is_of(value, std::string_view(type.as_string()));
    return std::ranges::any_of(type.as_array(), [&](const json::value& one) {
      return is_of(value, std::string_view(one.as_string()));
    });
  }

  bool fits(const json::value& value, const json::value& schema, int depth) const {
    Fitting trial(root_);
    trial.fit(value, schema, "", depth);
    return trial.found.empty();
  }

  void fit_values(const json::value& value, const json::object& rules, const std::string& at) {
    if (const auto* only = rules.if_contains("const"); only && *only != value) {
      add(at, fmt::format("expected {}", to_text(*only)));
    }
    const auto* choices = rules.if_contains("enum");
    if (choices == nullptr) return;
    const auto& list = choices->as_array();
    if (std::ranges::find(list, value) == list.end()) {
      add(at, fmt::format("expected one of {}", to_text(*choices)));
    }
  }

  void fit_choices(const json::value& value, const json::object& rules, const std::string& at,
                   int depth) {
    if (const auto* all = rules.if_contains("allOf")) {
      for (const auto& one : all->as_array()) fit(value, one, at, depth + 1);
    }
    const auto count = [&](const json::value& list) {
      return std::ranges::count_if(
          list.as_array(), [&](const json::value& one) { return fits(value, one, depth + 1); });
    };
    const auto* any = rules.if_contains("anyOf");
    if (any && count(*any) == 0) add(at, "fits none of the forms it may have");
    const auto* one = rules.if_contains("oneOf");
    if (one && count(*one) != 1) add(at, "must fit exactly one of the forms it may have");
  }

  void fit_object(const json::object& object, const json::object& rules, const std::string& at,
                  int depth) {
    if (const auto* required = rules.if_contains("required")) {
      for (const auto& name : required->as_array()) {
        if (name.is_string() && !object.contains(name.as_string())) {
          add(at, fmt::format("\"{}\" is missing", std::string_view(name.as_string())));
        }
      }
    }
    const auto* properties = rules.if_contains("properties");
    const auto* more = rules.if_contains("additionalProperties");
    for (const auto& [name, value] : object) {
      const auto below = fmt::format("{}/{}", at, std::string_view(name));
      const auto* known = properties ? properties->as_object().if_contains(name) : nullptr;
      if (known != nullptr) {
        fit(value, *known, below, depth + 1);
      } else if (more != nullptr) {
        fit(value, *more, below, depth + 1);
      }
    }
  }

  void fit_list(const json::array& list, const json::object& rules, const std::string& at,
                int depth) {
    const auto* first = rules.if_contains("prefixItems");
    const auto fixed = first ? first->as_array().size() : 0;
    const auto* items = rules.if_contains("items");
    for (std::size_t i = 0; i < list.size(); ++i) {
      const auto below = fmt::format("{}/{}", at, i);
      if (i < fixed) fit(list[i], first->as_array()[i], below, depth + 1);
      if (i >= fixed && items) fit(list[i], *items, below, depth + 1);
    }
    limit(static_cast<double>(list.size()), rules, "minItems", "maxItems", "items", at);
    const auto* unique = rules.if_contains("uniqueItems");
    if (unique == nullptr || *unique != true) return;
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (std::find(list.begin() + static_cast<std::ptrdiff_t>(i) + 1, list.end(), list[i]) !=
          list.end()) {
        return add(at, fmt::format("item {} stands there twice", i));
      }
    }
  }

  void fit_text(std::string_view text, const json::object& rules, const std::string& at) {
    limit(static_cast<double>(length_of(text)), rules, "minLength", "maxLength", "characters", at);
  }

  void fit_number(double number, const json::object& rules, const std::string& at) {
    limit(number, rules, "minimum", "maximum", "", at);
    const auto* above = rules.if_contains("exclusiveMinimum");
    if (above && number <= number_of(*above)) {
      add(at, fmt::format("must be more than {}", to_text(*above)));
    }
    const auto* below = rules.if_contains("exclusiveMaximum");
    if (below && number >= number_of(*below)) {
      add(at, fmt::format("must be less than {}", to_text(*below)));
    }
  }

  void limit(double size, const json::object& rules, const char* least, const char* most,
             std::string_view unit, const std::string& at) {
    const auto space = unit.empty() ? "" : " ";
    const auto* low = rules.if_contains(least);
    if (low && size < number_of(*low)) {
      add(at, fmt::format("must be at least {}{}{}", to_text(*low), space, unit));
    }
    const auto* high = rules.if_contains(most);
    if (high && size > number_of(*high)) {
      add(at, fmt::format("must be at most {}{}{}", to_text(*high), space, unit));
    }
  }

  const json::object& root_;
};

}  // namespace

Result<void> check_schema(const json::object& schema) {
  return Checking(schema).check(schema, "", 0);
}

std::vector<std::string> misfits(const json::value& value, const json::object& schema) {
  Fitting fitting(schema);
  fitting.fit(value, schema, "", 0);
  return std::move(fitting.found);
}

}  // namespace vigil::models
