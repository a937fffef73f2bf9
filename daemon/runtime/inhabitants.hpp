#pragma once
// The entities of one configuration: an index that finds who may care about an event without asking
// all, filters, and guardians, of which those made of rules are kept for the entities used last.
// Says the same for ever once made, shared by threads; a reload makes a new one while decisions
// under the old one finish.
#include <memory>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "core/event.hpp"
#include "entities/guardian.hpp"
#include "entities/roster.hpp"
#include "entities/rules/filter.hpp"

namespace vigil::runtime {

// The guardian of one entity, as a pointer to it. It may have to be made first: see Guardians.
class GuardianPointer {
 public:
  GuardianPointer(const config::Entity& entity, entities::Guardians& shared)
      : entity_(&entity), shared_(&shared) {}
  explicit GuardianPointer(std::shared_ptr<const entities::Guardian> kept)
      : kept_(std::move(kept)) {}
  // Lives as long as the expression it is asked in.
  std::shared_ptr<const entities::Guardian> operator->() const {
    return kept_ ? kept_ : shared_->of(*entity_);
  }

 private:
  const config::Entity* entity_ = nullptr;
  entities::Guardians* shared_ = nullptr;
  std::shared_ptr<const entities::Guardian> kept_;  // of a kind that is never let go
};

struct Inhabitant {
  const config::Entity& settings;  // of the Inhabitants' own settings
  GuardianPointer guardian;
  bool is_process = false;
};

// What one entity makes of one event.
struct Routed {
  const Inhabitant* who = nullptr;
  entities::Interest interest;
};

class Inhabitants {
 public:
  // All mistakes in one error, one a line. The settings are shared, not copied: an idle entity is
  // little more than its line in them.
  static Result<std::shared_ptr<const Inhabitants>> compile(
      std::shared_ptr<const config::Settings> settings);
  ~Inhabitants();

  const Inhabitant* find(const std::string& name) const;
  const std::vector<std::unique_ptr<Inhabitant>>& all() const;
  // Everybody whose subscriptions match, each once, with their interest. `missed` says in words how
  // many subscriptions were looked at in vain, for the ledger.
  std::vector<Routed> route(const Event& event, std::string& missed) const;
  // Entities whose `cancel_on` names the type: their running swarms on this event's case are
  // cancelled.
  const config::Settings& settings() const;

 private:
  Inhabitants();
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::runtime
