#include "entities/rules/filter.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <vector>

#include "entities/rules/lua.hpp"

namespace vigil::entities {
namespace {

using Test = config::FieldMatch::Test;

struct Field {
  std::string path;
  Test test = Test::any_of;
  std::vector<json::value> values;
  std::vector<std::unique_ptr<RE2>> patterns;

  bool holds(const EventView& event) const;
};

struct Compiled {
  std::vector<Field> fields;
  std::vector<Compiled> all;
  std::vector<Compiled> any;
  std::vector<Compiled> none;

  bool holds(const EventView& event) const;
};

// Numbers are equal by value, whichever way they are held; text is never a number.
bool equal(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) {
    if (a.is_double() || b.is_double()) return a.to_number<double>() == b.to_number<double>();
  }
  return a == b;
}

// A field as it is compiled or as it stands in the settings; not for a regex.
bool holds_plain(const auto& field, const json::value* found) {
  const bool there = found != nullptr && !found->is_null();
  if (field.test == Test::present) return there;
  if (field.test == Test::absent) return !there;
  return field.test == Test::any_of && there &&
         std::ranges::any_of(field.values, [&](const auto& one) { return equal(one, *found); });
}

bool Field::holds(const EventView& event) const {
  const auto* found = event.find(path);
  if (test != Test::regex) return holds_plain(*this, found);
  if (found == nullptr || !found->is_string()) return false;
  return std::ranges::any_of(patterns, [&](const auto& one) {
    const auto& text = found->get_string();
    return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *one);
  });
}

bool Compiled::holds(const EventView& event) const {
  const auto holds_here = [&](const auto& part) { return part.holds(event); };
  return std::ranges::all_of(fields, holds_here) && std::ranges::all_of(all, holds_here) &&
         std::ranges::none_of(none, holds_here) &&
         (any.empty() || std::ranges::any_of(any, holds_here));
}

Result<Field> compile_field(const config::FieldMatch& match) {
  Field out;
  out.path = match.path;
  out.test = match.test;
  if (match.test != Test::regex) {
    out.values = match.values;
    return out;
  }
  RE2::Options options;
  options.set_max_mem(1 << 20);
  options.set_log_errors(false);
  for (const auto& value : match.values) {
    auto pattern = std::make_unique<RE2>(std::string(value.as_string()), options);
    if (!pattern->ok()) {
      return fail(ErrorCode::invalid_input,
                  fmt::format("{}: '{}' is no regular expression: {}", match.path,
                              std::string_view(value.as_string()), pattern->error()));
    }
    out.patterns.push_back(std::move(pattern));
  }
  return out;
}

Result<Compiled> compile_match(const config::Match& match);

Result<std::vector<Compiled>> compile_all(const std::vector<config::Match>& matches) {
  std::vector<Compiled> out;
  for (const auto& match : matches) {
    auto one = compile_match(match);
    if (!one) return std::unexpected(std::move(one.error()));
    out.push_back(std::move(*one));
  }
  return out;
}

Result<Compiled> compile_match(const config::Match& match) {
  Compiled out;
  for (const auto& field : match.fields) {
    auto one = compile_field(field);
    if (!one) return std::unexpected(std::move(one.error()));
    out.fields.push_back(std::move(*one));
  }
  auto all = compile_all(match.all);
  if (!all) return std::unexpected(std::move(all.error()));
  auto any = compile_all(match.any);
  if (!any) return std::unexpected(std::move(any.error()));
  auto none = compile_all(match.none);
  if (!none) return std::unexpected(std::move(none.error()));
  out.all = std::move(*all);
  out.any = std::move(*any);
  out.none = std::move(*none);
  return out;
}

}  // namespace

struct Filter::State {
  Compiled match;
  std::optional<Expression> when;

  Result<bool> holds(const EventView& event) const {
    if (!match.holds(event)) return false;
    if (!when) return true;
    return when->holds(event);
  }
};

Filter::Filter(std::unique_ptr<State> state) : state_(std::move(state)) {}
Filter::Filter(Filter&&) noexcept = default;
Filter& Filter::operator=(Filter&&) noexcept = default;
Filter::~Filter() = default;

Result<Filter> Filter::compile(const config::Match& match, const std::string& lua) {
  auto state = std::make_unique<State>();
  auto compiled = compile_match(match);
  if (!compiled) return std::unexpected(std::move(compiled.error()));
  state->match = std::move(*compiled);
  if (!lua.empty()) {
    auto when = Expression::compile(lua);
    if (!when) return std::unexpected(std::move(when.error()));
    state->when = std::move(*when);
  }
  return Filter(std::move(state));
}

Result<bool> Filter::matches(const Event& event) const { return state_->holds(EventView(event)); }

Result<bool> Filter::matches(const json::value& event) const {
  return state_->holds(EventView(event));
}

bool is_plain(const config::Match& match, const std::string& lua) {
  const auto plain = [](const auto& one) { return is_plain(one, {}); };
  const auto no_regex = [](const auto& field) { return field.test != Test::regex; };
  return lua.empty() && std::ranges::all_of(match.fields, no_regex) &&
         std::ranges::all_of(match.all, plain) && std::ranges::all_of(match.any, plain) &&
         std::ranges::all_of(match.none, plain);
}

bool matches_plain(const config::Match& match, const EventView& event) {
  const auto field_holds = [&](const auto& field) {
    return holds_plain(field, event.find(field.path));
  };
  const auto holds = [&](const auto& part) { return matches_plain(part, event); };
  return std::ranges::all_of(match.fields, field_holds) && std::ranges::all_of(match.all, holds) &&
         std::ranges::none_of(match.none, holds) &&
         (match.any.empty() || std::ranges::any_of(match.any, holds));
}

bool matches_glob(std::string_view pattern, std::string_view name) {
  std::size_t p = 0;
  std::size_t n = 0;
  std::size_t star = std::string_view::npos;  // where to try again, one character further
  std::size_t retry = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      retry = n;
    } else if (p < pattern.size() && pattern[p] == name[n]) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++retry;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace vigil::entities
