#pragma once
// What a log says by kinds of messages, and what of it is unlike its own past: the latest stretch
// of time is compared with the stretches of the same length before it. The past is in
// the log; what a run knew may be kept for the next, too, for a log that was rotated. Pure; any
// thread; memory grows with the number of lines (8 bytes each).
#include <array>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.hpp"
#include "core/time.hpp"
#include "entities/logs/record.hpp"

namespace vigil::entities::logs {

enum class Unlike {
  nothing,
  fresh,   // never before, in a past that is long enough to say so
  more,    // far more than usual
  silent,  // it was there all the time, and is not
};

struct Kind {
  std::string id;                       // the same in every run that finds the same words
  std::string text;                     // user <*> logged in
  std::string example;                  // its last message
  Severity severity = Severity::other;  // its worst
  std::uint64_t count = 0;
  std::uint64_t latest = 0;  // of these in the latest stretch
  double usual = 0;          // in a stretch of the past: the median
  Unlike unlike = Unlike::nothing;
};

struct Survey {
  std::uint64_t messages = 0;
  std::uint64_t continued = 0;                     // lines that go on with the message before
  std::array<std::uint64_t, severities> latest{};  // by severity, in the latest stretch
  Unlike errors = Unlike::nothing;                 // all of them together
  double usual_errors = 0;
  std::optional<TimePoint> begin;  // none: no line says when
  std::optional<TimePoint> end;
  std::size_t stretches = 0;  // whole ones in the past
  std::vector<Kind> kinds;    // unlike first, then by count
  std::uint64_t forgotten = 0;
};

// Takes the lines of a log in their order, then says. `now` guesses the year of dates without one.
class Surveyor {
 public:
  Surveyor(Duration stretch, TimePoint now);
  ~Surveyor();
  // What an earlier run kept, before the first line: its kinds are not new, and its stretches are
  // the past of those of this log, when they are as long and there is no gap between. Lenient: what
  // is no such thing is left out.
  void load(const json::value& kept);
  void take(std::string_view line);
  // For a later run; after the last line. Bounded.
  json::object to_keep() const;
  Survey end() &&;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Whether the latest count is unlike the ones before, and what is usual. Pure.
struct Compared {
  Unlike unlike = Unlike::nothing;
  double usual = 0;
};
Compared compare(std::vector<std::uint32_t> past, std::uint64_t latest);

std::string_view to_text(Unlike unlike);  // "new", "more", "silent"

}  // namespace vigil::entities::logs
