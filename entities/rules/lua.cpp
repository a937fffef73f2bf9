#include "entities/rules/lua.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <atomic>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdlib>
#include <lua.hpp>
#include <stdexcept>
#include <unordered_map>

// Lua leaves a C function by longjmp when something is wrong: no function that Lua calls may hold
// an object with a destructor at that moment.

namespace vigil::entities {
namespace {

constexpr int instructions_max = 100'000;
constexpr std::size_t memory_bytes_max = 8 * 1024 * 1024;
constexpr std::size_t compiled_max = 4'096;  // expressions a machine keeps before it starts afresh
constexpr const char* json_type = "json";

struct Budget {
  std::size_t used = 0;
};

void* allocate(void* budget_of, void* block, std::size_t old_size, std::size_t new_size) {
  auto& budget = *static_cast<Budget*>(budget_of);
  if (block == nullptr) old_size = 0;  // then it says what kind of object is meant
  if (new_size == 0) {
    budget.used -= old_size;
    std::free(block);
    return nullptr;
  }
  if (budget.used - old_size + new_size > memory_bytes_max) return nullptr;
  void* moved = std::realloc(block, new_size);
  if (moved != nullptr) budget.used += new_size - old_size;
  return moved;
}

void out_of_budget(lua_State* lua, lua_Debug*) {
  luaL_error(lua, "it took more than %d steps", instructions_max);
}

void push(lua_State* lua, const json::value* value) {
  if (value == nullptr) return lua_pushnil(lua);
  switch (value->kind()) {
    case json::kind::null:
      return lua_pushnil(lua);
    case json::kind::bool_:
      return lua_pushboolean(lua, value->get_bool() ? 1 : 0);
    case json::kind::int64:
      return lua_pushinteger(lua, value->get_int64());
    case json::kind::uint64:
      return lua_pushnumber(lua, static_cast<double>(value->get_uint64()));
    case json::kind::double_:
      return lua_pushnumber(lua, value->get_double());
    case json::kind::string: {
      const auto& text = value->get_string();
      lua_pushlstring(lua, text.data(), text.size());
      return;
    }
    case json::kind::array:
    case json::kind::object:
      *static_cast<const json::value**>(lua_newuserdatauv(lua, sizeof value, 0)) = value;
      luaL_setmetatable(lua, json_type);
      return;
  }
}

const json::value& json_at(lua_State* lua, int index) {
  return **static_cast<const json::value**>(luaL_checkudata(lua, index, json_type));
}

int index_json(lua_State* lua) {
  const auto& value = json_at(lua, 1);
  const json::value* found = nullptr;
  if (const auto* object = value.if_object(); object != nullptr && lua_isstring(lua, 2) != 0) {
    std::size_t length = 0;
    const char* name = lua_tolstring(lua, 2, &length);
    found = object->if_contains(json::string_view(name, length));
  } else if (const auto* array = value.if_array(); array != nullptr && lua_isinteger(lua, 2) != 0) {
    const auto place = lua_tointeger(lua, 2);  // Lua counts from one
    if (place >= 1 && static_cast<std::size_t>(place) <= array->size()) {
      found = &(*array)[static_cast<std::size_t>(place) - 1];
    }
  }
  push(lua, found);
  return 1;
}

int length_of_json(lua_State* lua) {
  const auto& value = json_at(lua, 1);
  const auto size = value.is_array() ? value.get_array().size() : value.get_object().size();
  lua_pushinteger(lua, static_cast<lua_Integer>(size));
  return 1;
}

// The event itself: its attributes, and `data`, which is kept apart.
int index_event(lua_State* lua) {
  const auto* view = *static_cast<const EventView**>(luaL_checkudata(lua, 1, "event"));
  std::size_t length = 0;
  const char* name = luaL_checklstring(lua, 2, &length);
  const json::string_view word(name, length);
  const json::value* found =
      word == "data" ? view->data() : view->attributes().get_object().if_contains(word);
  push(lua, found);
  return 1;
}

int nil_of_nil(lua_State* lua) {
  lua_pushnil(lua);
  return 1;
}

enum class Match { no, yes, malformed };

Match find_pattern(std::string_view text, std::string_view pattern) {
  RE2::Options options;
  options.set_max_mem(1 << 20);
  options.set_log_errors(false);
  const RE2 expression(re2::StringPiece(pattern.data(), pattern.size()), options);
  if (!expression.ok()) return Match::malformed;
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), expression) ? Match::yes
                                                                                   : Match::no;
}

// matches(text, pattern): RE2, in linear time. False for what is no text.
int matches(lua_State* lua) {
  std::size_t pattern_length = 0;
  const char* pattern = luaL_checklstring(lua, 2, &pattern_length);
  std::size_t text_length = 0;
  const char* text = lua_isstring(lua, 1) != 0 ? lua_tolstring(lua, 1, &text_length) : nullptr;
  const auto found =
      text == nullptr ? Match::no : find_pattern({text, text_length}, {pattern, pattern_length});
  if (found == Match::malformed) return luaL_error(lua, "'%s' is no regular expression", pattern);
  lua_pushboolean(lua, found == Match::yes ? 1 : 0);
  return 1;
}

