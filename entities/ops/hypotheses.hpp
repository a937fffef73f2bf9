#pragma once
// What may have caused an incident, as a model guesses from the evidence: each guess cites what it
// rests on, and "unknown" is an answer. Guesses are told; nothing is done because of them. Pure;
// any thread.
#include <map>
#include <string>
#include <vector>

#include "config/minds.hpp"
#include "entities/ops/incident.hpp"
#include "swarm/plan.hpp"

namespace vigil::entities::ops {

constexpr std::string_view hypotheses_task = "hypotheses";

// Adds the question to a plan of evidence, if anybody may be asked. It is asked with what there is.
void ask_for_hypotheses(const config::Advice& advice, const Incident& incident, swarm::Plan& plan);

// As lines to tell. `ids` are what evidence is cited by, "E3", by the name of its task; what cites
// anything else is left out, as nobody could look it up.
std::vector<std::string> hypotheses_of(const json::value& answer,
                                       const std::map<std::string, std::string>& ids);

}  // namespace vigil::entities::ops
