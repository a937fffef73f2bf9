#include "entities/calendar/analysers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/log.hpp"
#include "entities/calendar/calendar.hpp"
#include "entities/calendar/look.hpp"
#include "entities/ops/reading_input.hpp"

namespace vigil::entities::calendar {
namespace {

using cctz::civil_day;
using cctz::civil_second;

constexpr Analyser all[] = {
    {"calendar.occurrences", "when the events of iCalendar files occur",
     "files; at (2024, 202407, 20240715, 20240715T1015) or between (A..B), zone (of times without "
     "one, default UTC), limit",
     run_occurrences},
    {"calendar.rrule", "the instances of a recurrence rule",
     "rule (FREQ=...), start (19970902T090000), from, to, limit", run_rule},
    {"calendar.look", "the coming occurrences of a calendar, for the source that watches it",
     "path or documents; now, ahead, zone", run_look},
    {"calendar.dav", "what a CalDAV server answered, as JSON", "body", run_dav},
};

Result<std::int64_t> limit_in(const json::value& input, std::int64_t otherwise) {
  const auto limit = ops::number_in(input, "limit", static_cast<double>(otherwise));
  if (!limit) return std::unexpected(limit.error());
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(*limit), 1, occurrences_max);
}

Result<Period> period_in(const json::value& input, std::string_view name, const Period& otherwise) {
  const auto text = ops::text_in(input, name, "");
  if (text.empty()) return otherwise;
  const auto period = read_period(text);
  if (period) return *period;
  return fail(
      ErrorCode::invalid_input,
      fmt::format("{}: {} is no time: write 20240715, or 20240715T101500", name, quoted(text)));
}

Result<Period> window_in(const json::value& input) {
  const auto between = ops::text_in(input, "between", "");
  if (between.empty()) {
    return period_in(input, "at", {civil_second(1, 1, 1), civil_second(9'999, 1, 1)});
  }
  const auto dots = between.find("..");
  const auto from = read_period(std::string_view(between).substr(0, dots));
  const auto to =
      read_period(dots == std::string::npos ? "" : std::string_view(between).substr(dots + 2));
  if (!from || !to) {
    return fail(ErrorCode::invalid_input, "between: write A..B, such as 20240101..20240201");
  }
  return Period{from->from, to->from};
}

std::string line_of(const Occurrence& one) {
  const auto end = one.start.zone->civil(one.ends);
  const auto& at = one.start.at;
  const auto day = fmt::format("{:04}-{:02}-{:02}", at.year(), at.month(), at.day());
  if (one.start.date) return fmt::format("{} all day      {}", day, one.part->summary);
  return fmt::format("{} {:02}:{:02}-{:02}:{:02}  {}  ({})", day, at.hour(), at.minute(),
                     end.hour(), end.minute(), one.part->summary, one.start.zone->name());
}

std::string text_of(const civil_second& at) {
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}", at.year(), at.month(), at.day(), at.hour(),
                     at.minute(), at.second());
}

}  // namespace

std::span<const Analyser> analysers() { return all; }

std::optional<Period> read_period(std::string_view text) {
  std::string digits(text.substr(0, 40));
  std::erase_if(digits, [](char c) { return c == '-' || c == ':' || c == 'T' || c == ' '; });
  if (digits.find_first_not_of("0123456789") != std::string::npos) return std::nullopt;
  const auto part = [&](std::size_t at, std::size_t size) {
    return digits.size() >= at + size ? std::stoi(digits.substr(at, size)) : -1;
  };
  const int year = part(0, 4);
  switch (digits.size()) {
    case 4:
      return Period{civil_second(year), civil_second(year + 1)};
    case 6: {
      const cctz::civil_month month(year, part(4, 2));
      return Period{civil_second(month), civil_second(month + 1)};
    }
    case 8: {
      const civil_day day(year, part(4, 2), part(6, 2));
      return Period{civil_second(day), civil_second(day + 1)};
    }
    case 12:
    case 14: {
      const civil_second at(year, part(4, 2), part(6, 2), part(8, 2), part(10, 2),
                            std::max(part(12, 2), 0));
      return Period{at, at};
    }
    default:
      return std::nullopt;
  }
}

Result<json::value> run_occurrences(const Request& request) {
  const auto& input = request.input;
  if (auto known = ops::known_members(input, {"at", "between", "zone", "limit"}); !known) {
    return std::unexpected(known.error());
  }
  const auto files = ops::texts_in(input, "files");
  if (!files) return std::unexpected(files.error());
  if (files->empty()) return fail(ErrorCode::invalid_input, "files: name an iCalendar file");
  const auto window = window_in(input);
  const auto limit = limit_in(input, 1'000);
  if (!window) return std::unexpected(window.error());
  if (!limit) return std::unexpected(limit.error());
  const auto zone = Zone::find(ops::text_in(input, "zone", "UTC"));
  if (!zone) return fail(ErrorCode::invalid_input, "zone: expected a name such as Europe/Berlin");
  json::array list;
  json::array troubles;
  std::string text;
  bool cut = false;
  for (const auto& file : *files) {
    const auto content = ops::read_bounded(file, calendar_bytes_max);
    if (!content) return std::unexpected(content.error());
    const auto calendar = read_calendar(*content, *zone);
    if (!calendar) {
      return fail(calendar.error().code,
                  fmt::format("{}: {}", quoted(file), calendar.error().message));
    }
    const auto found = occurrences(*calendar, Window::of_days(window->from, window->to),
                                   static_cast<std::size_t>(*limit));
    cut = cut || found.cut;
    for (const auto& one : found.occurrences) {
      list.push_back(to_json(one));
      text += line_of(one) + "\n";
    }
    for (const auto& trouble : calendar->troubles) {
      troubles.emplace_back(fmt::format("{}: {}", file, trouble));
    }
  }
  const auto count = list.size();
  text += fmt::format("{} occurrence{}{}\n", count, count == 1 ? "" : "s",
                      cut ? ", and more: ask for a shorter time" : "");
  return json::object{{"occurrences", std::move(list)},
                      {"cut", cut},
                      {"troubles", std::move(troubles)},
                      {"text", text}};
}

Result<json::value> run_rule(const Request& request) {
  const auto& input = request.input;
  if (auto known = ops::known_members(input, {"rule", "start", "from", "to", "limit"}); !known) {
    return std::unexpected(known.error());
  }
  auto rule = read_rule(ops::text_in(input, "rule", ""));
  if (!rule) return std::unexpected(rule.error());
  const auto start = read_written(ops::text_in(input, "start", ""));
  if (!start) return fail(ErrorCode::invalid_input, "start: write it like 19970902T090000");
  const Period always{start->at, civil_second(9'999, 1, 1)};
  const auto from = period_in(input, "from", always);
  const auto to = period_in(input, "to", {always.to, always.to});
  const auto limit = limit_in(input, 100);
  if (!from) return std::unexpected(from.error());
  if (!to) return std::unexpected(to.error());
  if (!limit) return std::unexpected(limit.error());
  auto last = to->to - 1;
  if (rule->until) {
    last = std::min(last, rule->until->date ? civil_second(civil_day(rule->until->at) + 1) - 1
                                            : rule->until->at);
  }
  Instances instances(*rule, start->at, from->from, last);
  json::array list;
  std::string text;
  auto one = instances.next();
  for (; one && std::ssize(list) < *limit; one = instances.next()) {
    if (*one < from->from) continue;
    const auto line = start->date ? text_of(*one).substr(0, 8) : text_of(*one);
    list.emplace_back(line);
    text += line + "\n";
  }
  const bool more = one.has_value() || instances.cut();
  if (more) text += "and more\n";
  return json::object{{"instances", std::move(list)}, {"more", more}, {"text", text}};
}

}  // namespace vigil::entities::calendar
