#include "entities/night.hpp"

#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

using namespace vigil;
using namespace vigil::entities;

namespace {

storage::Episode episode(std::int64_t id, std::string kind, std::string text,
                         json::value data = nullptr) {
  storage::Episode out;
  out.id = id;
  out.at = parse_rfc3339("2026-11-23T12:00:00Z").value();
  out.kind = std::move(kind);
  out.text = std::move(text);
  out.data = std::move(data);
  out.taint = Taint::trusted;
  return out;
}

NightAnswer judged(const std::vector<storage::Episode>& episodes, std::string_view facts) {
  const auto question = ask_about_night("small", episodes);
  swarm::Report report;
  report.swarm = SwarmId{7};
  report.tasks.resize(1);
  report.tasks[0].name = question.plan.tasks[0].name;
  report.tasks[0].state = swarm::TaskState::done;
  report.tasks[0].result = json::object{{"facts", parse_json(facts).value()}};
  return judge_night(question.plan, report);
}

const std::vector<storage::Episode> night{
    episode(3, "note", "ada looks after the printer in room 7"),
    episode(4, "note", "the printer is out of paper", json::object{{"who", "ada lovelace"}}),
    episode(5, "order", "bob wants no mail before nine")};

}  // namespace

TEST_CASE("a proposal that cites and quotes is kept: as a guess, with where it comes from") {
  const auto answer = judged(night, R"([{"key": "printer-owner", "text": "Ada owns the printer.",
      "episodes": [3, 4, 3], "quotations": ["ada  looks after the printer", "ada lovelace"]}])");
  CHECK(answer.proposed == 1);
  CHECK(answer.dropped() == 0);
  REQUIRE(answer.kept.size() == 1);
  const auto& fact = answer.kept[0];
  CHECK_FALSE(fact.is_preference);
  CHECK(fact.key == "guess:printer-owner");
  CHECK(fact.provenance == "a guess of model small in swarm 7, from 2 of 3 episodes: 3 4");
  CHECK(fact.confidence == doctest::Approx(0.5));
  CHECK(fact.taint == Taint::untrusted);
  CHECK(find_text(fact.value, "text") == "Ada owns the printer.");
  CHECK(find_text(fact.value, "quotations.1") == "ada lovelace");
}

TEST_CASE("what cites or quotes what is not there is dropped and counted") {
  const struct {
    const char* proposal;
    int unknown_episodes;
    int invented_words;
    int bad_keys;
  } cases[] = {
      {R"({"key": "a", "episodes": [9], "quotations": ["the printer is out"]})", 1, 0, 0},
      {R"({"key": "a", "episodes": [4, 9], "quotations": ["the printer is out"]})", 1, 0, 0},
      {R"({"key": "a", "episodes": [], "quotations": ["the printer is out"]})", 1, 0, 0},
      {R"({"key": "a", "episodes": ["4"], "quotations": ["the printer is out"]})", 1, 0, 0},
      {R"({"key": "a", "episodes": [4], "quotations": ["the printer is broken"]})", 0, 1, 0},
      {R"({"key": "a", "episodes": [4], "quotations": ["the printer is out", "never said"]})", 0, 1,
       0},
      {R"({"key": "a", "episodes": [3, 4], "quotations": ["the printer is out"]})", 0, 1, 0},
      {R"({"key": "a", "episodes": [3], "quotations": ["the printer is out"]})", 0, 1, 0},
      {R"({"key": "a", "episodes": [4], "quotations": ["paper"]})", 0, 1, 0},  // stands anywhere
      {R"({"key": "a", "episodes": [4], "quotations": []})", 0, 1, 0},
      {R"({"key": "A b", "episodes": [4], "quotations": ["the printer is out"]})", 0, 0, 1},
      {R"({"key": "", "episodes": [4], "quotations": ["the printer is out"]})", 0, 0, 1},
  };
  for (const auto& [proposal, unknown_episodes, invented_words, bad_keys] : cases) {
    CAPTURE(proposal);
    const auto answer = judged(night, std::string("[") + proposal + "]");
    CHECK(answer.kept.empty());
    CHECK(answer.proposed == 1);
    CHECK(answer.unknown_episodes == unknown_episodes);
    CHECK(answer.invented_words == invented_words);
    CHECK(answer.bad_keys == bad_keys);
  }
}

TEST_CASE("a preference comes only of what people said, whatever a note claims") {
  const auto answer = judged(night, R"([
      {"key": "quiet", "text": "t", "episodes": [5], "quotations": ["no mail before nine"]},
      {"key": "mixed", "text": "t", "episodes": [4, 5],
       "quotations": ["out of paper", "no mail before nine"]}])");
  REQUIRE(answer.kept.size() == 2);
  CHECK(answer.kept[0].is_preference);
  CHECK_FALSE(answer.kept[1].is_preference);
}

TEST_CASE("episodes are cut, and the oldest passed over, so that the question stays bounded") {
  std::vector<storage::Episode> many;
  for (int id = 1; id <= 100; ++id) many.push_back(episode(id, "note", std::string(5000, 'x')));
  const auto question = ask_about_night("small", many);
  CHECK(question.shown + question.passed_over == 100);
  CHECK(question.shown > 40);
  CHECK(question.cut == question.shown);
  const auto& task = question.plan.tasks.at(0);
  CHECK(task.optional);
  CHECK(task.ask->tainted);
  CHECK(task.ask->tools.empty());
  CHECK(to_text(task.input).size() <= night_bytes_max);
  CHECK(find_integer(task.input, "episodes.0.id") == 101 - question.shown);
  CHECK(find_text(task.input, "episodes.0.text")->size() == episode_bytes_max);
  // What was cut off was not shown, so it bears nothing out.
  const auto long_one = episode(1, "note", std::string(episode_bytes_max, 'x') + " at the end");
  CHECK(judged({long_one},
               R"([{"key": "a", "text": "t", "episodes": [1], "quotations": ["at the end"]}])")
            .invented_words == 1);
}

TEST_CASE("without an answer it says why") {
  const auto question = ask_about_night("small", night);
  swarm::Report report;
  report.tasks.resize(1);
  report.tasks[0].name = question.plan.tasks[0].name;
  report.tasks[0].state = swarm::TaskState::failed;
  report.tasks[0].error = "500";
  CHECK(judge_night(question.plan, report).failed == "500");
  report.tasks.clear();
  report.error = "cancelled";
  CHECK(judge_night(question.plan, report).failed == "cancelled");
}
