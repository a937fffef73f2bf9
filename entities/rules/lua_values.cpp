#include "entities/rules/lua_values.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstring>
#include <lua.hpp>

#include "entities/rules/scope.hpp"

// Lua leaves a C function by longjmp when something is wrong: no function that Lua calls may hold
// an object with a destructor at that moment.

namespace vigil::entities {
namespace {

constexpr const char* json_type = "json";
constexpr const char* event_type = "event";
constexpr int results_max = 4'096;  // of one function: each is copied wherever `...` goes

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

json::string_view text_at(lua_State* lua, int index) {
  std::size_t length = 0;
  const char* text = lua_tolstring(lua, index, &length);
  return {text, length};
}

int index_json(lua_State* lua) {
  const auto& value = json_at(lua, 1);
  const json::value* found = nullptr;
  if (const auto* object = value.if_object();
      object != nullptr && lua_type(lua, 2) == LUA_TSTRING) {
    found = object->if_contains(text_at(lua, 2));
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

// The same place of the event, not two that look alike.
int same_json(lua_State* lua) {
  lua_pushboolean(lua, &json_at(lua, 1) == &json_at(lua, 2) ? 1 : 0);
  return 1;
}

// next() for JSON: in the order of the payload.
int next_of_json(lua_State* lua) {
  const auto& value = json_at(lua, 1);
  if (const auto* array = value.if_array()) {
    const auto place = lua_isnil(lua, 2) ? 0 : lua_tointeger(lua, 2);
    if (place < 0 || static_cast<std::size_t>(place) >= array->size()) return lua_pushnil(lua), 1;
    lua_pushinteger(lua, place + 1);
    push(lua, &(*array)[static_cast<std::size_t>(place)]);
    return 2;
  }
  const auto& object = value.get_object();
  const auto* next = object.begin();
  if (lua_type(lua, 2) == LUA_TSTRING) {
    next = object.find(text_at(lua, 2));
    if (next != object.end()) ++next;
  }
  if (next == object.end()) return lua_pushnil(lua), 1;
  lua_pushlstring(lua, next->key().data(), next->key().size());
  push(lua, &next->value());
  return 2;
}

int pairs_of_json(lua_State* lua) {
  lua_pushcfunction(lua, next_of_json);
  lua_pushvalue(lua, 1);
  lua_pushnil(lua);
  return 3;
}

// The event itself: its attributes, and `data` and `forge`, which are kept apart.
int index_event(lua_State* lua) {
  const auto* view = *static_cast<const EventView**>(luaL_checkudata(lua, 1, event_type));
  if (lua_type(lua, 2) != LUA_TSTRING) return lua_pushnil(lua), 1;
  const auto word = text_at(lua, 2);
  if (word == "data") return push(lua, view->data()), 1;
  if (word == "forge") return push(lua, view->forge()), 1;
  push(lua, view->attributes().get_object().if_contains(word));
  return 1;
}

int nil_of_nil(lua_State* lua) {
  lua_pushnil(lua);
  return 1;
}
int length_of_nil(lua_State* lua) {
  lua_pushinteger(lua, 0);
  return 1;
}
int pairs_of_nil(lua_State* lua) {
  lua_pushcfunction(lua, nil_of_nil);
  return 1;
}

int refuse_to_store(lua_State* lua) {
  return luaL_error(lua, "nothing can be stored outside of an expression: use a local variable");
}

Patterns& patterns_of(lua_State* lua) { return **static_cast<Patterns**>(lua_getextraspace(lua)); }

int too_much(lua_State* lua) { return luaL_error(lua, "it looked at too much text"); }

// matches(text, pattern): RE2, in linear time. False for what is no text.
int matches(lua_State* lua) {
  (void)luaL_checkstring(lua, 2);
  if (lua_isstring(lua, 1) == 0) return lua_pushboolean(lua, 0), 1;
  const auto pattern = text_at(lua, 2);
  if (pattern.size() > Patterns::pattern_bytes_max) {
    return luaL_error(lua, "a regular expression of more than %d bytes",
                      static_cast<int>(Patterns::pattern_bytes_max));
  }
  const auto found = patterns_of(lua).find(text_at(lua, 1), pattern);
  if (found == Patterns::Answer::malformed) {
    return luaL_error(lua, "'%s' is no regular expression", pattern.data());
  }
  if (found == Patterns::Answer::too_much) return too_much(lua);
  lua_pushboolean(lua, found == Patterns::Answer::yes ? 1 : 0);
  return 1;
}

// contains(text, part). False for what is no text. Both may come from a stranger, so the search is
// one whose time does not grow with their product: memmem is, string_view::find is not.
int contains(lua_State* lua) {
  (void)luaL_checkstring(lua, 2);
  if (lua_isstring(lua, 1) == 0) return lua_pushboolean(lua, 0), 1;
  const auto text = text_at(lua, 1);
  const auto part = text_at(lua, 2);
  if (!patterns_of(lua).charge(text.size() + part.size())) return too_much(lua);
  const bool found =
      part.empty() || ::memmem(text.data(), text.size(), part.data(), part.size()) != nullptr;
  lua_pushboolean(lua, found ? 1 : 0);
  return 1;
}

// A function of Lua's own, charged for the size of what it is given and of what it gives: its steps
// are not counted. It runs in this frame, so its errors read as always.
int weighed(lua_State* lua) {
  std::size_t bytes = 0;
  for (int at = lua_gettop(lua); at >= 1; --at) {
    const bool is_table = lua_type(lua, at) == LUA_TTABLE;
    bytes += (is_table ? sizeof(void*) * 2 : 1) * static_cast<std::size_t>(lua_rawlen(lua, at));
  }
  if (!patterns_of(lua).charge(bytes)) return too_much(lua);
  const int results = lua_tocfunction(lua, lua_upvalueindex(1))(lua);
  if (results > results_max) return luaL_error(lua, "more than %d values at once", results_max);
  return results;
}

// As Lua's own, without addresses: the same event must give the same answer.
int tostring(lua_State* lua) {
  switch (lua_type(lua, 1)) {
    case LUA_TNIL:
    case LUA_TBOOLEAN:
    case LUA_TNUMBER:
    case LUA_TSTRING:
      luaL_tolstring(lua, 1, nullptr);
      return 1;
    default:
      luaL_checkany(lua, 1);
      lua_pushstring(lua, luaL_typename(lua, 1));
      return 1;
  }
}

void make_type(lua_State* lua, const char* name, const luaL_Reg* functions) {
  luaL_newmetatable(lua, name);
  luaL_setfuncs(lua, functions, 0);
  lua_pop(lua, 1);
}

// A field of the table at the top, taken from the table of that name among Lua's own.
void take(lua_State* lua, int from, const char* name) {
  lua_getfield(lua, from, name);
  lua_setfield(lua, -2, name);
}

void take_weighed(lua_State* lua, int from, const char* name) {
  lua_getfield(lua, from, name);
  lua_pushcclosure(lua, weighed, 1);
  lua_setfield(lua, -2, name);
}

// The table at the top becomes one that can be read and no more.
void seal(lua_State* lua) {
  lua_newtable(lua);
  lua_newtable(lua);
  lua_pushvalue(lua, -3);
  lua_setfield(lua, -2, "__index");
  lua_pushcfunction(lua, refuse_to_store);
  lua_setfield(lua, -2, "__newindex");
  lua_setmetatable(lua, -2);
  lua_remove(lua, -2);
}

template <std::size_t Count>
void take_library(lua_State* lua, const char* name, lua_CFunction open,
                  const char* const (&functions)[Count]) {
  luaL_requiref(lua, name, open, 0);
  const int library = lua_gettop(lua);
  lua_newtable(lua);
  for (const auto* function : functions) {
    lua_getfield(lua, library, function);
    const bool is_function = lua_iscfunction(lua, -1) != 0;
    lua_pop(lua, 1);
    is_function ? take_weighed(lua, library, function) : take(lua, library, function);
  }
  seal(lua);
  lua_remove(lua, library);
  lua_setfield(lua, -2, name);
}

// String methods (event.subject:upper()) find the chosen functions, not all of the library.
void restrict_methods(lua_State* lua, int environment) {
  lua_pushliteral(lua, "");
  lua_getmetatable(lua, -1);
  lua_getfield(lua, environment, "string");
  lua_setfield(lua, -2, "__index");
  lua_pop(lua, 2);
}

}  // namespace

void push_environment(lua_State* lua, Patterns& patterns) {
  *static_cast<Patterns**>(lua_getextraspace(lua)) = &patterns;
  static constexpr luaL_Reg of_json[] = {{"__index", index_json},
                                         {"__len", length_of_json},
                                         {"__eq", same_json},
                                         {"__pairs", pairs_of_json},
                                         {nullptr, nullptr}};
  static constexpr luaL_Reg of_event[] = {{"__index", index_event}, {nullptr, nullptr}};
  static constexpr luaL_Reg of_nil[] = {{"__index", nil_of_nil},
                                        {"__len", length_of_nil},
                                        {"__pairs", pairs_of_nil},
                                        {nullptr, nullptr}};
  static constexpr luaL_Reg own[] = {
      {"matches", matches}, {"contains", contains}, {"tostring", tostring}, {nullptr, nullptr}};
  make_type(lua, json_type, of_json);
  make_type(lua, event_type, of_event);
  lua_pushnil(lua);
  luaL_newlib(lua, of_nil);
  lua_setmetatable(lua, -2);
  lua_pop(lua, 1);
  luaL_requiref(lua, "_G", luaopen_base, 0);
  const int base = lua_gettop(lua);
  luaL_newlib(lua, own);
  for (const auto* name : {"assert", "ipairs", "next", "pairs", "select", "type"}) {
    take(lua, base, name);
  }
  take_weighed(lua, base, "tonumber");
  lua_remove(lua, base);
  // A function of C is not interrupted by the count of steps: those that can run long, or depend on
  // more than their arguments, are not there.
  take_library(lua, "string", luaopen_string,
               {"byte", "char", "len", "lower", "reverse", "sub", "upper"});
  take_library(lua, "table", luaopen_table, {"insert", "pack", "remove", "unpack"});
  take_library(lua, "math", luaopen_math,
               {"abs", "ceil", "exp", "floor", "fmod", "huge", "log", "max", "maxinteger", "min",
                "mininteger", "modf", "pi", "sqrt", "tointeger", "type", "ult"});
  restrict_methods(lua, lua_gettop(lua));
  seal(lua);
}

void push_event(lua_State* lua, const EventView& event) {
  *static_cast<const EventView**>(lua_newuserdatauv(lua, sizeof(void*), 0)) = &event;
  luaL_setmetatable(lua, event_type);
}

}  // namespace vigil::entities
