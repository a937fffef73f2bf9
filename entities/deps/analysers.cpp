#include "entities/deps/analysers.hpp"

namespace vigil::entities::deps {

std::span<const Analyser> analysers() { return {}; }

}  // namespace vigil::entities::deps
