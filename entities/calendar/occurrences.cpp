// When events occur: rules and added dates, without the omitted ones, with what single occurrences
// say for themselves.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <set>

#include "entities/calendar/calendar.hpp"

namespace vigil::entities::calendar {
namespace {

using cctz::civil_day;
using cctz::civil_second;

// One event with the parts that replace some of its occurrences.
struct Series {
  const Part* main = nullptr;
  std::vector<const Part*> replacing;
};

bool newer(const Part& a, const Part& b) {
  return a.sequence != b.sequence ? a.sequence > b.sequence : a.changed >= b.changed;
}

bool same_moment(const Moment& a, const Moment& b) {
  if (a.date || b.date) return civil_day(a.at) == civil_day(b.at);
  return a.instant() == b.instant();
}

TimePoint end_of(const Moment& start, const Span& lasts) {
  const auto after_days = lasts.days == 0
                              ? start.instant()
                              : start.zone->instant(civil_second(civil_day(start.at) + lasts.days) +
                                                    (start.at - civil_second(civil_day(start.at))));
  return after_days + std::chrono::seconds(lasts.seconds);
}

std::string id_of(const Moment& start) {
  if (start.date) {
    const civil_day day(start.at);
    return fmt::format("{:04}{:02}{:02}", day.year(), day.month(), day.day());
  }
  const auto utc = Zone::utc().civil(start.instant());
  return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", utc.year(), utc.month(), utc.day(),
                     utc.hour(), utc.minute(), utc.second());
}

std::map<std::string, Series> series_of(const Calendar& calendar) {
  std::map<std::string, Series> all;
  for (const auto& part : calendar.parts) {
    auto& series = all[part.uid];
    if (!part.replaces) {
      if (series.main == nullptr || newer(part, *series.main)) series.main = &part;
      continue;
    }
    const auto same = [&](const Part* other) {
      return same_moment(*other->replaces, *part.replaces);
    };
    const auto known = std::ranges::find_if(series.replacing, same);
    if (known == series.replacing.end()) {
      series.replacing.push_back(&part);
    } else if (newer(part, **known)) {
      *known = &part;
    }
  }
  for (auto& [uid, series] : all) {
    std::ranges::sort(series.replacing, {},
                      [](const Part* part) { return part->replaces->instant(); });
  }
  return all;
}

class Search {
 public:
  Search(const Window& window, std::size_t most, Found& found)
      : window_(window), most_(most), found_(found) {}

  void series(const Series& series);

 private:
  bool touches(const Moment& start, TimePoint begins, TimePoint ends) const;
  void take(const Part& part, const Moment& start, const Span& lasts, std::string id);
  void instances(const Part& part, std::int64_t slack, std::set<civil_second>& out);
  const Part* future_of(const Series& series, const Moment& start) const;
  void one(const Series& series, const Moment& start, const Span& lasts);

