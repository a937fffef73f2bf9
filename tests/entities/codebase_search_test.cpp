// The search for a first bad commit as a value, and how a run on one commit is judged.
#include <doctest/doctest.h>

#include <boost/json/array.hpp>

#include "entities/codebase/search.hpp"

using namespace vigil;
using namespace vigil::entities;
using namespace vigil::entities::codebase;
using ci::Verdict;

namespace {

std::string hash(std::size_t number) {
  auto text = std::to_string(number);
  return std::string(40 - text.size(), 'a') + text;
}

Search search_over(std::size_t candidates, int width) {
  json::array list;
  for (std::size_t i = 0; i < candidates; ++i) list.emplace_back(hash(i));
  Search search;
  search.command = "tests";
  search.width = width;
  const json::value history(json::object{
      {"candidates", list},
      {"good", std::string(40, 'b')},
      {"good_known", true},
      {"bad", {{"hash", hash(candidates - 1)}, {"author", "A"}, {"subject", "the last"}}}});
  REQUIRE(take_history(search, history).has_value());
  return search;
}

json::value probe(const std::string& commit, std::string_view verdict) {
  return json::object{{"verdict", verdict},
                      {"why", "exit code 1"},
                      {"seconds", 0.5},
                      {"commit",
                       {{"hash", commit},
                        {"author", "Jane"},
                        {"date", "2026-11-01T10:00:00+00:00"},
                        {"subject", "Break @everything"}}}};
}

// Runs it to its end; the state goes through JSON after each round, as between two decisions.
SearchNext run(Search& search, std::size_t first_bad) {
  auto next = next_of(search);
  while (next && !next->test.empty()) {
    ++search.round;
    for (const auto& commit : next->test) {
      const auto at = static_cast<std::size_t>(std::ranges::find(search.candidates, commit) -
                                               search.candidates.begin());
      take_probe(search, commit, probe(commit, at >= first_bad ? "bad" : "good"));
    }
    search = search_from_json(json::value(to_json(search)));
    next = next_of(search);
  }
  REQUIRE(next.has_value());
  return *next;
}

}  // namespace

TEST_CASE("a search ends at the first bad commit within the rounds that it promised") {
  for (int width = 1; width <= 5; ++width) {
    for (const std::size_t candidates : {1, 2, 3, 7, 40, 63}) {
      for (std::size_t bad = 0; bad < candidates; bad += 1 + candidates / 9) {
        auto search = search_over(candidates, width);
        const auto next = run(search, bad);
        const auto cause = cause_of(search, next);
        CAPTURE(width);
        CAPTURE(candidates);
        CAPTURE(bad);
        REQUIRE(cause.sure);
        REQUIRE(cause.commit == hash(bad));
        REQUIRE(search.round <= search.rounds_max);
        REQUIRE(find_text(json::value(cause.described), "hash").value_or("") == hash(bad));
      }
    }
  }
}

TEST_CASE("what it came to is told with author, date, subject and evidence, and calls nobody") {
  auto search = search_over(10, 3);
  search.sought.tests = {"suite adds `up`"};
  const auto cause = cause_of(search, run(search, 4));
  CHECK(to_sentence(search, cause) ==
        "tests is broken since " + hash(4).substr(0, 9) + " (Jane, 2026-11-01: Break @everything)");
  const auto body = to_markdown(search, cause);
  CHECK(body.find("`Break @everything` by `Jane`") != std::string::npos);
  CHECK(body.find("- `suite adds 'up'`") != std::string::npos);
  CHECK(body.find("| bad: `exit code 1` | 0.5 |") != std::string::npos);
  CHECK(to_terminal(search, cause).find("in 2 rounds\n") != std::string::npos);
}

TEST_CASE("commits that cannot be tested leave a range, and that is said") {
  auto search = search_over(5, 4);
  search.round = 1;
  const std::vector<std::string_view> verdicts{"good", "untestable", "untestable", "bad"};
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    take_probe(search, hash(i), probe(hash(i), verdicts[i]));
  }
  const auto next = next_of(search);
  REQUIRE(next.has_value());
  CHECK(next->test.empty());
  const auto cause = cause_of(search, *next);
  CHECK_FALSE(cause.sure);
  CHECK(cause.among == std::vector<std::string>{hash(1), hash(2), hash(3)});
  CHECK(to_sentence(search, cause).find("one of 3 commits") != std::string::npos);
}

TEST_CASE("a fault that came, was mended and came again is found where it came last") {
  auto search = search_over(8, 7);
  search.round = 1;
  for (std::size_t i = 0; i < 7; ++i) {
    take_probe(search, hash(i), probe(hash(i), i == 1 || i >= 5 ? "bad" : "good"));
  }
  const auto next = next_of(search);
  REQUIRE(next.has_value());
  const auto cause = cause_of(search, *next);
  CHECK(cause.commit == hash(5));
  CHECK(cause.back_and_forth);
  CHECK(find_text(json::value(cause.described), "hash").value_or("") == hash(5));
}

TEST_CASE("there is nothing to look for without commits between") {
  Search search;
  const json::value nothing(json::object{{"candidates", json::array{}}});
  CHECK_FALSE(take_history(search, nothing).has_value());
  CHECK_FALSE(next_of(search).has_value());
}

TEST_CASE("a run on one commit is judged by the failure that is looked for") {
  const Sought any;
  const Sought by_tests{{"t one", "t two"}, "f", 1, false};
  const Sought by_words{{}, "f", 2, false};
  const Sought late{{}, "", 0, true};
  struct Case {
    const char* what;
    Seen seen;
    Sought sought;
    Verdict verdict;
  };
  const std::vector<Case> cases{
      {"passes", {true, 0, true, false, {}, ""}, any, Verdict::good},
      {"any failure", {true, 1, false, false, {}, "x"}, any, Verdict::bad},
      {"a crash", {true, 139, false, false, {}, "x"}, any, Verdict::bad},
      {"as git has it", {true, 125, false, false, {}, "x"}, any, Verdict::untestable},
      {"no such program", {true, 127, false, false, {}, "x"}, any, Verdict::untestable},
      {"too slow", {false, -1, false, false, {}, ""}, any, Verdict::untestable},
      {"too slow, as is looked for", {false, -1, false, false, {}, ""}, late, Verdict::bad},
      {"the test", {true, 1, false, true, {"t two"}, "g"}, by_tests, Verdict::bad},
      {"the test, whatever the exit code",
       {true, 0, false, true, {"t one"}, ""},
       by_tests,
       Verdict::bad},
      {"other tests", {true, 1, false, true, {"t three"}, "f"}, by_tests, Verdict::good},
      {"did not build", {true, 1, false, false, {}, "f"}, by_tests, Verdict::untestable},
      {"the same words", {true, 1, false, false, {}, "f"}, by_words, Verdict::bad},
      {"the same exit code", {true, 2, false, false, {}, "g"}, by_words, Verdict::bad},
      {"another failure", {true, 1, false, false, {}, "g"}, by_words, Verdict::untestable},
  };
  for (const auto& one : cases) {
    CAPTURE(one.what);
    const auto judged = judge_probe(one.seen, one.sought);
    CHECK(judged.verdict == one.verdict);
    CHECK_FALSE(judged.why.empty());
    CHECK(verdict_from(to_text(judged.verdict)) == one.verdict);
  }
}
