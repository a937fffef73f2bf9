#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/digest.hpp"
#include "ctl/arguments.hpp"
#include "ctl/pages.hpp"
#include "ctl/verbs.hpp"

using namespace vigil;
using namespace vigil::ctl;

namespace {

const Style plain{.color = false, .width = 0, .now = *parse_rfc3339("2026-11-23T10:00:00Z")};

json::value parsed(std::string_view text) {
  auto value = parse_json(text);
  REQUIRE(value);
  return std::move(*value);
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

void check_widths(const std::string& page, std::size_t width) {
  std::istringstream lines(page);
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    CHECK(display_width(line) <= width);
  }
}

Style wide(int width) {
  auto style = plain;
  style.width = width;
  return style;
}

const char* const two_days = R"({"days": 14, "entity": null, "cut": false, "by_day": [
  {"day": "2026-11-22", "swarms": 3, "ok": 2, "tasks": 12, "done": 10, "first_time_right": 9,
   "reused": 1, "speed": 0.5, "correctness": 0.9, "parallelism": 2.0, "right_per_second": 0.9,
   "wasted_share": 0.125},
  {"day": "2026-11-23", "swarms": 40, "ok": 40, "tasks": 90000, "done": 90000,
   "first_time_right": 89999, "speed": 0.05, "correctness": 0.99999, "parallelism": 123.4,
   "right_per_second": 1.8, "wasted_share": 0.0}],
  "total": {"swarms": 43, "ok": 42, "tasks": 90012, "done": 90010, "reused": 1,
   "saved_us": 60000000, "speed": 0.06, "correctness": 0.99, "parallelism": 60.0,
   "right_per_second": 1.5, "wasted_share": 0.01}})";

}  // namespace

TEST_CASE("the trend is a table with a bar for each day") {
  const auto page = trend_page(parsed(two_days), plain);
  CHECK(page.starts_with(
      "DAY         SWARMS   DONE     SPEED  CORRECT  PARALLEL   RIGHT  WASTED\n"
      "2026-11-22       3     10    0.50/s     90 %     2.00x  0.90/s    12 %  ████····\n"
      "2026-11-23      40  90000  3.00/min     99 %      123x  1.80/s       -  ████████\n"
      "all             43  90010"));
  CHECK(has(page, "one earlier result taken, 1m saved\n"));
  CHECK(has(page, "1 of 43 swarms ended badly: vigilctl swarms list\n"));
  CHECK(has(page, "1 of 90012 tasks not done: CORRECT is of those done\n"));
  CHECK(has(page, "RIGHT the product"));
  CHECK(!has(page, "\033"));
  CHECK(!has(page, "only the newest"));
}

TEST_CASE("the trend fits the terminal it is shown on") {
  for (const int width : {80, 60, 100}) {
    check_widths(trend_page(parsed(two_days), wide(width)), static_cast<std::size_t>(width));
  }
  const auto narrow = trend_page(parsed(two_days), wide(60));
  CHECK(!has(narrow, "SWARMS"));
  CHECK(!has(narrow, "█"));
  CHECK(has(narrow, "2026-11-22     10"));
}

