#pragma once
// The built-in analysers of this folder, as a table one can read.
#include <span>

#include "entities/analyser.hpp"

namespace vigil::entities::comms {

std::span<const Analyser> analysers();

}  // namespace vigil::entities::comms
