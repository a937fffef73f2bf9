#include "ctl/pages.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <set>

#include "ctl/arguments.hpp"
#include "tests/support/places.hpp"

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

}  // namespace

TEST_CASE("an empty list says what to do next") {
  const auto empty = json::value(json::object{});
  for (const Page page : {entities_page, events_page, cases_page, decisions_page, swarms_page,
                          actions_page, timers_page, next_page, dead_page, found_page, memory_page,
                          documents_page, budget_page, diff_page}) {
    const auto text = page(empty, plain);
    CHECK(text.size() > 20);
    CHECK(text.ends_with('\n'));
    CHECK(!has(text, "\033"));
  }
  CHECK(has(events_page(empty, plain), "vigilctl events emit --type"));
}

TEST_CASE("a budget's day: spent, set aside and allowed, of all who have one") {
  const auto text = budget_page(parsed(R"({"day": "2026-11-23", "ends": "2026-11-24T00:00:00.000Z",
    "cases_left_out": 1, "budgets": [
    {"entity": "*", "scope": "all", "limits": {"tokens": 0}, "spent": {"tokens": 12}},
    {"entity": "case:7", "scope": "case", "of": "desk", "case_key": "a thread",
     "limits": {"tokens": 50}, "spent": {"tokens": 12}, "reserved": {"tokens": 4}},
    {"entity": "model:m", "scope": "model", "limits": {"requests": 9},
     "spent": {"tokens": 12, "requests": 3}}]})"),
                                plain);
  CHECK(has(text, "spent on 2026-11-23 (UTC), which ends at 2026-11-24"));
  CHECK(has(text, "all together"));
  CHECK(has(text, "desk a thread"));
  CHECK(has(text, "12 + 4 of 50"));
  CHECK(has(text, "3 of 9"));
  CHECK(has(text, "and one more case"));
}

TEST_CASE("the chain of an event is drawn as a tree") {
  const auto answer = parsed(R"({
    "event": {"id": 41, "type": "github.push", "source": "github", "subject": "octo/repo",
              "received_at": "2026-11-23T09:57:00Z"},
    "decisions": [
      {"id": 7, "entity": "keeper", "verdict": "acted", "case_key": "octo/repo#12",
       "rule": "review", "because": "event", "why": "four files changed",
       "at": "2026-11-23T09:57:01Z", "also": {"over_budget": ["plan 'deep'"]},
       "swarms": [{"id": 3, "state": "done", "title": "look", "tasks_planned": 5,
                   "report": {"wall_us": 1200000, "speedup": 3.4, "error": ""},
                   "decision": {"id": 8, "entity": "keeper", "verdict": "acted", "rule": "",
                                "because": "swarm", "why": "two findings", "swarms": [],
                                "actions": [{"id": 9, "state": "proposed", "kind": "comment",
                                             "sink": "gh", "error": ""}]}}],
       "actions": []},
      {"id": 6, "entity": "", "verdict": "ignored", "because": "event", "why": "not \u001b[2Jours",
       "swarms": [], "actions": []}],
    "waiting": [{"id": 5, "entity": "clerk", "case_key": "k", "state": "dead", "error": "threw"}]
  })");
  CHECK(explain_page(answer, plain) ==
        "event 41  github.push from github about octo/repo  3m ago\n"
        "├─ keeper acted, case octo/repo#12, rule review  decision 7, 2m59s ago\n"
        "│  │  four files changed\n"
        "│  │  over budget: plan 'deep'\n"
        "│  └─ swarm 3 done: look, 5 tasks in 1.2s, 3.4 times one worker\n"
        "│     └─ keeper acted, because of the swarm's report  decision 8\n"
        "│        │  two findings\n"
        "│        └─ action 9 proposed: comment to gh: `vigilctl actions approve 9`\n"
        "├─ the router ignored  decision 6\n"
        "│     not \\x1b[2Jours\n"
        "└─ clerk/k could not decide (dead): threw. Try again with `vigilctl dead retry 5`\n");
}

TEST_CASE("status shows what wants attention, and says how to begin") {
  auto answer = parsed(R"({"version": "1", "last_event": 0, "accepting": true,
    "runtime": {"wakes_dead": 0, "entities_paused": 0}, "actions": {}, "writer": {}})");
  CHECK(has(status_page(answer, plain), "no events yet"));
  CHECK(!has(status_page(answer, plain), "! "));
  answer = parsed(R"({"version": "1", "last_event": 3, "accepting": false,
    "runtime": {"wakes_dead": 2, "entities_paused": 1}, "actions": {"unknown": 1, "proposed": 4},
    "writer": {"disk_full": true}})");
  const auto page = status_page(answer, plain);
  for (const char* part : {"the disk is full", "2 dead letters", "one action with an unknown",
                           "4 actions waiting for you", "one paused entity"}) {
    CAPTURE(part);
    CHECK(has(page, part));
  }
}