int contains(lua_State* lua) {
  std::size_t part_length = 0;
  const char* part = luaL_checklstring(lua, 2, &part_length);
  std::size_t text_length = 0;
  const char* text = lua_isstring(lua, 1) != 0 ? lua_tolstring(lua, 1, &text_length) : "";
  const std::string_view whole(text, text_length);
  lua_pushboolean(lua, whole.find(std::string_view(part, part_length)) != whole.npos ? 1 : 0);
  return 1;
}

void forget_globals(lua_State* lua) {
  for (const char* name :
       {"collectgarbage", "dofile", "error", "getmetatable", "load", "loadfile", "pcall", "print",
        "rawequal", "rawget", "rawlen", "rawset", "require", "setmetatable", "warn", "xpcall"}) {
    lua_pushnil(lua);
    lua_setglobal(lua, name);
  }
  // A function of C is not interrupted by the step count: those that can run long are not there.
  lua_getglobal(lua, "string");
  for (const char* name :
       {"dump", "find", "format", "gmatch", "gsub", "match", "pack", "rep", "unpack"}) {
    lua_pushnil(lua);
    lua_setfield(lua, -2, name);
  }
  lua_getglobal(lua, "table");
  for (const char* name : {"concat", "move", "sort"}) {
    lua_pushnil(lua);
    lua_setfield(lua, -2, name);
  }
  lua_getglobal(lua, "math");
  for (const char* name : {"random", "randomseed"}) {  // same event, same answer
    lua_pushnil(lua);
    lua_setfield(lua, -2, name);
  }
  lua_settop(lua, 0);
}

void make_type(lua_State* lua, const char* name, lua_CFunction index, lua_CFunction length) {
  luaL_newmetatable(lua, name);
  lua_pushcfunction(lua, index);
  lua_setfield(lua, -2, "__index");
  if (length != nullptr) {
    lua_pushcfunction(lua, length);
    lua_setfield(lua, -2, "__len");
  }
  lua_pop(lua, 1);
}

}  // namespace

// One thread's Lua.
class Machine {
 public:
  Machine() : lua_(lua_newstate(allocate, &budget_)) {
    if (lua_ == nullptr) throw std::runtime_error("no memory for a Lua machine");
    luaL_requiref(lua_, "_G", luaopen_base, 1);
    luaL_requiref(lua_, "string", luaopen_string, 1);
    luaL_requiref(lua_, "table", luaopen_table, 1);
    luaL_requiref(lua_, "math", luaopen_math, 1);
    lua_settop(lua_, 0);
    forget_globals(lua_);
    lua_register(lua_, "matches", matches);
    lua_register(lua_, "contains", contains);
    make_type(lua_, json_type, index_json, length_of_json);
    make_type(lua_, "event", index_event, nullptr);
    lua_pushnil(lua_);
    lua_newtable(lua_);
    lua_pushcfunction(lua_, nil_of_nil);
    lua_setfield(lua_, -2, "__index");
    lua_setmetatable(lua_, -2);
    lua_settop(lua_, 0);
  }
  ~Machine() { lua_close(lua_); }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  static Machine& of_this_thread() {
    thread_local std::unique_ptr<Machine> machine;
    if (!machine || machine->compiled_.size() > compiled_max) machine = std::make_unique<Machine>();
    return *machine;
  }

  Result<int> compile(const Expression::Code& code) {
    if (const auto known = compiled_.find(code.number); known != compiled_.end()) {
      return known->second;
    }
    const auto chunk = fmt::format("local event = ...\nreturn ({}\n)", code.text);
    if (luaL_loadbufferx(lua_, chunk.data(), chunk.size(), "=when", "t") != LUA_OK)
      return failure();
    const int place = luaL_ref(lua_, LUA_REGISTRYINDEX);
    compiled_.emplace(code.number, place);
    return place;
  }

  Result<bool> ask(const Expression::Code& code, const EventView& event) {
    const auto place = compile(code);
    if (!place) return std::unexpected(place.error());
    (void)event.attributes();  // made now, where an allocation that fails may throw
    lua_sethook(lua_, out_of_budget, LUA_MASKCOUNT, instructions_max);
    lua_rawgeti(lua_, LUA_REGISTRYINDEX, *place);
    *static_cast<const EventView**>(lua_newuserdatauv(lua_, sizeof(void*), 0)) = &event;
    luaL_setmetatable(lua_, "event");
    if (lua_pcall(lua_, 1, 1, 0) != LUA_OK) return failure();
    const bool holds = lua_toboolean(lua_, -1) != 0;
    lua_settop(lua_, 0);
    return holds;
  }

 private:
  std::unexpected<Error> failure() {
    const char* said = lua_tostring(lua_, -1);
    std::string message = said == nullptr ? "it failed" : said;
    lua_settop(lua_, 0);
    lua_gc(lua_, LUA_GCCOLLECT);
    return fail(ErrorCode::invalid_input, "Lua: " + message);
  }

  Budget budget_;
  lua_State* lua_;
  std::unordered_map<std::uint64_t, int> compiled_;
};

Result<Expression> Expression::compile(const std::string& source) {
  static std::atomic<std::uint64_t> next{1};
  auto code = std::make_shared<Code>(Code{next.fetch_add(1), source});
  const auto compiled = Machine::of_this_thread().compile(*code);
  if (!compiled) return std::unexpected(compiled.error());
  return Expression(std::move(code));
}

Result<bool> Expression::holds(const EventView& event) const {
  return Machine::of_this_thread().ask(*code_, event);
}

}  // namespace vigil::entities
