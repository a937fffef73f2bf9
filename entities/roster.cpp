#include "entities/roster.hpp"

#include <fmt/format.h>

#include <array>
#include <stdexcept>

#include "entities/codebase/codebase.hpp"
#include "entities/comms/comms.hpp"
#include "entities/market/market.hpp"
#include "entities/ops/ops.hpp"
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
    Kind{"codebase", make_codebase}, Kind{"rules", make_rules},   Kind{"process", make_process},
    Kind{"ops", make_ops},           Kind{"market", make_market}, Kind{"comms", make_comms},
};

}  // namespace

Result<std::unique_ptr<Guardian>> make_guardian(const config::Entity& entity) {
  for (const auto& kind : roster) {
    if (kind.name == entity.kind) return kind.make(entity);
  }
  return fail(ErrorCode::invalid_input, fmt::format("there is no kind '{}'", entity.kind));
}

std::shared_ptr<const Guardian> Guardians::of(const config::Entity& entity) {
  {
    const std::scoped_lock lock(mutex_);
    if (const auto known = places_.find(&entity); known != places_.end()) {
      by_use_.splice(by_use_.begin(), by_use_, known->second);
      return known->second->guardian;
    }
  }
  // Not under the lock: others need not wait. Two threads may make the same one; the first stays.
  auto made = make_guardian(entity);
  if (!made) {
    throw std::runtime_error(fmt::format("entity.{}: {}", entity.name, made.error().message));
  }
  std::shared_ptr<const Guardian> guardian = std::move(*made);
  const std::scoped_lock lock(mutex_);
  if (const auto known = places_.find(&entity); known != places_.end()) {
    return known->second->guardian;
  }
  by_use_.push_front({&entity, guardian});
  places_[&entity] = by_use_.begin();
  if (by_use_.size() > kept_max_) {
    places_.erase(by_use_.back().entity);
    by_use_.pop_back();
  }
  return guardian;
}

std::size_t Guardians::kept() const {
  const std::scoped_lock lock(mutex_);
  return by_use_.size();
}

}  // namespace vigil::entities
