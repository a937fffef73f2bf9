#include <array>
#include <string>

#include "core/json.hpp"
#include "entities/calendar/calendar.hpp"
#include "entities/ci/sarif.hpp"
#include "entities/ci/test_report.hpp"
#include "entities/ci/tool_output.hpp"
#include "entities/codebase/diff.hpp"
#include "entities/deps/lockfile.hpp"
#include "entities/feeds/feed.hpp"
#include "entities/logs/record.hpp"
#include "entities/ops/metrics_text.hpp"
#include "tests/fuzz/target.hpp"

namespace vigil::fuzz {
namespace {

using namespace entities;

void diff(std::string_view bytes) {
  const auto read = codebase::parse_diff(bytes);
  for (const auto& file : read.files) {
    for (const auto& line : file.added) must(line.number > 0, "an added line has a number");
  }
}

// The first line chooses the format.
void lockfile(std::string_view bytes) {
  const auto [name, text] = halves_of(bytes);
  const auto formats = deps::lock_formats();
  const auto which = name.empty() ? 0 : static_cast<unsigned char>(name[0]) % formats.size();
  (void)deps::read_lockfile("fuzzed", text, formats[which].name);
  (void)deps::read_lockfile(name, text);
}

void report(std::string_view bytes) {
  if (const auto read = ci::read_test_report(bytes)) {
    const auto counts = ci::tally(*read);
    must(counts.cases == read->cases.size(), "each case is counted once");
  }
  (void)ci::read_sarif(bytes);
}

void tool_output(std::string_view bytes) { (void)ci::read_tool_output(bytes); }

void logs(std::string_view bytes) {
  constexpr TimePoint now{std::chrono::microseconds{1'790'000'000'000'000}};
  while (!bytes.empty()) {
    const auto [line, rest] = halves_of(bytes);
    (void)logs::read_record(line, now);
    bytes = rest;
  }
}

void metrics(std::string_view bytes) {
  (void)ops::parse_openmetrics(bytes);
  (void)ops::parse_prometheus_text(bytes);
}

// Occurrences come in their order, no more than were asked for, and end no earlier than they begin.
void calendar(std::string_view bytes) {
  using namespace entities::calendar;
  const auto read = read_calendar(bytes, Zone::utc());
  if (!read) return must(!read.error().message.empty(), "a refusal says why");
  constexpr std::size_t most = 200;
  const auto window =
      Window::of_days(cctz::civil_second(2019, 1, 1), cctz::civil_second(2021, 1, 1));
  const auto found = occurrences(*read, window, most);
  must(found.occurrences.size() <= most, "occurrences have their bound");
  const Occurrence* before = nullptr;
  for (const auto& one : found.occurrences) {
    must(one.begins <= one.ends, "what begins ends later");
    must(before == nullptr || before->begins <= one.begins, "occurrences are in their order");
    (void)to_json(one);
    before = &one;
  }
}

void feed(std::string_view bytes) {
  const auto read = feeds::read_feed(bytes, {.url = "https://example.org/feed", .charset = {}});
  if (!read) return must(!read.error().message.empty(), "a refusal says why");
  must(read->entries.size() <= feeds::entries_max, "entries have their bound");
  must(parse_json(to_text(feeds::to_json(*read))).has_value(), "what is told is JSON");
}

constexpr std::array table{
    Target{"calendar", "calendar", calendar},
    Target{"feed", "feeds", feed},
    Target{"diff", "diffs", diff},
    Target{"lockfile", "deps/lockfiles", lockfile},
    Target{"report", "ci/test-reports ci/sarif", report},
    Target{"tool-output", "ci/tool-output", tool_output},
    Target{"logs", "logs/fail2ban", logs},
    Target{"metrics", "metrics", metrics},
};

}  // namespace

std::span<const Target> reader_targets() { return table; }

}  // namespace vigil::fuzz
