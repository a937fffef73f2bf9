#include "entities/roster.hpp"

#include <fmt/format.h>

#include <array>

#include "entities/codebase/codebase.hpp"
#include "entities/process/process.hpp"
#include "entities/rules/rules.hpp"

namespace vigil::entities {
namespace {

struct Kind {
  std::string_view name;
  Result<std::unique_ptr<Guardian>> (*make)(const config::Entity& entity);
};

// A new kind is a folder and a line here.
constexpr std::array roster{
    Kind{"codebase", make_codebase},
    Kind{"rules", make_rules},
    Kind{"process", make_process},
};

}  // namespace

Result<std::unique_ptr<Guardian>> make_guardian(const config::Entity& entity) {
  for (const auto& kind : roster) {
    if (kind.name == entity.kind) return kind.make(entity);
  }
  return fail(ErrorCode::invalid_input, fmt::format("there is no kind '{}'", entity.kind));
}

}  // namespace vigil::entities
