#pragma once
// A memory for one codebase guardian, kept in the test; and wakes to put into it.
#include <map>

#include "entities/guardian.hpp"

namespace vigil::testing {

class FakeMemory final : public entities::Recollection {
 public:
  json::object state;
  std::map<std::string, json::value> known_preferences;
  std::map<std::string, json::value> known_facts;

  json::object case_state() const override { return state; }
  std::optional<RememberedFact> fact(const std::string& key) const override {
    const auto found = known_facts.find(key);
    if (found == known_facts.end()) return std::nullopt;
    return RememberedFact{key, found->second, 1.0, {}};
  }
  std::vector<RememberedFact> facts(const std::string& prefix, int) const override {
    std::vector<RememberedFact> all;
    for (const auto& [key, value] : known_facts) {
      if (key.starts_with(prefix)) all.push_back({key, value, 1.0, {}});
    }
    return all;
  }
  std::vector<RememberedEpisode> episodes(int) const override { return {}; }
  std::vector<Found> search(const std::string&, int) const override { return {}; }
  std::optional<json::value> preference(const std::string& key) const override {
    const auto found = known_preferences.find(key);
    if (found == known_preferences.end()) return std::nullopt;
    return found->second;
  }
  std::vector<RememberedFact> preferences(const std::string& prefix, int) const override {
    std::vector<RememberedFact> all;
    for (const auto& [key, value] : known_preferences) {
      if (key.starts_with(prefix)) all.push_back({key, value, 1.0, {}});
    }
    return all;
  }

  // What the runtime does with a decision.
  void keep(const entities::Decision& decision) {
    if (decision.state) state = *decision.state;
    for (const auto& fact : decision.facts) known_facts[fact.key] = fact.value;
    for (const auto& preference : decision.preferences) {
      if (preference.value.is_null()) {
        known_preferences.erase(preference.key);
      } else {
        known_preferences[preference.key] = preference.value;
      }
    }
  }
};

inline EventPtr make_event(std::string type, json::value data) {
  auto event = std::make_shared<Event>();
  event->type = std::move(type);
  event->source = "forge";
  event->data = std::move(data);
  return event;
}

template <class Because>
entities::Wake wake_for(Because because) {
  entities::Wake wake;
  wake.entity = "keeper";
  wake.case_key = "octo/repo#12";
  wake.now = from_unix_us(1'790'000'000'000'000);
  wake.because = std::move(because);
  return wake;
}

}  // namespace vigil::testing
