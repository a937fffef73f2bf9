#pragma once
// The analysers of documents from outside: feeds, tables, files that grow.
#include <span>

#include "entities/analyser.hpp"

namespace vigil::entities::feeds {

std::span<const Analyser> analysers();

}  // namespace vigil::entities::feeds
