#include "entities/rules/lua.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <atomic>
#include <cstdlib>
#include <lua.hpp>
#include <stdexcept>
#include <unordered_map>

#include "entities/rules/lua_values.hpp"

namespace vigil::entities {
namespace {

constexpr int instructions_max = 100'000;
constexpr std::size_t memory_bytes_max = 8 * 1024 * 1024;  // held at once by one question
constexpr std::size_t made_bytes_max = 64 * 1024 * 1024;   // by one question, in all
constexpr std::size_t looked_at_bytes_max = 64 * 1024 * 1024;
constexpr std::size_t compiled_max = 4'096;  // expressions a machine keeps before it starts afresh
constexpr std::size_t patterns_max = 256;

// Only while an expression runs, and Lua can say that there is no memory, is there less of it.
struct Budget {
  std::size_t used = 0;
  std::size_t used_max = 0;  // 0: no limit
  std::size_t made = 0;
  std::size_t looked_at = 0;  // apart: the error that says so must still be made

  void begin() {
    used_max = used + memory_bytes_max;
    made = looked_at = 0;
  }
  void end() { used_max = 0; }
  bool allows(std::size_t more) const {
    return used_max == 0 || (used + more <= used_max && made + more <= made_bytes_max);
  }
};

void* allocate(void* budget_of, void* block, std::size_t old_size, std::size_t new_size) {
  auto& budget = *static_cast<Budget*>(budget_of);
  if (block == nullptr) old_size = 0;  // then it says what kind of object is meant
  if (new_size == 0) {
    budget.used -= old_size;
    std::free(block);
    return nullptr;
  }
  const auto more = new_size > old_size ? new_size - old_size : 0;
  if (more > 0 && !budget.allows(more)) return nullptr;
  void* moved = std::realloc(block, new_size);
  if (moved == nullptr) return nullptr;
  budget.used += new_size - old_size;
  budget.made += more;
  return moved;
}

void out_of_steps(lua_State* lua, lua_Debug*) {
  luaL_error(lua, "it took more than %d steps", instructions_max);
}

}  // namespace

// One thread's Lua.
class Machine final : public Patterns {
 public:
  Machine() : lua_(lua_newstate(allocate, &budget_)) {
    if (lua_ == nullptr) throw std::runtime_error("no memory for a Lua machine");
    push_environment(lua_, *this);
    environment_ = luaL_ref(lua_, LUA_REGISTRYINDEX);
    lua_settop(lua_, 0);
  }
  ~Machine() override { lua_close(lua_); }
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  static Machine& of_this_thread() {
    thread_local std::unique_ptr<Machine> machine;
    if (!machine || machine->compiled_.size() > compiled_max) machine = std::make_unique<Machine>();
    return *machine;
  }

  // Leaves it on the stack.
  Result<void> load(const std::string& chunk) {
    if (luaL_loadbufferx(lua_, chunk.data(), chunk.size(), "=when", "t") == LUA_OK) return {};
    return failure();
  }
  void forget_loaded() { lua_settop(lua_, 0); }

  Result<bool> ask(const Expression::Code& code, const EventView& event) {
    const auto place = compiled(code);
    if (!place) return std::unexpected(place.error());
    // Made now, where an allocation that fails may throw.
    (void)event.attributes();
    if (code.chunk.find("forge") != std::string::npos) (void)event.find("forge");
    lua_rawgeti(lua_, LUA_REGISTRYINDEX, *place);
    push_event(lua_, event);
    lua_rawgeti(lua_, LUA_REGISTRYINDEX, environment_);
    lua_sethook(lua_, out_of_steps, LUA_MASKCOUNT, instructions_max);
    budget_.begin();
    const int failed = lua_pcall(lua_, 2, 1, 0);
    budget_.end();
    if (failed != LUA_OK) return failure();
    const bool holds = lua_toboolean(lua_, -1) != 0;
    lua_settop(lua_, 0);
    return holds;
  }

  Answer find(std::string_view text, std::string_view pattern) noexcept override {
    if (!charge(text.size() + pattern.size())) return Answer::too_much;
    auto& known = patterns_[std::string(pattern)];
    if (!known) known = make_pattern(pattern);
    const auto answer = !known->ok()                                            ? Answer::malformed
                        : RE2::PartialMatch({text.data(), text.size()}, *known) ? Answer::yes
                                                                                : Answer::no;
    if (patterns_.size() > patterns_max) patterns_.clear();
    return answer;
  }
  bool charge(std::size_t bytes) noexcept override {
    budget_.looked_at += bytes;
    return budget_.looked_at <= looked_at_bytes_max;
  }

 private:
  static std::unique_ptr<RE2> make_pattern(std::string_view pattern) {
    RE2::Options options;
    options.set_max_mem(1 << 20);
    options.set_log_errors(false);
    return std::make_unique<RE2>(re2::StringPiece(pattern.data(), pattern.size()), options);
  }

  Result<int> compiled(const Expression::Code& code) {
    const auto known = compiled_.find(code.number);
    if (known != compiled_.end()) return known->second;
    if (auto loaded = load(code.chunk); !loaded) return std::unexpected(std::move(loaded.error()));
    const int place = luaL_ref(lua_, LUA_REGISTRYINDEX);
    compiled_.emplace(code.number, place);
    return place;
  }

  std::unexpected<Error> failure() {
    const char* said = lua_tostring(lua_, -1);
    std::string message = said == nullptr ? "it failed" : said;
    if (message == "not enough memory") {
      message = fmt::format("it needs more memory than it may have ({} MiB at once, {} MiB in all)",
                            memory_bytes_max >> 20, made_bytes_max >> 20);
    }
    lua_settop(lua_, 0);
    lua_gc(lua_, LUA_GCCOLLECT);
    return fail(ErrorCode::invalid_input, "Lua: " + message);
  }

  Budget budget_;
  lua_State* lua_;
  int environment_ = LUA_NOREF;
  std::unordered_map<std::uint64_t, int> compiled_;
  std::unordered_map<std::string, std::unique_ptr<RE2>> patterns_;
};

Result<Expression> Expression::compile(const std::string& source) {
  if (source.find_first_not_of(" \t\r\n") == std::string::npos) {
    return fail(ErrorCode::invalid_input, "Lua: when:1: expected an expression, it is blank");
  }
  static std::atomic<std::uint64_t> next{1};
  // _ENV is a local of the chunk: an expression that puts another one there changes nothing of the
  // next question. All on one line, so that Lua's line numbers are those of the source.
  constexpr std::string_view before = "local event, _ENV = ... ";
  auto& machine = Machine::of_this_thread();
  auto chunk = fmt::format("{}return {}\n", before, source);
  auto loaded = machine.load(chunk);
  if (!loaded && source.find("return") != std::string::npos) {
    chunk = fmt::format("{}{}\n", before, source);
    loaded = machine.load(chunk);
  }
  machine.forget_loaded();
  if (!loaded) return std::unexpected(std::move(loaded.error()));
  return Expression(std::make_shared<Code>(Code{next.fetch_add(1), std::move(chunk)}));
}

Result<bool> Expression::holds(const EventView& event) const {
  return Machine::of_this_thread().ask(*code_, event);
}

}  // namespace vigil::entities
