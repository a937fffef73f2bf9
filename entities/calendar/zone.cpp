#include "entities/calendar/zone.hpp"

#include <algorithm>

namespace vigil::entities::calendar {
namespace {

using cctz::civil_second;

std::int64_t seconds_of(civil_second local) { return local - civil_second(1970, 1, 1); }

// cctz opens any path it is given, and takes "localtime" for what each machine calls so.
bool is_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || name.front() == '/' || name == "localtime") return false;
  if (name.find("..") != std::string_view::npos) return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '_' || c == '-' || c == '+';
  });
}

std::optional<cctz::time_zone> load(std::string_view name) {
  cctz::time_zone zone;
  if (!is_name(name) || !cctz::load_time_zone(std::string(name), &zone)) return std::nullopt;
  return zone;
}

}  // namespace

Zone Zone::utc() { return {"UTC", cctz::utc_time_zone()}; }

Zone::Zone(std::string name, std::vector<Shift> shifts)
    : name_(std::move(name)),
      shifts_(std::make_shared<const std::vector<Shift>>(std::move(shifts))) {}

std::optional<Zone> Zone::find(std::string_view name) {
  while (!name.empty() && (name.front() == '"' || name.front() == ' ')) name.remove_prefix(1);
  while (!name.empty() && (name.back() == '"' || name.back() == ' ')) name.remove_suffix(1);
  if (const auto iana = zone_of_windows(name); !iana.empty()) {
    if (auto zone = load(iana)) return Zone(std::string(iana), *zone);
  }
  // /freeassociation.sourceforge.net/Europe/Berlin, /citadel.org/20190914_1/Europe/London
  for (int steps = 0; steps < 8; ++steps) {
    if (auto zone = load(name)) return Zone(std::string(name), *zone);
    const auto slash = name.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    name.remove_prefix(slash + 1);
  }
  return std::nullopt;
}

TimePoint Zone::instant(civil_second local) const {
  if (!shifts_) {
    const auto found = zone_.lookup(local);
    return TimePoint(std::chrono::duration_cast<Duration>(found.pre.time_since_epoch()));
  }
  const auto wall = seconds_of(local);
  int offset = shifts_->front().before;
  for (const auto& shift : *shifts_) {
    const bool earlier = wall - shift.before < shift.at;
    const bool in_gap = wall - shift.after < shift.at;
    if (earlier || in_gap) {
      offset = shift.before;
      break;
    }
    offset = shift.after;
  }
  return TimePoint(std::chrono::seconds(wall - offset));
}

civil_second Zone::civil(TimePoint at) const {
  const auto second = std::chrono::floor<std::chrono::seconds>(at);
  if (!shifts_) {
    return cctz::convert(
        cctz::time_point<cctz::seconds>(cctz::seconds(second.time_since_epoch().count())), zone_);
  }
  const auto unix = second.time_since_epoch().count();
  int offset = shifts_->front().before;
  for (const auto& shift : *shifts_) {
    if (shift.at > unix) break;
    offset = shift.after;
  }
  return civil_second(1970, 1, 1) + (unix + offset);
}

}  // namespace vigil::entities::calendar
