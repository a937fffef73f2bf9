#include "ctl/picture.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fstream>
#include <iterator>
#include <sstream>

#include "ctl/pages.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::ctl;
using namespace std::chrono_literals;

namespace {

const TimePoint now = *parse_rfc3339("2026-11-23T10:00:00Z");
const Style wide{.color = false, .width = 100, .now = now};
const Style narrow{.color = false, .width = 60, .now = now};

json::value parsed(std::string_view text) {
  auto value = parse_json(text);
  REQUIRE(value);
  return std::move(*value);
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

// One of everything: an interface, work on a guess, a retry, a reused result, spawned children, a
// failure and what it skipped.
const char* const everything = R"({"id": 3, "state": "failed", "title": "look", "entity": "keeper",
  "case_key": "k", "tasks": [
    {"name": "api", "state": "done"},
    {"name": "use", "state": "done", "needs_interface": ["api"]},
    {"name": "split", "state": "done"},
    {"name": "split/b", "state": "done"}, {"name": "split/a", "state": "done"},
    {"name": "lint", "state": "failed"},
    {"name": "old", "state": "done"},
    {"name": "stop", "state": "cancelled"},
    {"name": "merge", "state": "skipped", "needs": ["lint"]}],
  "report": {"ok": false, "error": "lint failed", "started_us": 1000000, "wall_us": 10000000,
    "task_sum_us": 25000000, "critical_path_us": 9000000, "critical_results_us": 12000000,
    "lower_bound_us": 9000000, "wasted_us": 2000000, "slots": 4, "attempts": 9,
    "first_time_right": 5, "guesses_won": 1, "guesses_lost": 0, "hedges_won": 1, "reused": 1,
    "saved_us": 3000000, "cost": {"tokens": 12}, "speed": 0.24, "correctness": 0.8333,
    "speedup": 2.5, "efficiency": 0.9, "text": "look: not ok",
    "tasks": [
    {"name": "api", "state": "done", "attempts": 1, "started_us": 1000000, "took_us": 6000000,
     "interface_after_us": 2000000, "critical": true},
    {"name": "use", "state": "done", "attempts": 1, "started_us": 3000000, "took_us": 7000000,
     "critical": true},
    {"name": "split", "state": "done", "attempts": 1, "started_us": 1000000, "took_us": 1000000},
    {"name": "split/b", "state": "done", "parent": "split", "attempts": 2, "started_us": 4000000,
     "took_us": 2000000, "wasted_us": 2000000},
    {"name": "split/a", "state": "done", "parent": "split", "attempts": 1, "started_us": 2000000,
     "took_us": 4000000},
    {"name": "lint", "state": "failed", "attempts": 1, "started_us": 7000000, "took_us": 2000000,
     "exit_code": 3, "error": "exit code 3: \u001b[2Jboom"},
    {"name": "old", "state": "done", "attempts": 0, "started_us": 1500000, "took_us": 0,
     "saved_us": 3000000},
    {"name": "stop", "state": "cancelled", "attempts": 1, "started_us": 9000000,
     "took_us": 2000000, "error": "lint failed"},
    {"name": "merge", "state": "skipped", "attempts": 0, "took_us": 0}]}})";

json::value many(int count) {
  json::array tasks;
  for (int i = 0; i < count; ++i) {
    tasks.push_back({{"name", fmt::format("t{}", i)},
                     {"state", i == count - 1 ? "failed" : "done"},
                     {"started_us", 1'000'000 + (i / 8) * 1000},
                     {"took_us", 900 + i % 100}});
  }
  return json::object{{"id", 9}, {"state", "done"}, {"title", "many"}, {"tasks", std::move(tasks)}};
}

}  // namespace

