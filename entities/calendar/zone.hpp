#pragma once
// Time zones as calendars name them: IANA names, also inside the paths some programs write, the
// names of Windows, and what a VTIMEZONE says itself when its name is none of those. Pure; any
// thread (the IANA data is read once a zone).
#include <cctz/civil_time.h>
#include <cctz/time_zone.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.hpp"

namespace vigil::entities::calendar {

// A change of a zone's offset that a VTIMEZONE tells of.
struct Shift {
  std::int64_t at = 0;  // seconds since 1970
  int before = 0;       // seconds east of UTC
  int after = 0;
};

class Zone {
 public:
  static Zone utc();
  // By an IANA or a Windows name; the longest known end of a path.
  static std::optional<Zone> find(std::string_view name);
  // `shifts` are in their order and not none.
  Zone(std::string name, std::vector<Shift> shifts);

  const std::string& name() const { return name_; }
  // A local time that does not exist is read with the offset before the change, one that exists
  // twice is the first (RFC 5545, 3.3.5).
  TimePoint instant(cctz::civil_second local) const;
  cctz::civil_second civil(TimePoint at) const;

 private:
  Zone(std::string name, cctz::time_zone zone) : name_(std::move(name)), zone_(zone) {}
  std::string name_;
  cctz::time_zone zone_;
  std::shared_ptr<const std::vector<Shift>> shifts_;  // instead of zone_
};

// The IANA zone of a Windows name ("W. Europe Standard Time"), by the Unicode CLDR's table of
// windowsZones, territory 001; empty when there is none.
std::string_view zone_of_windows(std::string_view name);
struct WindowsZone {
  std::string_view windows;
  std::string_view iana;
};
std::span<const WindowsZone> windows_zones();

}  // namespace vigil::entities::calendar
