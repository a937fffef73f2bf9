#pragma once
// What memory says at the moment an incident begins, before anything has been looked at, and what
// is kept of it for the next one. Pure.
#include <string>
#include <vector>

#include "entities/guardian.hpp"
#include "entities/ops/incident.hpp"

namespace vigil::entities::ops {

// One line each: the last one like it and what ended it, others that are open, what changed lately,
// newest first and that of the same service before others.
std::vector<std::string> recalled(const Incident& incident, const std::string& case_key,
                                  const Recollection& memory, TimePoint now);

// Of an incident that is over: its place among those of its nature. `document` is the key of its
// post-mortem.
Fact like_fact(const Incident& incident, const std::string& case_key, const Recollection& memory,
               const std::string& document);
// What ended it, in a clause: "runbook restart", "sam: added a disk", "itself".
std::string what_ended(const Incident& incident);

constexpr std::string_view open_prefix = "open:";
constexpr std::string_view change_prefix = "change:";

}  // namespace vigil::entities::ops
