#pragma once
// A built-in analyser: what vigil-task runs and plans name. It reads content from outside, so it
// runs in a contained child, never in the daemon; it may block.
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/json.hpp"
#include "core/time.hpp"

namespace vigil::entities {

// What an analyser is asked: its input, and the results of the tasks it needs.
struct Request {
  std::string task;
  json::value input;  // an object; by hand: one member for each flag, `files` for the other words
  json::object inputs;
  std::optional<Duration> time_left;  // until it is stopped
};

struct Analyser {
  std::string_view name;     // codebase.secrets
  std::string_view summary;  // one line for `vigil-task list`
  std::string_view input;    // its own input, for people: "files; ecosystem (npm, PyPI...)"
  // A result with `text` prints that by hand; one with `findings` prints a line for each.
  Result<json::value> (*run)(const Request& request);
};

// Those of all kinds, each kind's in its order.
std::span<const Analyser> all_analysers();
// By its whole name, or by the part after the dot when only one has it.
const Analyser* find_any_analyser(std::string_view name);

}  // namespace vigil::entities
