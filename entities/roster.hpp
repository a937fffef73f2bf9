#pragma once
// The kinds of entities there are, as a table one can read.
#include <list>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "config/settings.hpp"
#include "entities/guardian.hpp"

namespace vigil::entities {

// The guardian behind an entity. For kind "process" the guardian answers `interest` only; decide()
// goes through entities/process/process_host.hpp, on the loop. Fails with what is wrong in the
// entity's rules (a Lua or regex mistake).
Result<std::unique_ptr<Guardian>> make_guardian(const config::Entity& entity);

// Guardians that are made when they are asked for. One of kind "rules" is a pure function of its
// settings: only those used last are kept, the others are made again when their time comes. Any
// thread.
class Guardians {
 public:
  explicit Guardians(std::size_t kept_max = 256) : kept_max_(kept_max) {}

  // Whether a guardian of that kind may be let go and made again.
  static bool may_forget(const config::Entity& entity) { return entity.kind == "rules"; }
  // Made, or made earlier. The entity must have made a guardian before and outlive this. Throws
  // std::runtime_error when it cannot be made any more.
  std::shared_ptr<const Guardian> of(const config::Entity& entity);
  std::size_t kept() const;

 private:
  struct Kept {
    const config::Entity* entity;
    std::shared_ptr<const Guardian> guardian;
  };
  std::size_t kept_max_;
  mutable std::mutex mutex_;
  std::list<Kept> by_use_;  // the last one used first
  std::unordered_map<const config::Entity*, std::list<Kept>::iterator> places_;
};

}  // namespace vigil::entities
