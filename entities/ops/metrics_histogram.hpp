#pragma once
// Whether the buckets, counts and sums of an OpenMetrics histogram agree. Pure; any thread.
#include "entities/ops/metrics_text.hpp"

namespace vigil::entities::ops {

// The labels that tell one histogram, summary or state set of a family from the others.
Labels group_of(const Family& family, const Sample& sample);

// Why a histogram of the family cannot be; empty: all of them can.
std::string_view histogram_mistake(const Family& family);

}  // namespace vigil::entities::ops
