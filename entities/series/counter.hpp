#pragma once
// Series of counters, which only grow but start anew at 0 when their program does. Pure; any
// thread.
#include <span>
#include <vector>

#include "entities/series/rows.hpp"

namespace vigil::entities::series {

// How fast it grew up to each point, a second. A fall is a start from 0. Points that are no numbers
// or not later than the one before are left out; the first one has nothing to be compared with.
std::vector<Point> rates_of(std::span<const Point> points);

// What it would stand at had it never started anew, from its first value on. Leaves out the same.
std::vector<Point> totals_of(std::span<const Point> points);

}  // namespace vigil::entities::series