  const Window& window_;
  std::size_t most_;
  Found& found_;
  std::int64_t work_ = 4 * work_max;  // of the whole question
};

bool Search::touches(const Moment& start, TimePoint begins, TimePoint ends) const {
  if (window_.by_instant) {
    return begins < window_.to_at && (ends > window_.from_at || begins >= window_.from_at);
  }
  const auto end = start.zone->civil(ends);
  return start.at < window_.to && (end > window_.from || start.at >= window_.from);
}

void Search::take(const Part& part, const Moment& start, const Span& lasts, std::string id) {
  const auto begins = start.instant();
  const auto ends = std::max(begins, end_of(start, lasts));
  if (part.status == "CANCELLED" || !touches(start, begins, ends)) return;
  if (found_.occurrences.size() >= most_) {
    found_.cut = true;
    return;
  }
  found_.occurrences.push_back({&part, start, begins, ends, std::move(id)});
}

// Starts of an event at its own wall clock.
void Search::instances(const Part& part, std::int64_t slack, std::set<civil_second>& out) {
  auto from = window_.from;
  auto to = window_.to;
  if (window_.by_instant) {
    from = part.start.zone->civil(window_.from_at);
    to = part.start.zone->civil(window_.to_at);
  }
  from -= slack;
  to += slack;
  for (const auto& rule : part.rules) {
    auto last = to;
    if (rule.until) {
      auto until = rule.until->at;
      // A day counts whole; a time in UTC is compared at the event's own clock.
      if (rule.until->date) until = civil_second(civil_day(until) + 1) - 1;
      if (rule.until->utc && !rule.until->date) {
        until = part.start.zone->civil(Zone::utc().instant(until));
        if (part.start.date) until = civil_second(civil_day(rule.until->at) + 1) - 1;
      }
      last = std::min(last, until);
      // Confluence writes an UNTIL before the start and means that there is none.
      if (until < part.start.at) last = to;
    }
    Instances found(rule, part.start.at, from, last, std::min(work_, work_max));
    const auto given = std::min(work_, work_max);
    for (auto at = found.next(); at; at = found.next()) {
      if (*at < from) continue;
      if (out.size() > 4 * occurrences_max) {
        found_.cut = true;
        break;
      }
      out.insert(*at);
    }
    found_.cut = found_.cut || found.cut();
    work_ = std::max<std::int64_t>(work_ - (given - found.work_left()), 0);
  }
}

// The last part before it that speaks for all that follow.
const Part* Search::future_of(const Series& series, const Moment& start) const {
  const Part* found = nullptr;
  for (const auto* part : series.replacing) {
    if (part->and_future && part->replaces->instant() <= start.instant()) found = part;
  }
  return found;
}

void Search::one(const Series& series, const Moment& start, const Span& lasts) {
  const auto& main = *series.main;
  const auto is_it = [&](const Moment& other) { return same_moment(start, other); };
  if (std::ranges::any_of(main.omitted, is_it)) return;
  const auto replaced = [&](const Part* part) { return is_it(*part->replaces); };
  if (std::ranges::any_of(series.replacing, replaced)) return;
  const bool recurs = !main.rules.empty() || !main.additions.empty();
  auto id = recurs ? id_of(start) : std::string();
  if (const auto* future = future_of(series, start)) {
    auto moved = start;
    moved.at += future->start.at - future->replaces->at;
    moved.zone = future->start.zone;
    take(*future, moved, future->lasts, std::move(id));
    return;
  }
  take(main, start, lasts, std::move(id));
}

void Search::series(const Series& series) {
  const auto omitted = [&](const Part* part) {
    return series.main != nullptr &&
           std::ranges::any_of(series.main->omitted, [&](const Moment& other) {
             return same_moment(other, *part->replaces);
           });
  };
  for (const auto* part : series.replacing) {
    if (!omitted(part)) take(*part, part->start, part->lasts, id_of(*part->replaces));
  }
  if (series.main == nullptr) return;
  const auto& main = *series.main;
  // An occurrence that began before the window may still last; one may have been moved into it.
  std::int64_t slack =
      2 * 86'400 + 86'400LL * std::abs(main.lasts.days) + std::abs(main.lasts.seconds);
  for (const auto* part : series.replacing) {
    if (part->and_future) slack += std::abs(part->start.at - part->replaces->at);
  }
  std::set<civil_second> starts;
  instances(main, slack, starts);
  starts.insert(main.start.at);
  for (const auto& at : starts) {
    one(series, Moment{at, main.start.zone, main.start.date}, main.lasts);
  }
  std::set<TimePoint> added;
  for (const auto& addition : main.additions) {
    auto start = addition.start;
    if (start.date && !main.start.date) continue;
    start.date = main.start.date;
    if (start.zone == main.start.zone && starts.contains(start.at)) continue;
    if (added.insert(start.instant()).second) {
      one(series, start, addition.lasts.value_or(main.lasts));
    }
  }
}

json::object person_json(const Person& person) {
  json::object out{{"address", person.address}};
  if (!person.name.empty()) out["name"] = person.name;
  if (!person.state.empty()) out["state"] = person.state;
  return out;
}

std::string local_text(const Moment& at) {
  const auto& t = at.at;
  if (at.date) return fmt::format("{:04}-{:02}-{:02}", t.year(), t.month(), t.day());
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", t.year(), t.month(), t.day(), t.hour(),
                     t.minute(), t.second());
}

}  // namespace

Window Window::of_days(civil_second from, civil_second to) {
  Window out;
  out.from = from;
  out.to = to;
  return out;
}

Window Window::of_instants(TimePoint from, TimePoint to) {
  Window out;
  out.by_instant = true;
  out.from_at = from;
  out.to_at = to;
  return out;
}

Found occurrences(const Calendar& calendar, const Window& window, std::size_t most) {
  Found found;
  Search search(window, most, found);
  for (const auto& [uid, series] : series_of(calendar)) search.series(series);
  std::ranges::sort(found.occurrences, [](const Occurrence& a, const Occurrence& b) {
    return std::tie(a.begins, a.part->uid, a.id) < std::tie(b.begins, b.part->uid, b.id);
  });
  return found;
}

json::object to_json(const Occurrence& occurrence) {
  const auto& part = *occurrence.part;
  json::object out{{"uid", part.uid},
                   {"occurrence", occurrence.id},
                   {"summary", to_valid_utf8(part.summary.substr(0, 500))},
                   {"begins", to_rfc3339(occurrence.begins)},
                   {"ends", to_rfc3339(occurrence.ends)},
                   {"local", local_text(occurrence.start)},
                   {"zone", occurrence.start.zone->name()},
                   {"all_day", occurrence.start.date}};
  if (!part.location.empty()) out["location"] = to_valid_utf8(part.location.substr(0, 500));
  if (!part.url.empty()) out["url"] = to_valid_utf8(part.url.substr(0, 1'000));
  if (!part.description.empty()) {
    out["description"] = to_valid_utf8(part.description.substr(0, 2'000));
  }
  if (!part.organiser.address.empty()) out["organiser"] = person_json(part.organiser);
  json::array attendees;
  for (const auto& person : part.attendees) {
    if (attendees.size() < 50) attendees.push_back(person_json(person));
  }
  if (!attendees.empty()) out["attendees"] = std::move(attendees);
  return out;
}

}  // namespace vigil::entities::calendar
