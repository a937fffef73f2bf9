#pragma once
// Cases that guardians keep whether or not anything happened (entities/guardian.hpp): after a start
// and a reload each of them is woken once, so that it may set its timers.
#include <string>
#include <vector>

#include "daemon/runtime/inhabitants.hpp"
#include "storage/writer.hpp"

namespace vigil::runtime {

struct StandingCase {
  std::string entity;
  std::string key;
  auto operator<=>(const StandingCase&) const = default;
};

// With those of the inhabitants before, if there were any: what is not wanted any more has to be
// told, too.
std::vector<StandingCase> standing_cases_of(const Inhabitants& inhabitants,
                                            const Inhabitants* before = nullptr);
// On the writer's thread.
void commit_standing(storage::Stores& stores, const std::vector<StandingCase>& cases,
                     TimePoint now);

}  // namespace vigil::runtime
