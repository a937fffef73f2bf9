#pragma once
// The entities of one configuration, compiled: filters, guardians, and an index that finds who may
// care about an event without asking all. Immutable once made, shared by threads; a reload makes a
// new one while decisions under the old one finish.
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "config/settings.hpp"
#include "core/event.hpp"
#include "entities/guardian.hpp"
#include "entities/rules/filter.hpp"

namespace vigil::runtime {

struct Inhabitant {
  const config::Entity& settings;  // of the Inhabitants' own settings
  std::unique_ptr<entities::Guardian> guardian;
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
