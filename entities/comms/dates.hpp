#pragma once
// Times that people write in mails, English and German: "by Friday", "bis morgen 15 Uhr", "in 3
// days", "am 5. März". Meant as on the day and in the zone of the mail. Pure; any thread.
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"

namespace vigil::entities::comms {

struct WrittenDate {
  std::size_t begin = 0;  // in the text, in bytes
  std::size_t end = 0;
  TimePoint at;           // a day without a time of day means 17:00 there
  bool deadline = false;  // "by", "until", "bis", "spätestens"
};

// In the order they stand; at most 20. `written` is the moment of the mail, `offset_min` how far
// its zone is from UTC. A weekday is the next one after that day; "next Friday" is that of the next
// week. Days that have passed in the year are meant for the next one.
std::vector<WrittenDate> find_dates(std::string_view text, TimePoint written, int offset_min);

}  // namespace vigil::entities::comms
