#include "daemon/runtime/standing.hpp"

#include <algorithm>

namespace vigil::runtime {

std::vector<StandingCase> standing_cases_of(const Inhabitants& inhabitants,
                                            const Inhabitants* before) {
  std::vector<StandingCase> out;
  for (const auto* all : {&inhabitants, before}) {
    if (all == nullptr) continue;
    for (const auto& one : all->all()) {
      // Rules keep none, and asking one would make it.
      if (entities::Guardians::may_forget(one->settings)) continue;
      for (auto& key : one->guardian->standing_cases()) {
        out.push_back({one->settings.name, std::move(key)});
      }
    }
  }
  std::ranges::sort(out);
  const auto twice = std::ranges::unique(out);
  out.erase(twice.begin(), twice.end());
  return out;
}

void commit_standing(storage::Stores& stores, const std::vector<StandingCase>& cases,
                     TimePoint now) {
  for (const auto& one : cases) {
    const auto of = stores.cases.open(one.entity, one.key, now).id;
    stores.timers.set(storage::Timer{
        {}, one.entity, of, {}, std::string(entities::settings_timer), now, nullptr});
  }
}

}  // namespace vigil::runtime
