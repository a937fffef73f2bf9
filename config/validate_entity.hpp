#pragma once
// The rules across keys that concern one entity. Pure.
#include <string>
#include <string_view>
#include <vector>

#include "config/validate.hpp"

namespace vigil::config {

// The source of events that people emit by hand; it is always there.
inline constexpr std::string_view admin_source = "admin";
// What the daemon itself has to say: silences.
inline constexpr std::string_view own_source = "vigil";

struct Violations {
  std::vector<Violation> all;
  void add(std::string key, std::string message, std::string rests_on = {}) {
    all.push_back({std::move(key), std::move(message), std::move(rests_on)});
  }
};

void check_watches(const std::string& key, const Ops& ops, const Settings& settings,
                   Violations& found);
void check_market(const std::string& key, const Market& market, const Settings& settings,
                  Violations& found);
// Models, agents, servers of tools, and what approves and bounds them.
void check_minds(const Settings& settings, Violations& found);
// What an entity says of them.
void check_entity_minds(const std::string& key, const Entity& entity, const Settings& settings,
                        Violations& found);
// Sources of calendars and documents.
void check_personal(const Settings& settings, Violations& found);
void check_entity(const std::string& key, const Entity& entity, const Settings& settings,
                  Violations& found);

}  // namespace vigil::config
