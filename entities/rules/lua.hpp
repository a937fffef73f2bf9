#pragma once
// Lua over an event, in a tight sandbox: no files, no system, no loading of code, nothing that
// outlives one question, a budget of steps and of memory, no function of C that could run for long.
// A field that is missing is nil, and so is every field of nil. Each thread has its own machine,
// shared by all expressions; an Expression may be asked from several threads at once.
#include <memory>
#include <string>

#include "core/error.hpp"
#include "entities/rules/scope.hpp"

namespace vigil::entities {

class Expression {
 public:
  // `source` sees `event`: an expression, or statements that `return` their answer. Fails with
  // Lua's message, which names the line, when it cannot be read.
  static Result<Expression> compile(const std::string& source);
  // Is it true (neither nil nor false) for this event?
  Result<bool> holds(const EventView& event) const;

 private:
  struct Code {
    std::uint64_t number = 0;  // unique in the process: the key of each thread's compiled form
    std::string chunk;
  };
  explicit Expression(std::shared_ptr<const Code> code) : code_(std::move(code)) {}
  std::shared_ptr<const Code> code_;
  friend class Machine;
};

}  // namespace vigil::entities
