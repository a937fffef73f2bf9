#pragma once
// Plans and the questions to models in them. Pure; any thread.
#include <optional>

#include "swarm/plan.hpp"

namespace vigil::runtime {

// Whether the task, or what verifies it, asks a model or an agent.
bool asks(const swarm::Task& task);

// What of a plan comes from a wake that strangers had a part in: its questions are tainted.
void taint(swarm::Plan& plan);

// The plan without what asks models and agents and what cannot be done without them. Nothing when
// not all of that is optional, or when nothing else is left.
std::optional<swarm::Plan> without_questions(swarm::Plan plan);

}  // namespace vigil::runtime
