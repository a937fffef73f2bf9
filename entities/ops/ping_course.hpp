#pragma once
// What a ping, or its absence, does to the incident of a check. Pure.
#include "entities/ops/incident_course.hpp"
#include "entities/ops/pings.hpp"

namespace vigil::entities::ops {

constexpr std::string_view check_prefix = "check:";  // of the key of such a case

// The name of the rule. Runs that say an id are looked after side by side, each with a timer of its
// own.
std::string on_ping(Course& course, const Ping& ping);
bool is_absence(std::string_view timer);  // "late", "run", "run:<id>"
void on_absence(Course& course, std::string_view timer);

}  // namespace vigil::entities::ops
