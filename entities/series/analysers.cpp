#include "entities/series/analysers.hpp"

namespace vigil::entities::series {

std::span<const Analyser> analysers() { return {}; }

}  // namespace vigil::entities::series
