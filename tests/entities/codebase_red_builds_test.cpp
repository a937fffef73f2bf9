// Red builds as the guardian sees them: the search for the first bad commit, flaky tests, failures
// that were seen before, commands that got slower.
#include "entities/codebase/case_state.hpp"
#include "tests/entities/codebase_story.hpp"

using namespace vigil;
using namespace vigil::testing;

namespace {

std::string commit(int number) {
  const auto text = std::to_string(number);
  return std::string(40 - text.size(), 'c') + text;
}

config::Codebase settings() {
  config::Codebase settings;
  settings.branch = "main";
  settings.commands.push_back({"unit", {"make", "test"}, std::chrono::minutes{1}, {}, {"*.xml"}});
  settings.report_sink = "out";
  settings.status_sink = "out";
  settings.red_builds.width = 3;
  return settings;
}

EventPtr pushed(const std::string& head) {
  return make_event("github.push", json::object{{"ref", "refs/heads/main"},
                                                {"before", commit(0)},
                                                {"after", head},
                                                {"repository", {{"full_name", "octo/repo"}}}});
}

struct Outcome {
  std::vector<std::string> failing;  // tests
  double seconds = 10;
  std::vector<std::string> tried_again = {};
  std::string fingerprint = "f00";
};

json::object result_of(const Outcome& outcome) {
  json::array failing;
  for (const auto& test : outcome.failing) {
    failing.emplace_back(json::object{{"test", test},
                                      {"fingerprint", "fp-" + test},
                                      {"key", finding_key("command", "unit", "", test)}});
  }
  json::array flaky;
  for (const auto& test : outcome.tried_again) flaky.emplace_back(test);
  const bool ok = outcome.failing.empty();
  json::object out{{"command", "unit"},
                   {"ok", ok},
                   {"in_time", true},
                   {"exit_code", ok ? 0 : 1},
                   {"seconds", outcome.seconds},
                   {"tests", {{"failing", failing}, {"flaky", flaky}}}};
  if (!ok) out["failure"] = json::object{{"fingerprint", outcome.fingerprint}, {"headline", "no"}};
  return out;
}

Wake reviewed(const std::string& head, const Outcome& outcome) {
  Review review;
  review.head = head;
  review.asked_head = head;
  if (!outcome.failing.empty()) {
    auto whole = finding(finding_key("command", "unit", "", "failed"), Severity::high);
    whole.analyser = "command";
    whole.rule = "unit";
    review.findings.push_back(whole);
    for (const auto& test : outcome.failing) {
      auto one = whole;
      one.key = finding_key("command", "unit", "", test);
      one.title = test + " failed";
      review.findings.push_back(one);
    }
  }
  swarm::TaskOutcome task;
  task.name = "command:unit";
  task.state = swarm::TaskState::done;
  task.result = result_of(outcome);
  task.result.as_object()["commit"] = head;
  swarm::Report report;
  report.ok = true;
  report.slots = 4;
  report.result = to_json(review);
  report.tasks.push_back(std::move(task));
  return wake_for(SwarmEnded{std::move(report)});
}

// The watched branch: pushes, their reviews, and the swarms that follow.
struct Branch : Story {
  explicit Branch(config::Codebase of = settings()) { keeper = guardian(std::move(of)); }

  Decision push(int number, const Outcome& outcome) {
    tell(event_wake({pushed(commit(number))}));
    return tell(reviewed(commit(number), outcome));
  }