TEST_CASE("a chart tells without colour what a bar was") {
  const auto picture = picture_of(parsed(everything), now);
  CHECK("\n" + chart_text(picture, wide, Fold::long_lists) == R"(
         0          2s          4s         6s          8s         10s
         ├──────────┼───────────┼──────────┼───────────┼──────────┼
* api    ███████████◆██████████████████████                         6s
  split  ━━━━━━                                                     1s
    /a         ━━━━━━━━━━━━━━━━━━━━━━                               4s
    /b         ░░░░░░░░░░░━━━━━━━━━━━                               2s  2 attempts, 2s wasted
  old       ◇                                                        0  earlier result taken, saves…
* use               ▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓█████████████████        7s  on a guess for 4s
  lint                                     ××××××××××××             2s  failed: exit code 3: \x1b[2…
  stop                                                 ╌╌╌╌╌╌╌╌╌╌╌  2s  cancelled: lint failed
  merge                                                              -  skipped
━ done   █ on the longest chain   ▓ the same on the longest chain   ░ wasted attempts (how long)
× failed   ╌ cancelled   ◇ took an earlier result   ◆ published its interface
)");
  CHECK("\n" + chart_text(picture, narrow, Fold::long_lists) == R"(
         0              5s             10s
         ├──────────────┼──────────────┼
* api    ██████◆███████████              6s
  split  ━━━                             1s
    /a      ━━━━━━━━━━━━                 4s
    /b      ░░░░░░━━━━━━                 2s  2 attempts, 2s…
  old      ◇                              0  earlier result…
* use          ▓▓▓▓▓▓▓▓▓▓▓▓█████████     7s  on a guess for…
  lint                     ××××××        2s  failed: exit c…
  stop                           ╌╌╌╌╌╌  2s  cancelled: lin…
  merge                                   -  skipped
━ done   █ on the longest chain
▓ the same on the longest chain
░ wasted attempts (how long)   × failed   ╌ cancelled
◇ took an earlier result   ◆ published its interface
)");
  for (const int width : {40, 60, 100, 200}) {
    auto style = wide;
    style.width = width;
    std::istringstream lines(chart_text(picture, style, Fold::nothing));
    for (std::string line; std::getline(lines, line);) {
      CAPTURE(line);
      CHECK(display_width(line) <= static_cast<std::size_t>(width));
    }
  }
}

TEST_CASE("a long list folds, and what failed or sets the pace stays") {
  const auto picture = picture_of(many(10'000), now);
  const auto folded = chart_text(picture, narrow, Fold::long_lists);
  CHECK(std::ranges::count(folded, '\n') == 44);
  CHECK(has(folded, "t9999"));
  CHECK(has(folded, "... 9,960 tasks more; --all shows them, --html FILE draws them\n"));
  const auto all = chart_text(picture, narrow, Fold::nothing);
  CHECK(std::ranges::count(all, '\n') == 10'003);
  CHECK(!has(all, "more"));
}

TEST_CASE("a swarm that has not run is shown with what its tasks wait for") {
  const auto planned = parsed(R"({"id": 4, "state": "planned", "title": "t", "tasks": [
    {"name": "a", "state": "waiting"}, {"name": "b", "state": "waiting", "needs": ["a"],
     "needs_interface": ["c"]}]})");
  const auto page = swarm_chart_page(planned, wide, Fold::long_lists);
  CHECK(has(page, "  -  waits for a, c\n"));
  CHECK(has(page, "it has not ended: vigilctl swarms watch 4"));
  CHECK(has(picture_html(planned, now), "It has not ended"));
}

TEST_CASE("parents in a circle, or unknown ones, lose no task") {
  const auto odd = parsed(R"({"id": 4, "state": "done", "tasks": [
    {"name": "a", "parent": "b"}, {"name": "b", "parent": "a"}, {"name": "c", "parent": "gone"},
    {"name": "d", "parent": "d"}]})");
  CHECK(picture_of(odd, now).tasks.size() == 4);
  CHECK(picture_of(parsed(everything), now).tasks.size() == 9);
}

TEST_CASE("the numbers are said in words") {
  const auto said = numbers_in_words(*find_path(parsed(everything), "report"));
  REQUIRE(said.size() == 9);
  CHECK(said[0] == "one worker would have needed 25s; it took 10s on 4 slots: 2.5 times faster");
  CHECK(said[1] ==
        "the longest chain of tasks takes 9s, and would 12s if everyone waited for results instead "
        "of interfaces");
  CHECK(said[3] ==
        "9 attempts, 2s of work wasted; 6 of 9 tasks done, 5 of them right the first time");
  CHECK(said[8] ==
        "throughput: 0.24 tasks a second for one worker, times 2.5 side by side, times 83 % "
        "correct = 0.5 right the first time a second");
}

TEST_CASE("times on an axis are round") {
  const auto texts = [](Duration length, int count) {
    std::string out;
    for (const auto at : ticks(length, count)) out += tick_text(at) + " ";
    return out;
  };
  CHECK(texts(10s, 5) == "0 2s 4s 6s 8s 10s ");
  CHECK(texts(1s, 4) == "0 500ms 1s ");
  CHECK(texts(4min, 4) == "0 1m 2m 3m 4m ");
  CHECK(texts(5ms, 5) == "0 1ms 2ms 3ms 4ms 5ms ");
  CHECK(texts(Duration{0}, 5) == "0 ");
  CHECK(ticks(std::chrono::hours{24 * 365 * 50}, 6).size() <= 7);
}

