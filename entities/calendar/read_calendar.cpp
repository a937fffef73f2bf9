// From properties to events: whose zone a time is in, how long an event lasts, which rules it has.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "core/log.hpp"
#include "entities/calendar/calendar.hpp"
#include "entities/calendar/ical.hpp"

namespace vigil::entities::calendar {
namespace {

using cctz::civil_day;
using cctz::civil_second;

constexpr std::size_t troubles_max = 100;
constexpr std::size_t shifts_max = 2'000;
constexpr std::size_t lists_max = 10'000;  // dates of one event

const std::array words = {std::pair{std::string_view("SUMMARY"), &Part::summary},
                          std::pair{std::string_view("LOCATION"), &Part::location},
                          std::pair{std::string_view("DESCRIPTION"), &Part::description},
                          std::pair{std::string_view("URL"), &Part::url},
                          std::pair{std::string_view("STATUS"), &Part::status}};

std::optional<int> offset_in(std::string_view text) {  // +0100, -083000
  if (text.size() != 5 && text.size() != 7) return std::nullopt;
  const int sign = text.front() == '-' ? -1 : 1;
  std::array<int, 3> part{};
  for (std::size_t i = 0; 2 * i + 2 < text.size(); ++i) {
    const auto digits = text.substr(1 + 2 * i, 2);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + 2, part[i]);
    if (error != std::errc{} || end != digits.data() + 2) return std::nullopt;
  }
  return sign * (part[0] * 3'600 + part[1] * 60 + part[2]);
}

// What one STANDARD or DAYLIGHT says: when its offset begins.
void add_shifts(const Component& half, std::vector<Shift>& out) {
  const auto* start = half.find("DTSTART");
  const auto* from = half.find("TZOFFSETFROM");
  const auto* to = half.find("TZOFFSETTO");
  if (start == nullptr || from == nullptr || to == nullptr) return;
  const auto at = read_written(start->value);
  const auto before = offset_in(from->value);
  const auto after = offset_in(to->value);
  if (!at || !before || !after) return;
  const auto add = [&](civil_second local) {
    out.push_back({local - civil_second(1970, 1, 1) - *before, *before, *after});
  };
  add(at->at);
  for (const auto& property : half.properties) {
    if (property.name == "RDATE") {
      if (const auto more = read_written(property.value)) add(more->at);
    }
    if (property.name != "RRULE") continue;
    auto rule = read_rule(property.value);
    if (!rule) continue;
    civil_second last(2'100, 1, 1);
    if (rule->until) last = std::min(last, rule->until->at + (rule->until->utc ? *before : 0));
    Instances instances(*rule, at->at, at->at, last, 100'000);
    for (auto one = instances.next(); one && out.size() < shifts_max; one = instances.next()) {
      add(*one);
    }
  }
}

std::optional<Zone> zone_of(const Component& component, const std::string& name) {
  if (auto known = Zone::find(name)) return known;
  if (const auto* place = component.find("X-LIC-LOCATION")) {
    if (auto known = Zone::find(place->value)) return known;
  }
  std::vector<Shift> shifts;
  for (const auto& half : component.parts) add_shifts(half, shifts);
  std::ranges::sort(shifts, {}, &Shift::at);
  if (shifts.empty()) return std::nullopt;
  return Zone(name, std::move(shifts));
}

class Reader {
 public:
  Reader(Calendar& out) : out_(out) {}

  void trouble(std::string text) {
    if (out_.troubles.size() < troubles_max) out_.troubles.push_back(std::move(text));
  }

  const Zone* keep(const std::string& name, Zone zone) {
    return out_.zones.emplace(name, std::make_unique<Zone>(std::move(zone))).first->second.get();
  }

  const Zone* zone(const std::string& name) {
    if (name.empty()) return out_.zone;
    if (const auto found = out_.zones.find(name); found != out_.zones.end()) {
      return found->second.get();
    }
    if (out_.zones.size() > 1'000) return out_.zone;
    auto known = Zone::find(name);
    if (!known) trouble(fmt::format("the time zone {} is not known", quoted(name)));
    return keep(name, known ? std::move(*known) : Zone(*out_.zone));
  }

  std::optional<Moment> moment(const Property& property, std::string_view text) {
    const auto written = read_written(text);
    if (!written) {
      trouble(fmt::format("{}: {} is no time", property.name, quoted(text)));
      return std::nullopt;
    }
    const bool date = written->date;
    return Moment{written->at, written->utc ? zone("UTC") : zone(property.of("TZID")), date};
  }

  void periods(const Property& property, Part& part) {
    const std::string_view value = property.value;
    const auto slash = value.find('/');
    auto start = moment(property, value.substr(0, slash));
    if (!start || part.additions.size() >= lists_max) return;
    Addition addition{*start, {}};
    if (slash != std::string_view::npos) {
      const auto rest = value.substr(slash + 1);
      addition.lasts = read_span(rest);
      if (!addition.lasts) {
        const auto end = moment(property, rest);
        if (end) addition.lasts = Span{0, std::max<std::int64_t>(0, end->at - start->at)};
      }
    }
    part.additions.push_back(addition);
  }

  void length(const Component& component, Part& part) {
    part.lasts = part.start.date ? Span{1, 0} : Span{};
    if (const auto* duration = component.find("DURATION")) {
      if (const auto span = read_span(duration->value)) part.lasts = *span;
    }
    const auto* end_property = component.find("DTEND");
    if (end_property == nullptr) return;
    auto end = moment(*end_property, end_property->value);
    if (!end) return;
    // Some programs mix the two up.
    if (end->instant() < part.start.instant()) std::swap(*end, part.start);
    if (part.start.date) {
      const auto days = civil_day(end->at) - civil_day(part.start.at);
      part.lasts = Span{std::max(1, static_cast<int>(std::min<std::int64_t>(days, 36'500))), 0};
      return;
    }
    const auto lasts = end->instant() - part.start.instant();
    part.lasts = Span{0, std::chrono::duration_cast<std::chrono::seconds>(lasts).count()};
  }

  static Person person(const Property& property) {
    Person out{property.value.substr(0, 320), property.of("CN"), property.of("PARTSTAT")};
    for (const std::string_view scheme : {"mailto:", "MAILTO:", "Mailto:"}) {
      if (out.address.starts_with(scheme)) out.address.erase(0, scheme.size());
    }
    std::ranges::transform(out.state, out.state.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    });
    return out;
  }

  void property(const Property& property, Part& part) {
    for (const auto& [name, where] : words) {
      if (property.name == name) part.*where = property.value;
    }
    if (property.name == "UID") part.uid = property.value.substr(0, 500);
    if (property.name == "SEQUENCE") {
      std::from_chars(property.value.data(), property.value.data() + property.value.size(),
                      part.sequence);
    }
    if (property.name == "LAST-MODIFIED") part.changed = property.value;
    if (property.name == "DTSTAMP" && part.changed.empty()) part.changed = property.value;
    if (property.name == "ORGANIZER") part.organiser = person(property);
    if (property.name == "ATTENDEE" && part.attendees.size() < 1'000) {
      part.attendees.push_back(person(property));
    }
    if (property.name == "RDATE") periods(property, part);
    if (property.name == "EXDATE" && part.omitted.size() < lists_max) {
      if (auto one = moment(property, property.value)) part.omitted.push_back(*one);
    }
    if (property.name == "RECURRENCE-ID") {
      part.replaces = moment(property, property.value);
      part.and_future = property.of("RANGE") == "THISANDFUTURE";
    }
    if (property.name == "RRULE" && part.rules.size() < 20) {
      auto rule = read_rule(property.value);
      if (rule) part.rules.push_back(std::move(*rule));
      if (!rule) trouble(rule.error().message);
    }
  }

  void event(const Component& component) {
    const auto* start = component.find("DTSTART");
    if (start == nullptr) {
      trouble("an event has no DTSTART");
      return;
    }
    const auto at = moment(*start, start->value);
    if (!at) return;
    Part part;
    part.start = *at;
    for (const auto& one : component.properties) property(one, part);
    length(component, part);
    if (part.uid.empty()) {
      part.uid = fmt::format("without-uid-{}", out_.parts.size());
    }
    out_.parts.push_back(std::move(part));
  }

  void calendar(const Component& component, const Zone& floating) {
    if (const auto* named = component.find("X-WR-CALNAME")) out_.name = named->value;
    out_.zone = keep("floating", floating);
    if (const auto* given = component.find("X-WR-TIMEZONE")) {
      if (auto known = Zone::find(given->value)) out_.zone = keep("X-WR-TIMEZONE", *known);
    }
    for (const auto& part : component.parts) {
      const auto* id = part.name == "VTIMEZONE" ? part.find("TZID") : nullptr;
      if (id == nullptr || out_.zones.contains(id->value) || out_.zones.size() > 1'000) continue;
      if (auto zone = zone_of(part, id->value)) keep(id->value, std::move(*zone));
    }
    for (const auto& part : component.parts) {
      if (part.name != "VEVENT") continue;
      if (out_.parts.size() >= parts_max) {
        trouble(fmt::format("more than {} events: the rest is left out", parts_max));
        return;
      }
      event(part);
    }
  }

 private:
  Calendar& out_;
};

}  // namespace

std::optional<Span> read_span(std::string_view text) {
  Span out;
  std::int64_t sign = 1;
  if (text.starts_with('-')) sign = -1;
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  if (!text.starts_with('P') || text.size() < 3) return std::nullopt;
  text.remove_prefix(1);
  bool time = false;
  while (!text.empty()) {
    if (text.front() == 'T') {
      time = true;
      text.remove_prefix(1);
      continue;
    }
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end == text.data() + text.size() || value < 0) return std::nullopt;
    const char unit = *end;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
    if (value > 100'000'000) return std::nullopt;
    const auto seconds = static_cast<std::int64_t>(value);
    if (unit == 'W') out.days += std::min(value, 5'000) * 7;
    if (unit == 'D') out.days += std::min(value, 36'500);
    if (unit == 'H') out.seconds += seconds * 3'600;
    if (unit == 'M' && time) out.seconds += seconds * 60;
    if (unit == 'S') out.seconds += seconds;
    if (std::string_view("WDHMS").find(unit) == std::string_view::npos) return std::nullopt;
  }
  out.days *= static_cast<int>(sign);
  out.seconds *= sign;
  return out;
}

Result<Calendar> read_calendar(std::string_view text, const Zone& floating) {
  if (text.size() > calendar_bytes_max) {
    return fail(ErrorCode::too_large,
                fmt::format("the calendar is larger than {} bytes", calendar_bytes_max));
  }
  const auto root = parse_ical(text);
  if (!root) return std::unexpected(root.error());
  Calendar out;
  Reader reader(out);
  bool any = false;
  for (const auto& component : root->parts) {
    if (component.name != "VCALENDAR") continue;
    any = true;
    reader.calendar(component, floating);
  }
  if (!any) return fail(ErrorCode::invalid_input, "there is no VCALENDAR in it");
  return out;
}

}  // namespace vigil::entities::calendar