TEST_CASE("a swarm is shown with its tasks, when they ran, and the numbers") {
  const auto answer = parsed(R"({"id": 3, "state": "done", "title": "look", "entity": "keeper",
    "case_key": "k", "tasks": [
      {"name": "scan", "state": "done", "attempts": 1, "started": "2026-11-23T09:00:00Z",
       "took_us": 2000000, "needs": []},
      {"name": "merge", "state": "failed", "attempts": 2, "started": "2026-11-23T09:00:02Z",
       "took_us": 2000000, "needs": ["scan"], "error": "exit 3"}],
    "report": {"ok": false, "error": "merge failed", "wall_us": 4000000, "task_sum_us": 4000000,
      "critical_path_us": 4000000, "lower_bound_us": 4000000, "wasted_us": 0, "slots": 4,
      "attempts": 3, "speedup": 1.0, "efficiency": 1.0}})");
  const auto page = swarm_page(answer, plain);
  CHECK(has(page, "swarm 3 done: look for keeper/k\nmerge failed\n"));
  CHECK(has(page, "  scan   ━━━━"));
  CHECK(has(page, "×××  2s  2 attempts, failed: exit 3\n"));
  CHECK(has(page, "it took 4s on 4 slots: 1.0 times faster"));
  auto running = answer;
  running.as_object()["state"] = "running";
  running.as_object()["report"] = nullptr;
  CHECK(has(swarm_page(running, plain), "vigilctl swarms watch 3"));
}

TEST_CASE("news become one safe line each, and losses are told") {
  const auto line = [](std::string_view text) { return news_line(parsed(text), plain); };
  CHECK(line(R"({"topic":"event","at":"2026-11-23T09:57:01.250Z","id":4,"type":"a.b",
                 "source":"s","subject":"x\ny"})") == "09:57:01  event 4 a.b from s x y\n");
  CHECK(line(R"({"topic":"task","at":"2026-11-23T09:57:01.250Z","swarm":4,"task":"t",
                 "state":"done","took_us":1500000,"note":""})") ==
        "09:57:01  swarm 4 task t done in 1.5s\n");
  CHECK(line(R"({"topic":"decision","at":"","entity":"e","verdict":"acted","case":"k",
                 "why":"w","lost":3})") ==
        "(3 older items were lost: this terminal was too slow)\n  e acted k: w\n");
}

TEST_CASE("pages bear answers that lack what they expect") {
  for (const char* text : {"{}", R"({"events": [{}], "cases": [{}], "swarms": [{}]})",
                           R"({"events": 5, "decisions": [{"swarms": 1}]})"}) {
    const auto answer = parsed(text);
    for (const Page page :
         {status_page, entities_page, entity_page, events_page, event_page, explain_page,
          cases_page, case_page, swarms_page, swarm_page, swarm_end_page, actions_page, action_page,
          memory_page, budget_page, check_page, diff_page, news_line}) {
      CHECK(!page(answer, plain).empty());
    }
  }
}

TEST_CASE("counts read like language") {
  CHECK(count_text(0, "task") == "0 tasks");
  CHECK(count_text(1, "task") == "one task");
  CHECK(count_text(2, "entry") == "2 entries");
  CHECK(count_text(2, "day") == "2 days");
}

TEST_CASE("every verb is documented, and nothing else is") {
  std::ifstream file(source_dir() + "/docs/vigilctl.md");
  std::vector<std::string> documented;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("| `vigilctl ")) documented.push_back(line.substr(12));
  }
  std::set<std::size_t> met;
  for (const auto& verb : all_verbs()) {
    CAPTURE(verb);
    bool found = false;
    for (std::size_t i = 0; i < documented.size(); ++i) {
      if (!documented[i].starts_with(verb + " ") && !documented[i].starts_with(verb + "`")) {
        continue;
      }
      found = true;
      met.insert(i);
    }
    CHECK(found);
  }
  CHECK(met.size() == documented.size());
}

TEST_CASE("a line that cannot be read is a matter of usage") {
  const auto code = [](std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "vigilctl");
    const auto read = read_line(static_cast<int>(arguments.size()), arguments.data());
    const auto* exit = std::get_if<int>(&read);
    return exit != nullptr ? *exit : -1;
  };
  CHECK(code({}) == exit_usage);
  CHECK(code({"nonsense"}) == exit_usage);
  CHECK(code({"events"}) == exit_usage);
  CHECK(code({"events", "show"}) == exit_usage);
  CHECK(code({"events", "emit"}) == exit_usage);
  CHECK(code({"events", "list", "-n", "5000"}) == exit_usage);
  CHECK(code({"feedback", "1", "meh"}) == exit_usage);
  CHECK(code({"status", "--jsn"}) == exit_usage);
  CHECK(code({"--help"}) == exit_ok);
  CHECK(code({"events", "--help"}) == exit_ok);
  CHECK(code({"status"}) == -1);
}

TEST_CASE("options may stand anywhere on the line") {
  const char* arguments[] = {"vigilctl", "events", "tail", "-f", "--json", "--socket", "/x/y"};
  auto read = read_line(7, arguments);
  REQUIRE(std::holds_alternative<Line>(read));
  const auto& line = std::get<Line>(read);
  CHECK(line.output == Output::json);
  CHECK(line.follow == Follow::yes);
  CHECK(line.socket == "/x/y");
}
