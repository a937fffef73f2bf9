#pragma once
// Times of day in somebody's zone. Pure; any thread.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"

namespace vigil::entities::comms {

struct QuietHours {  // minutes of the day; from may be more than to: over midnight
  int from = 0;
  int to = 0;
};

Result<int> parse_minute(std::string_view text);                // "08:00"
Result<QuietHours> parse_quiet(std::string_view text);          // "22:00-07:00"
int minute_of(TimePoint at, const std::string& zone);           // of the day there
std::string local_text(TimePoint at, const std::string& zone);  // "Fri 5 Mar 17:00"
// The next moment after `now` at which it is one of these minutes there; none without any.
std::optional<TimePoint> next_of(const std::vector<int>& minutes, TimePoint now,
                                 const std::string& zone);
bool is_quiet(const QuietHours& hours, int minute);
// The longest run of hours in which so little of 24 counts fell that it is when somebody sleeps:
// at least five hours with together at most a fiftieth; none before 50 are counted.
std::optional<QuietHours> learned_quiet(const std::vector<int>& by_hour);

}  // namespace vigil::entities::comms