TEST_CASE("a trend without swarms says how to get some") {
  const auto none = trend_page(parsed(R"({"days": 7, "entity": "clerk", "by_day": []})"), plain);
  CHECK(has(none, "no swarms of clerk ended in the last 7 days"));
  check_widths(none, 60);
  CHECK(has(none, "vigilctl swarms run plan.json --entity clerk"));
  CHECK(has(trend_page(parsed("{}"), plain), "--entity NAME"));
  CHECK(has(trend_page(parsed(R"({"days": 1})"), plain), "no swarms ended today"));
  const auto odd =
      R"({"by_day": [{}, {"day": "\u001b[2J", "done": "x", "speed": null}], "total": 5})";
  CHECK(!has(trend_page(parsed(odd), plain), "\033"));
}

TEST_CASE("what the tasks answered is cut to the terminal, and says what is missing") {
  json::array tasks;
  tasks.push_back(parsed(R"({"name": "count", "state": "done", "result": 41})"));
  tasks.push_back(parsed(R"({"name": "text", "state": "done", "output_cut_bytes": 2048,
                             "result": "one\ntwo \u001b[2J\n3\n4\n5\n6\n7\n8\n"})"));
  tasks.push_back(parsed(R"({"name": "odd", "state": "failed", "result": {"why": "no"}})"));
  tasks.push_back(parsed(R"({"name": "silent", "state": "done", "result": null})"));
  tasks.push_back(parsed(R"({"name": "empty", "state": "done", "result": ""})"));
  const json::value swarm = json::object{{"tasks", std::move(tasks)}};
  const auto page = results_page(swarm, wide(60), Fold::long_lists);
  CHECK(page ==
        "what the tasks answered\n"
        "  count\n    41\n"
        "  text (2.0 KiB of its output not kept)\n"
        "    one\n    two \\x1b[2J\n    3\n    4\n    5\n    6\n    and 2 lines (--all)\n"
        "  odd (failed)\n    {\"why\":\"no\"}\n"
        "  empty\n    (nothing)\n");
  CHECK(has(results_page(swarm, wide(60), Fold::nothing), "    7\n    8\n"));
  const json::value large = json::object{
      {"tasks",
       json::array{json::object{{"name", "a"},
                                {"state", "done"},
                                {"result", json::object{{"key", std::string(500, 'x')}}}}}}};
  check_widths(results_page(large, wide(40), Fold::nothing), 40);
  CHECK(has(results_page(large, plain, Fold::nothing), std::string(500, 'x')));
  CHECK(has(results_page(parsed("{}"), plain, Fold::nothing), "no task has answered"));
}

TEST_CASE("the numbers of a swarm are broken where the terminal ends") {
  const auto swarm = parsed(R"({"id": 3, "state": "done", "title": "look", "tasks": [],
    "report": {"ok": true, "wall_us": 4000000, "task_sum_us": 8000000, "slots": 4, "attempts": 3,
      "critical_path_us": 4000000, "lower_bound_us": 4000000, "speedup": 2.0, "speed": 1.38,
      "correctness": 1.0, "efficiency": 1.0, "first_time_right": 3}})");
  check_widths(swarm_chart_page(swarm, wide(60), Fold::long_lists), 60);
  CHECK(has(swarm_chart_page(swarm, wide(60), Fold::long_lists), "\n  "));
  const auto whole = swarm_chart_page(swarm, plain, Fold::long_lists);
  CHECK(
      has(whole, "throughput: 1.38 tasks a second for one worker, times 2.0 side by side, times"));
}

TEST_CASE("beyond forty answers the rest is counted") {
  json::array tasks;
  for (int i = 0; i < 100; ++i) {
    tasks.push_back(
        json::object{{"name", "t" + std::to_string(i)}, {"state", "done"}, {"result", i}});
  }
  const json::value swarm = json::object{{"tasks", std::move(tasks)}};
  CHECK(has(results_page(swarm, plain, Fold::long_lists), "  and 60 more (--all)\n"));
  CHECK(has(results_page(swarm, plain, Fold::nothing), "  t99\n"));
}

TEST_CASE("a plan's file that cannot be sent is told without asking the daemon") {
  const Session session{.client = Client("/no/such/socket"), .style = plain};
  const auto file = std::filesystem::temp_directory_path() / ("plan-" + random_hex(8) + ".json");
  RunPlanArgs args{.file = file.string(), .entity = "clerk"};
  CHECK(run_plan(session, args) == exit_failed);  // it is not there
  std::ofstream(file) << "{not json";
  CHECK(run_plan(session, args) == exit_failed);
  std::ofstream(file) << R"({"tasks": []})";
  CHECK(run_plan(session, args) == exit_unreachable);
  std::filesystem::remove(file);
}

TEST_CASE("the new verbs say what they need") {
  const auto code = [](std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), {"vigilctl", "swarms"});
    const auto read = read_line(static_cast<int>(arguments.size()), arguments.data());
    const auto* exit = std::get_if<int>(&read);
    return exit != nullptr ? *exit : -1;
  };
  CHECK(code({"run"}) == exit_usage);
  CHECK(code({"run", "plan.json"}) == exit_usage);
  CHECK(code({"run", "-", "--entity", "x", "--watch"}) == -1);
  CHECK(code({"trend", "--days", "0"}) == exit_usage);
  CHECK(code({"trend", "--days", "30", "--entity", "x"}) == -1);
  CHECK(code({"show", "7", "--results", "--html", "x"}) == exit_usage);
  CHECK(code({"show", "7", "--results", "--all"}) == -1);
}
