#include "entities/market/analysers.hpp"

namespace vigil::entities::market {

std::span<const Analyser> analysers() { return {}; }

}  // namespace vigil::entities::market
