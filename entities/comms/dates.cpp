#include "entities/comms/dates.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <memory>
#include <optional>

#include "core/sorted.hpp"
#include "entities/comms/words.hpp"

namespace vigil::entities::comms {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::local_days;
using std::chrono::local_seconds;
using std::chrono::minutes;
using std::chrono::year_month_day;

constexpr std::size_t dates_max = 20;
constexpr int end_of_day_hour = 17;  // when an office closes

struct Day {
  local_days today;
};

struct Named {
  std::string_view name;
  int value;
};

// ISO weekdays and months by their beginnings, in both languages.
constexpr std::array<Named, 13> weekdays{{{"mon", 1},
                                          {"tue", 2},
                                          {"wed", 3},
                                          {"thu", 4},
                                          {"fri", 5},
                                          {"sat", 6},
                                          {"sun", 7},
                                          {"die", 2},
                                          {"mit", 3},
                                          {"don", 4},
                                          {"fre", 5},
                                          {"sam", 6},
                                          {"son", 7}}};
constexpr std::array<Named, 17> month_beginnings{{{"jan", 1},
                                                  {"feb", 2},
                                                  {"mar", 3},
                                                  {"mär", 3},
                                                  {"mae", 3},
                                                  {"apr", 4},
                                                  {"may", 5},
                                                  {"mai", 5},
                                                  {"jun", 6},
                                                  {"jul", 7},
                                                  {"aug", 8},
                                                  {"sep", 9},
                                                  {"oct", 10},
                                                  {"okt", 10},
                                                  {"nov", 11},
                                                  {"dec", 12},
                                                  {"dez", 12}}};

template <std::size_t N>
std::optional<int> value_of(const std::array<Named, N>& names, std::string_view text) {
  for (const auto& one : names) {
    if (text.starts_with(one.name)) return one.value;
  }
  return std::nullopt;
}

std::optional<int> number_of(std::string_view text) {
  static constexpr std::array<Named, 24> words{
      {{"a", 1},     {"an", 1},    {"one", 1},   {"two", 2},    {"three", 3}, {"four", 4},
       {"five", 5},  {"six", 6},   {"seven", 7}, {"eight", 8},  {"ten", 10},  {"ein", 1},
       {"einem", 1}, {"einer", 1}, {"einen", 1}, {"eine", 1},   {"zwei", 2},  {"drei", 3},
       {"vier", 4},  {"fünf", 5},  {"sechs", 6}, {"sieben", 7}, {"acht", 8},  {"zehn", 10}}};
  int value = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value);
  if (read.ec == std::errc{} && read.ptr == text.data() + text.size()) return value;
  const auto found = std::ranges::find(words, text, &Named::name);
  return found == words.end() ? std::nullopt : std::optional(found->value);
}

// The patterns. Each names what it found; `lead` is the word before it.
constexpr std::string_view lead =
    R"((?:\b(by|until|till|before|no later than|not later than|due|bis|spätestens|vor|within|innerhalb(?: von)?|binnen)\s+)?)";
constexpr std::string_view filler =
    R"((?:(?:on|the|at|am|zum|zu|dem|den|der|kommenden|this|coming|diesen|spätestens)\s+){0,3})";
constexpr std::string_view clock =
    R"((?:,?\s*(?:at|by|um|bis|before|vor|gegen)?\s*(\d{1,2})(?:(?:[:.](\d{2}))?\s*(am|pm|a\.m\.|p\.m\.|uhr|h\b|o'clock)|:(\d{2})\b))?)";

struct Pattern {
  std::string_view core;
  // The day it means; captures are those of the core.
  std::optional<local_days> (*day)(const Day& on, const std::vector<std::string>& found);
};

int weekday_of(local_days day) {
  return static_cast<int>(std::chrono::weekday{day}.iso_encoding());
}

std::optional<local_days> of_weekday(const Day& on, const std::vector<std::string>& found) {
  const auto wanted = value_of(weekdays, found[1]);
  if (!wanted) return std::nullopt;
  const int today = weekday_of(on.today);
  if (!found[0].empty()) return on.today + days{7 - today + *wanted};  // of the next week
  const int ahead = (*wanted - today + 7) % 7;
  return on.today + days{ahead == 0 ? 7 : ahead};
}

std::optional<local_days> of_word(const Day& on, const std::vector<std::string>& found) {
  const auto& word = found[0];
  if (word == "today" || word == "tonight" || word == "heute" || word.starts_with("heute ")) {
    return on.today;
  }
  if (word.starts_with("day after") || word == "übermorgen") return on.today + days{2};
  return on.today + days{1};
}

std::optional<local_days> of_count(const Day& on, const std::vector<std::string>& found) {
  const auto count = number_of(found[0]);
  if (!count || *count < 0 || *count > 400) return std::nullopt;
  const auto& unit = found[1];
  if (unit.starts_with("h") || unit.starts_with("st")) {
    return on.today + days{*count / 24};
  }
  const bool weeks = unit.starts_with("w");
  const bool in_months = unit.starts_with("mo");
  return on.today + days{*count * (in_months ? 30 : weeks ? 7 : 1)};
}

