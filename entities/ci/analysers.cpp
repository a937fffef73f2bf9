#include "entities/ci/analysers.hpp"

namespace vigil::entities::ci {

std::span<const Analyser> analysers() { return {}; }

}  // namespace vigil::entities::ci
