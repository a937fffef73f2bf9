#pragma once
// Decides whether an event matches: field matches, then a Lua expression. Compiled once; a Filter
// may be asked from several threads at once.
#include <memory>
#include <string>

#include "config/match.hpp"
#include "core/event.hpp"
#include "entities/rules/scope.hpp"

namespace vigil::entities {

class Filter {
 public:
  // Fails with what is wrong in the Lua or a regex.
  static Result<Filter> compile(const config::Match& match, const std::string& lua);
  Filter(Filter&&) noexcept;
  Filter& operator=(Filter&&) noexcept;
  ~Filter();
  // An error is a Lua expression that failed (a missing field used as a number, out of budget).
  Result<bool> matches(const Event& event) const;
  // The same against what Event's to_json gave, for callers that ask many filters about one event.
  Result<bool> matches(const json::value& event) const;

 private:
  struct State;
  explicit Filter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Whether such a condition is asked as it stands in the settings, so that nothing need be compiled
// and kept for it: neither Lua nor a regex.
bool is_plain(const config::Match& match, const std::string& lua);
// The answer of a plain one; the same as a Filter's.
bool matches_plain(const config::Match& match, const EventView& event);

// Does `name` match a pattern in which `*` stands for any run of characters?
bool matches_glob(std::string_view pattern, std::string_view name);

}  // namespace vigil::entities
