#pragma once
// A swarm as a picture: when each task ran on one axis of time, for a terminal and as a page of
// HTML. Pure; made from the API's answer, in which everything may be missing. Texts are safe for a
// terminal already.
#include <string>
#include <vector>

#include "core/json.hpp"
#include "core/time.hpp"
#include "ctl/render.hpp"

namespace vigil::ctl {

struct PictureTask {
  static constexpr Duration never{-1};

  std::string name;
  std::string state;
  std::string parent;              // the task that spawned it
  std::vector<std::string> needs;  // and needs_interface
  std::vector<std::string> needs_interface;
  std::string error;
  std::string cost;       // "tokens 12"
  Duration from = never;  // of the attempt that counts, since the picture begins
  Duration took{0};       // of the attempt that counts
  Duration wasted{0};     // of the others
  Duration interface_after{0};
  Duration guess{0};  // how long it worked on an interface, from its start
  Duration saved{0};  // the time of the earlier run whose result it took
  std::int64_t attempts = 0;
  std::int64_t exit_code = -1;
  bool critical = false;
  int depth = 0;  // below how many parents

  bool has_run() const { return from != never; }
  bool is_reused() const { return saved > Duration{0}; }
  Duration to() const { return from + took; }
};

struct Picture {
  std::string id, title, state, place, error;
  TimePoint from;
  Duration length{0};
  std::vector<PictureTask> tasks;  // by their start, children below their parents
};
// What runs is drawn until `now`.
Picture picture_of(const json::value& swarm, TimePoint now);

bool is_unfinished(const Picture& picture);

// Round times from 0 to `length`, at most that many.
std::vector<Duration> ticks(Duration length, int count_max);
std::string tick_text(Duration at);  // "0", "500ms", "1m30s"

std::string took_text(const PictureTask& task);  // "-" when it never ran
// What is not in its bar: "2 attempts, 1.2s wasted", "on a guess for 200ms", its error...
std::string remarks(const PictureTask& task);

// The report's numbers as sentences for people.
std::vector<std::string> numbers_in_words(const json::value& report);

enum class Fold { long_lists, nothing };
// The chart, at most style.width columns (100 when unknown), with a legend of what is in it.
std::string chart_text(const Picture& picture, const Style& style, Fold fold);

// One file without scripts that needs nothing from elsewhere.
std::string picture_html(const json::value& swarm, TimePoint now);

}  // namespace vigil::ctl