TEST_CASE("a page shows everything, asks nobody and runs nothing") {
  auto swarm = parsed(everything);
  const auto page = picture_html(swarm, now);
  for (const char* part :
       {"<!DOCTYPE html>", "<title>look</title>", "default-src 'none'", "class=\"interface\"",
        "class=\"wasted\"", "class=\"guess\"", "class=\"failed\"", "class=\"reuse-mark\"",
        "class=\"done critical\"", "2.5 times faster", "interface after 2s", "spawned by split",
        "exit code 3: \\x1b[2Jboom", "prefers-color-scheme: dark", "</html>"}) {
    CAPTURE(part);
    CHECK(has(page, part));
  }
  for (const char* part : {"<script", "http://", "https://", "url(h", "@import", "<link", "<img"}) {
    CAPTURE(part);
    // The name of the XML namespace is no address.
    auto rest = page;
    const auto name = rest.find("http://www.w3.org/1999/xhtml");
    REQUIRE(name != std::string::npos);
    rest.erase(name, std::string_view("http://www.w3.org/1999/xhtml").size());
    CHECK(!has(rest, part));
  }
}

TEST_CASE("whatever a title or a task says stays text") {
  const std::string evil = "</title><script>alert('x')</script>\"&\033[2J";
  auto swarm = parsed(everything);
  auto& root = swarm.as_object();
  root["title"] = evil;
  root["id"] = evil;
  root["state"] = "\" onload=\"x";
  root["entity"] = evil;
  auto& report = root["report"].as_object();
  report["error"] = evil;
  report["cost"] = json::object{{evil, 3}};
  for (auto& task : report["tasks"].as_array()) {
    task.as_object()["name"] = evil + task.at("name").as_string().c_str();
    task.as_object()["error"] = evil;
    task.as_object()["state"] = evil;
    task.as_object()["parent"] = evil;
  }
  const auto page = picture_html(swarm, now);
  CHECK(!has(page, "<script"));
  CHECK(!has(page, "\" onload"));
  CHECK(!has(page, "\033"));
  CHECK(
      has(page, "<title>&lt;/title&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;"));
  CHECK(!has(swarm_chart_page(swarm, wide, Fold::nothing), "\033"));
}

TEST_CASE("beyond some thousand tasks, those that ran one after the other share a lane") {
  const auto page = picture_html(many(10'000), now);
  CHECK(has(page, "Too many tasks for a row each"));
  CHECK(has(page, "t9999: failed"));
  CHECK(has(page, "height=\"176\""));  // 8 lanes
  CHECK(page.size() < 4'000'000);
  const auto rows = picture_html(many(1'000), now);
  CHECK(!has(rows, "Too many tasks"));
}

TEST_CASE("a swarm that ran is drawn with its children, its guess and its failure") {
  std::ifstream file(source_dir() + "/tests/ctl/data/swarm.json");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const auto swarm = parsed(text);
  auto style = wide;
  style.width = 80;
  CHECK("\n" + chart_text(picture_of(swarm, now), style, Fold::long_lists) == R"(
         0        1s       2s      3s       4s
         ├────────┼────────┼───────┼────────┼───────
* api    █████████◆█████████████████                 3.02s
  map    ━                                           3.6ms
    /0   ━                                           110ms
    /1   ━━                                          208ms
    /2   ━━━                                         310ms
    /3    ━━━━                                       412ms
    /4     ━━━━                                      512ms
    /5      ━━━━━                                    610ms
    /6        ━━━━━━                                 707ms
    /7         ━━━━━━━━                              811ms
    /8           ━━━━━━━━                            914ms
    /9                 ━                             104ms
    /10                 ━                            117ms
    /11                  ━                           133ms
* use               ▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓▓██████████          3s  on a guess for 1.78s
  flaky                           ░░░░░░×××××××      704ms  2 attempts, 713ms w…
* sum                                         █████  509ms
━ done   █ on the longest chain   ▓ the same on the longest chain
░ wasted attempts (how long)   × failed   ◆ published its interface
)");
  CHECK(has(picture_html(swarm, now), "spawned by map"));
}
