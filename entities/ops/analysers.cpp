#include "entities/ops/analysers.hpp"

namespace vigil::entities::ops {

std::span<const Analyser> analysers() { return {}; }

}  // namespace vigil::entities::ops