  // Runs the search to its end over commits 1..`head`; the first bad one is `bad`.
  struct Hunt {
    std::vector<std::size_t> widths;  // candidates of each round
    Decision last;
  };
  Hunt hunt(Decision decision, int head, int bad, bool again_is_bad = true) {
    Hunt hunt;
    while (!decision.plans.empty()) {
      const auto plan = decision.plans.front();
      swarm::Report report;
      report.title = plan.title;
      report.ok = true;
      if (plan.tasks.front().name == "history") {
        const auto good = std::string(find_text(plan.tasks.front().input, "good").value_or(""));
        json::array candidates;
        for (int i = 1; i <= head; ++i) {
          if (commit(i) == good)
            candidates.clear();
          else
            candidates.emplace_back(commit(i));
        }
        report.result = json::object{{"candidates", candidates},
                                     {"good", good},
                                     {"good_known", !good.empty()},
                                     {"bad", {{"hash", commit(head)}}}};
      } else {
        std::size_t width = 0;
        for (const auto& task : plan.tasks) {
          CHECK(task.builtin == "codebase.probe");
          const auto hash = std::string(find_text(task.input, "commit").value_or(""));
          const auto number = std::stoi(hash.substr(hash.find_first_not_of('c')));
          const bool again = task.name.starts_with("again/");
          width += again ? 0 : 1;
          const bool is_bad = again ? again_is_bad : number >= bad;
          auto result =
              result_of({is_bad ? std::vector<std::string>{"t one"} : std::vector<std::string>{}});
          result["verdict"] = is_bad ? "bad" : "good";
          result["why"] = is_bad ? "t one fails" : "passes";
          result["commit"] = json::object{{"hash", hash},
                                          {"author", "Jane"},
                                          {"date", "2026-11-01T10:00:00Z"},
                                          {"subject", "Change it"}};
          report.tasks.push_back(
              {.name = task.name, .state = swarm::TaskState::done, .result = result});
        }
        hunt.widths.push_back(width);
      }
      decision = tell(wake_for(SwarmEnded{report}));
    }
    hunt.last = decision;
    return hunt;
  }
};

std::string fact(const Story& story, const std::string& key, std::string_view path) {
  const auto found = story.memory.known_facts.find(key);
  if (found == story.memory.known_facts.end()) return "no such fact";
  return std::string(find_text(found->second, path).value_or(""));
}

const Finding* finding_in(const json::object& state, std::string_view part) {
  static std::vector<Finding> all;
  all = case_state_from_json(state).findings;
  for (const auto& one : all) {
    if (has(one.title + one.hint, part)) return &one;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("a red build on the watched branch is bisected, round by round, and its cause is told") {
  Branch branch;
  branch.push(1, {});
  CHECK(fact(branch, "command:unit", "good") == commit(1));
  const auto red = branch.push(41, {{"t one"}});
  CHECK(has(red.why, "the first bad commit of unit is looked for"));
  REQUIRE(red.plans.size() == 1);
  CHECK(find_text(red.plans[0].tasks[0].input, "good").value_or("") == commit(1));
  const auto hunt = branch.hunt(red, 41, 17);
  REQUIRE(hunt.widths.size() == 3);  // ceil(log4 40) rounds, of three at once
  CHECK(std::ranges::max(hunt.widths) == 3);
  CHECK(has(hunt.last.why, "broken since " + commit(17).substr(0, 9)));
  CHECK(has(hunt.last.why, "found in 3 rounds of at most 3"));
  const auto* comment = action_of(hunt.last, "comment");
  CHECK(text_in(comment, "sha") == commit(17));
  CHECK(has(text_in(comment, "body"), "`Change it` by `Jane`"));
  CHECK(text_in(action_of(hunt.last, "status"), "sha") == commit(41));
  CHECK(has(text_in(action_of(hunt.last, "status"), "description"), "Jane"));
  CHECK(fact(branch, "command:unit", "cause") == commit(17));
  CHECK(has(fact(branch, "failure:fp-t one", "cause"), "Jane"));

  // While it stays red nobody looks again: it is known.
  const auto still = branch.push(42, {{"t one"}});
  CHECK(still.plans.empty());
  CHECK(has(still.why, "broken since " + commit(17).substr(0, 9)));
  const auto green = branch.push(43, {});
  CHECK(has(green.why, "unit passes again"));
  CHECK(fact(branch, "failure:fp-t one", "ended_commit") == commit(43));
  CHECK(fact(branch, "command:unit", "cause").empty());

  // When it comes again, what it was and what ended it is told.
  const auto again = branch.push(44, {{"t one"}});
  CHECK(has(again.why, "seen before in octo/repo@main"));
  CHECK(has(again.why, "it ended with " + commit(43).substr(0, 9)));
  REQUIRE(finding_in(branch.memory.state, "seen before") != nullptr);
  CHECK(again.plans.size() == 1);
}

TEST_CASE("a build that passes when run again is flaky: nobody is blamed, the status is green") {
  Branch branch;
  branch.push(1, {});
  const auto red = branch.push(9, {{"t one"}});
  CHECK(text_in(action_of(red, "status"), "state") == "failure");
  const auto hunt = branch.hunt(red, 9, 4, false);
  CHECK(hunt.widths.size() == 1);
  CHECK(has(hunt.last.why, "unit is flaky"));
  CHECK(action_of(hunt.last, "comment") == nullptr);
  CHECK(text_in(action_of(hunt.last, "status"), "state") == "success");
  CHECK(find_integer(branch.memory.known_facts.at("flaky:unit/t one"), "commits") == 1);
  CHECK(fact(branch, "command:unit", "red_since").empty());

  // From now on it is said as such, weighs less, and nothing is looked for.
  const auto next = branch.push(10, {{"t one"}});
  CHECK(next.plans.empty());
  CHECK(text_in(action_of(next, "status"), "state") == "success");
  REQUIRE(finding_in(branch.memory.state, "it is flaky: fails 2 of 3 runs") != nullptr);
  CHECK(finding_in(branch.memory.state, "it is flaky")->severity == Severity::low);
  // Beside it something that is broken is red all the same.
  const auto both = branch.push(11, {{"t one", "t two"}});
  CHECK(text_in(action_of(both, "status"), "state") == "failure");
  CHECK(both.plans.size() == 1);
}

TEST_CASE("a flaky test that fails more often in a row than its rate explains is broken") {
  Branch branch;
  branch.push(1, {{}, 10, {"t one"}});
  CHECK(find_integer(branch.memory.known_facts.at("flaky:unit/t one"), "failed") == 1);
  int excused = 0;
  Decision last;
  for (int number = 2; number < 30; ++number) {
    last = branch.push(number, {{"t one"}});
    if (!last.plans.empty()) break;
    ++excused;
  }
  CHECK(excused == 6);  // half of its runs failed: seven in a row are one in 128
  CHECK(text_in(action_of(last, "status"), "state") == "failure");
}

TEST_CASE("with flaky_fails a flaky test turns the status red") {
  auto strict = settings();
  strict.red_builds.flaky_fails = true;
  Branch branch(strict);
  branch.push(1, {{}, 10, {"t one"}});
  const auto red = branch.push(2, {{"t one"}});
  CHECK(text_in(action_of(red, "status"), "state") == "failure");
  REQUIRE(finding_in(branch.memory.state, "it is flaky") != nullptr);
}

TEST_CASE("the same commit twice, with two outcomes, is flaky") {
  Branch branch;
  branch.push(1, {{"t one"}});
  branch.memory.state["pending"] = true;
  branch.tell(reviewed(commit(1), {}));
  CHECK(find_integer(branch.memory.known_facts.at("flaky:unit/t one"), "commits") == 1);
}

TEST_CASE("a search goes on where it was cancelled, with what it learned") {
  Branch branch;
  branch.push(1, {});
  const auto red = branch.push(41, {{"t one"}});
  // One round, then somebody cancels the second.
  auto first = red;
  swarm::Report history;
  history.title = red.plans[0].title;
  history.ok = true;
  json::array candidates;
  for (int i = 2; i <= 41; ++i) candidates.emplace_back(commit(i));
  history.result =
      json::object{{"candidates", candidates}, {"good", commit(1)}, {"good_known", true}};
  auto round = branch.tell(wake_for(SwarmEnded{history}));
  REQUIRE(round.plans.size() == 1);
  swarm::Report report;
  report.title = round.plans[0].title;
  report.ok = true;
  for (const auto& task : round.plans[0].tasks) {
    json::object result{{"verdict", "bad"},
                        {"commit", {{"hash", task.name.substr(task.name.find('/') + 1)}}}};
    report.tasks.push_back({.name = task.name, .state = swarm::TaskState::done, .result = result});
  }
  round = branch.tell(wake_for(SwarmEnded{report}));
  REQUIRE(round.plans.size() == 1);
  swarm::Report cancelled;
  cancelled.title = round.plans[0].title;
  cancelled.cancelled = true;
  CHECK(has(branch.tell(wake_for(SwarmEnded{cancelled})).why, "is kept for the next red build"));
  CHECK(branch.tell(wake_for(SwarmEnded{report})).rule == "bisect");  // nobody waits for it
  const auto again = branch.push(42, {{"t one"}});
  REQUIRE(again.plans.size() == 1);
  const auto hunt = branch.hunt(again, 42, 2);
  CHECK(fact(branch, "command:unit", "cause") == commit(2));
  CHECK(hunt.widths.size() == 2);  // of three: the first round is known
}

TEST_CASE("searches are few in an hour, and off when they are not wanted") {
  auto off = settings();
  off.red_builds.bisect = false;
  Branch quiet(off);
  CHECK(quiet.push(2, {{"t one"}}).plans.empty());
  auto few = settings();
  few.red_builds.per_hour = 1;
  Branch branch(few);
  CHECK(branch.push(2, {{"t one"}}).plans.size() == 1);
  branch.push(3, {});
  const auto refused = branch.push(4, {{"t one"}});
  CHECK(refused.plans.empty());
  CHECK(has(refused.why, "1 searches began within the hour"));
}

TEST_CASE("a pull request's failing command is no reason to search its branch") {
  Story story;
  story.keeper = guardian(settings());
  story.tell(event_wake({pull_request("opened", head_one)}));
  const auto decision = story.tell(reviewed(head_one, {{"t one"}}));
  CHECK(decision.plans.empty());
  CHECK(find_integer(story.memory.known_facts.at("failure:fp-t one"), "count") == 1);
}

TEST_CASE("a command that takes much longer than its past is told the second time, once") {
  Branch branch;
  int number = 1;
  for (const double seconds : {10.0, 10.5, 9.8, 10.2, 10.1, 9.9})
    branch.push(number++, {{}, seconds});
  CHECK_FALSE(has(branch.push(number++, {{}, 31}).why, "times its usual"));
  const auto told = branch.push(number++, {{}, 30});
  CHECK(has(told.why, "unit took 30s, 3.0 times its usual"));
  CHECK(has(told.why, "since " + commit(7).substr(0, 9)));
  CHECK(action_of(told, "comment") != nullptr);
  CHECK_FALSE(has(branch.push(number++, {{}, 30}).why, "times its usual"));
  CHECK_FALSE(has(branch.push(number++, {{}, 10}).why, "times its usual"));
}
