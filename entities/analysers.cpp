#include <algorithm>
#include <vector>

#include "entities/analyser.hpp"
#include "entities/calendar/analysers.hpp"
#include "entities/ci/analysers.hpp"
#include "entities/codebase/analysers.hpp"
#include "entities/comms/analysers.hpp"
#include "entities/deps/analysers.hpp"
#include "entities/feeds/analysers.hpp"
#include "entities/knowledge/analysers.hpp"
#include "entities/logs/analysers.hpp"
#include "entities/market/analysers.hpp"
#include "entities/ops/analysers.hpp"
#include "entities/series/analysers.hpp"

namespace vigil::entities {
namespace {

std::vector<Analyser> gather() {
  std::vector<Analyser> all;
  for (const auto table :
       {codebase::analysers(), deps::analysers(), ci::analysers(), series::analysers(),
        ops::analysers(), logs::analysers(), market::analysers(), calendar::analysers(),
        feeds::analysers(), knowledge::analysers(), comms::analysers()}) {
    all.insert(all.end(), table.begin(), table.end());
  }
  return all;
}

}  // namespace

std::span<const Analyser> all_analysers() {
  static const std::vector<Analyser> all = gather();
  return all;
}

const Analyser* find_any_analyser(std::string_view name) {
  const auto all = all_analysers();
  const auto whole = std::ranges::find(all, name, &Analyser::name);
  if (whole != all.end()) return &*whole;
  const auto is_it = [&](const Analyser& one) {
    return one.name.substr(one.name.find('.') + 1) == name;
  };
  const auto found = std::ranges::find_if(all, is_it);
  if (found == all.end() || std::ranges::count_if(all, is_it) > 1) return nullptr;
  return &*found;
}

}  // namespace vigil::entities
