#pragma once
// What Lua sees: the event and its JSON, read only and never copied as a whole, and the few
// functions that are safe to have. Private to rules; the machine of one thread.
#include <cstddef>
#include <string_view>

struct lua_State;

namespace vigil::entities {

// matches() and its compiled patterns, as lua_values.cpp asks for them.
class Patterns {
 public:
  // Longer ones would be kept compiled in each thread, and may come from a stranger.
  static constexpr std::size_t pattern_bytes_max = 4096;
  virtual ~Patterns() = default;
  enum class Answer { no, yes, malformed, too_much };
  virtual Answer find(std::string_view text, std::string_view pattern) noexcept = 0;
  // Counts bytes that a function looked at; false when it was too much.
  virtual bool charge(std::size_t bytes) noexcept = 0;
};

class EventView;

// Leaves the environment of all expressions on the stack: a table nobody can write to. `patterns`
// must outlive the state.
void push_environment(lua_State* lua, Patterns& patterns);
void push_event(lua_State* lua, const EventView& event);

}  // namespace vigil::entities
