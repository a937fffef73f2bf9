#pragma once
// What vigil-task can do with calendars.
#include <cctz/civil_time.h>

#include <optional>
#include <span>
#include <string_view>

#include "entities/analyser.hpp"

namespace vigil::entities::calendar {

std::span<const Analyser> analysers();

// "2024", "202407", "20240715", "20240715T101500", also with dashes and colons: the time it begins
// and the time it ends (half open). A moment ends where it begins.
struct Period {
  cctz::civil_second from, to;
};
std::optional<Period> read_period(std::string_view text);

Result<json::value> run_occurrences(const Request& request);  // calendar.occurrences
Result<json::value> run_rule(const Request& request);         // calendar.rrule

}  // namespace vigil::entities::calendar