std::optional<local_days> of_end(const Day& on, const std::vector<std::string>& found) {
  const auto& text = found[0];
  const auto has = [&](std::string_view part) { return text.find(part) != std::string::npos; };
  const int today = weekday_of(on.today);
  const bool next = has("next") || has("nächste") || has("kommende");
  if (has("month") || has("monat")) {
    const year_month_day date{on.today};
    const auto month =
        std::chrono::year_month{date.year(), date.month()} + std::chrono::months{next ? 1 : 0};
    return local_days{month.year() / month.month() / std::chrono::last};
  }
  if (has("week") || has("woche") || text == "eow") {
    const int to_friday = today <= 5 ? 5 - today : 12 - today;
    return on.today + days{to_friday + (next ? 7 : 0)};
  }
  return on.today;  // of the day
}

std::optional<local_days> of_date(const Day& on, int year_number, int month_number,
                                  int day_number) {
  const year_month_day today{on.today};
  const bool given = year_number > 0;
  if (given && year_number < 100) year_number += 2000;
  if (given && (year_number < 1990 || year_number > 2199)) return std::nullopt;
  year_month_day date{given ? std::chrono::year{year_number} : today.year(),
                      std::chrono::month{static_cast<unsigned>(month_number)},
                      std::chrono::day{static_cast<unsigned>(day_number)}};
  if (month_number < 1 || month_number > 12 || !date.ok()) return std::nullopt;
  if (!given && local_days{date} < on.today) date += std::chrono::years{1};
  if (!date.ok()) return std::nullopt;
  return local_days{date};
}

int plain_number(const std::string& text) { return number_of(text).value_or(0); }

std::optional<local_days> of_day_month(const Day& on, const std::vector<std::string>& found) {
  const auto month_number = value_of(month_beginnings, found[1]);
  if (!month_number) return std::nullopt;
  return of_date(on, plain_number(found[2]), *month_number, plain_number(found[0]));
}
std::optional<local_days> of_month_day(const Day& on, const std::vector<std::string>& found) {
  return of_day_month(on, {found[1], found[0], found[2]});
}
std::optional<local_days> of_dots(const Day& on, const std::vector<std::string>& found) {
  return of_date(on, plain_number(found[2]), plain_number(found[1]), plain_number(found[0]));
}
std::optional<local_days> of_iso(const Day& on, const std::vector<std::string>& found) {
  return of_date(on, plain_number(found[0]), plain_number(found[1]), plain_number(found[2]));
}
// Written with slashes the month stands first, unless it cannot be one.
std::optional<local_days> of_slashes(const Day& on, const std::vector<std::string>& found) {
  const int first = plain_number(found[0]);
  const int second = plain_number(found[1]);
  const bool day_first = first > 12;
  return of_date(on, plain_number(found[2]), day_first ? second : first,
                 day_first ? first : second);
}

constexpr std::string_view month_names =
    R"(jan(?:uary|uar)?|feb(?:ruary|ruar)?|mar(?:ch)?|märz|maerz|apr(?:il)?|may|mai|june?|juni|july?|juli|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|okt(?:ober)?|nov(?:ember)?|dec(?:ember)?|dez(?:ember)?)";
constexpr std::string_view weekday_names =
    R"(monday|tuesday|wednesday|thursday|friday|saturday|sunday|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonnabend|sonntag|mon|tues?|wed|thurs?|fri)";

struct Compiled {
  std::unique_ptr<RE2> form;
  const Pattern* pattern;
};

