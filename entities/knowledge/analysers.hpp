#pragma once
// What vigil-task can do with documents.
#include <span>

#include "entities/analyser.hpp"
#include "storage/passages.hpp"

namespace vigil::entities::knowledge {

std::span<const Analyser> analysers();

// Below it the best passage is not called an answer: how much of the question it covers. Measured
// with questions of the other language and with the right passage taken out: `vigil-bench
// knowledge` prints what is answered wrongly, and what is missed.
constexpr double coverage_min = 0.45;
inline bool answers(const storage::Hit& hit) { return hit.coverage >= coverage_min; }

}  // namespace vigil::entities::knowledge
