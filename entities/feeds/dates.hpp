#pragma once
// Dates as feeds write them: RFC 822 with all its liberties, RFC 3339, W3C date and time, the C
// library's form, and such as "1 January 2004 7:48 PM EST". Without a zone they are UTC. Pure.
#include <optional>
#include <string_view>

#include "core/time.hpp"

namespace vigil::entities::feeds {

struct WrittenDate {
  TimePoint at;
  bool zoned = false;  // it says its zone
};
std::optional<WrittenDate> read_date(std::string_view text);
std::optional<TimePoint> parse_date(std::string_view text);

}  // namespace vigil::entities::feeds
