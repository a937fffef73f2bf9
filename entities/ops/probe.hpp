#pragma once
// vigil-task ops.probe: whether servers answer, how soon, with what, and how long their
// certificates hold. vigil-task ops.metrics: what a program exposes, as readings. Blocking.
#include "entities/analyser.hpp"

namespace vigil::entities::ops {

Result<json::value> run_probe(const Request& request);
Result<json::value> run_metrics(const Request& request);

}  // namespace vigil::entities::ops