const std::vector<Compiled>& patterns() {
  static const std::array<std::string, 9> cores{
      R"((\d{4})-(\d{1,2})-(\d{1,2})\b)",
      R"(\b(\d{1,2})(?:st|nd|rd|th|\.)?\s*(?:of\s+)?\b()" + std::string(month_names) +
          R"()\b\.?(?:,?\s+(\d{4}))?)",
      R"(\b()" + std::string(month_names) +
          R"()\.?\s+(\d{1,2})(?:st|nd|rd|th)?\b(?:,?\s+(\d{4}))?)",
      R"(\b(\d{1,2})\.(\d{1,2})\.(?:(\d{4}|\d{2})\b|\s|$|[,;!?)]))",
      R"(\b(\d{1,2})/(\d{1,2})(?:/(\d{4}|\d{2}))?\b)",
      R"(\b(next\s+|nächste[nrs]?\s+)?()" + std::string(weekday_names) + R"()\b)",
      R"((?:\b|^|\s)(day after tomorrow|tomorrow|today|tonight|übermorgen|heute abend|heute|morgen)\b)",
      R"((?:\bin\s+)?\b(\d{1,3}|a|an|one|two|three|four|five|six|seven|eight|ten|einem|einer|ein|zwei|drei|vier|fünf|sechs|sieben|acht|zehn)\s+(?:business\s+|working\s+)?(hours?|days?|weeks?|months?|stunden?|tage?n?|wochen?|monate?n?)\b)",
      R"(\b((?:the\s+)?end of (?:the\s+|this\s+|next\s+)?(?:day|week|month|business)|(?:zum\s+)?(?:anfang|ende) (?:der|dieser|nächster|kommender|des) (?:woche|monats|tages)|ende (?:nächster|kommender) woche|next week|next month|nächste[rn]? woche|nächsten monat|kommende[rn]? woche|wochenende|monatsende|weekend|eod|eow|cob)\b)"};
  static const std::array<Pattern, 9> all{{{cores[0], of_iso},
                                           {cores[1], of_day_month},
                                           {cores[2], of_month_day},
                                           {cores[3], of_dots},
                                           {cores[4], of_slashes},
                                           {cores[5], of_weekday},
                                           {cores[6], of_word},
                                           {cores[7], of_count},
                                           {cores[8], of_end}}};
  static const std::vector<Compiled> compiled = [] {
    std::vector<Compiled> out;
    for (const auto& one : all) {
      RE2::Options options;
      options.set_log_errors(false);
      out.push_back({std::make_unique<RE2>(std::string(lead) + std::string(filler) +
                                               std::string(one.core) + std::string(clock),
                                           options),
                     &one});
    }
    return out;
  }();
  return compiled;
}

std::optional<minutes> time_of(const std::string& hour, const std::string& minute,
                               std::string_view half) {
  if (hour.empty()) return std::nullopt;
  int hours_read = plain_number(hour);
  const int minutes_read = plain_number(minute);
  if (hours_read > 24 || minutes_read > 59) return std::nullopt;
  if (half.starts_with("p") && hours_read < 12) hours_read += 12;
  if (half.starts_with("a") && hours_read == 12) hours_read = 0;
  return hours{hours_read} + minutes{minutes_read};
}

struct Match {
  std::size_t begin, end;
  WrittenDate date;
};

void search(const Compiled& compiled, const std::string& text, local_seconds written, int offset,
            std::vector<Match>& to) {
  const int groups = compiled.form->NumberOfCapturingGroups();
  std::vector<re2::StringPiece> found(static_cast<std::size_t>(groups) + 1);
  const Day on{std::chrono::floor<days>(written)};
  std::size_t at = 0;
  while (at < text.size() && to.size() < 10 * dates_max) {
    if (!compiled.form->Match(text, at, text.size(), RE2::UNANCHORED, found.data(), groups + 1)) {
      return;
    }
    const auto begin = static_cast<std::size_t>(found[0].data() - text.data());
    const auto end = begin + found[0].size();
    std::vector<std::string> core;
    const auto text_at = [&](int group) {
      const auto& piece = found[static_cast<std::size_t>(group)];
      return piece.data() == nullptr ? std::string() : std::string(piece.data(), piece.size());
    };
    for (int group = 2; group <= groups - 4; ++group) core.push_back(text_at(group));
    const auto before = text_at(1);
    const auto day = compiled.pattern->day(on, core);
    at = std::max(end, begin + 1);
    if (!day) continue;
    const auto time =
        time_of(text_at(groups - 3), text_at(groups - 2) + text_at(groups), text_at(groups - 1));
    auto moment = local_seconds{*day} + time.value_or(minutes{end_of_day_hour * 60});
    const bool in_hours = compiled.pattern->day == of_count &&
                          (core[1].starts_with("h") || core[1].starts_with("st"));
    if (in_hours) moment = written + hours{plain_number(core[0])};
    WrittenDate date;
    date.begin = begin;
    date.end = end;
    date.at = TimePoint{moment.time_since_epoch()} - minutes{offset};
    date.deadline = !before.empty();
    to.push_back({begin, end, date});
  }
}

}  // namespace

std::vector<WrittenDate> find_dates(std::string_view text, TimePoint written, int offset_min) {
  const auto lower = lower_text(text);
  const local_seconds local{
      std::chrono::floor<std::chrono::seconds>(written.time_since_epoch() + minutes{offset_min})};
  std::vector<Match> found;
  for (const auto& compiled : patterns()) search(compiled, lower, local, offset_min, found);
  // What is longer says more: "Friday, 5 March" is one day, not two.
  sort_stably(found,
              [](const Match& a, const Match& b) { return a.end - a.begin > b.end - b.begin; });
  std::vector<WrittenDate> out;
  for (const auto& one : found) {
    const bool overlaps = std::ranges::any_of(out, [&](const WrittenDate& taken) {
      return one.begin < taken.end && taken.begin < one.end;
    });
    if (!overlaps && out.size() < dates_max) out.push_back(one.date);
  }
  std::ranges::sort(out, {}, &WrittenDate::begin);
  return out;
}

}  // namespace vigil::entities::comms
