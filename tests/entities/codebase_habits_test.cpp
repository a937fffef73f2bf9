// What the guardian learns of a repository's ways: who knows what, checks of the forge, digests.
#include "entities/codebase/analysers.hpp"
#include "entities/codebase/forge.hpp"
#include "entities/codebase/reviewers.hpp"
#include "tests/entities/codebase_clone.hpp"
#include "tests/entities/codebase_story.hpp"

using namespace vigil;
using namespace vigil::testing;

namespace {

EventPtr check(const std::string& conclusion, const std::string& head,
               const std::string& summary = "boom") {
  return make_event("github.check_run.completed",
                    json::object{{"action", "completed"},
                                 {"repository", {{"full_name", "octo/repo"}}},
                                 {"check_run",
                                  {{"name", "ci/unit"},
                                   {"conclusion", conclusion},
                                   {"head_sha", head},
                                   {"output", {{"title", "2 failed"}, {"summary", summary}}},
                                   {"check_suite", {{"head_branch", "main"}}}}}});
}

std::string fact_text(const Story& story, std::string_view prefix, std::string_view path) {
  for (const auto& [key, value] : story.memory.known_facts) {
    if (key.starts_with(prefix)) return std::string(find_text(value, path).value_or(""));
  }
  return "no such fact";
}

Wake digest_wake(std::int64_t days_later = 0) {
  auto wake = event_wake({make_event("schedule.digest", json::object{})});
  wake.case_key = "digest";
  wake.now += std::chrono::hours{24 * days_later};
  return wake;
}

}  // namespace

TEST_CASE("those who wrote and reviewed a file before are named, the recent before the old") {
  constexpr std::int64_t day = 24 * 3600;
  const std::int64_t now = 1000 * day;
  const std::vector<Touch> touches{
      {"Jane", "GitHub", {"Ann"}, now - day},     {"Jane", "Jane", {}, now - 2 * day},
      {"Old", "Old", {}, now - 900 * day},        {"Me", "Bob", {}, now - day},
      {"renovate[bot]", "GitHub", {}, now - day},
  };
  const auto ranked = rank_reviewers(touches, {"Me"}, now, 3);
  REQUIRE(ranked.size() == 3);
  CHECK(ranked[0].name == "Jane");
  CHECK(ranked[0].wrote == 2);
  CHECK(ranked[1].name == "Ann");
  CHECK(ranked[1].reviewed == 1);
  CHECK(ranked[2].name == "Bob");
  CHECK(rank_reviewers({}, {}, now, 3).empty());
  CHECK(rank_reviewers({{"Me", "Me", {}, now}}, {"Me"}, now, 3).empty());
}

TEST_CASE("reviewers are read out of a real history") {
  const Clone clone;
  const auto as = [&](const std::string& who, const std::string& file, const std::string& message) {
    clone.write(file, who + message);
    clone.git({"add", "-A"});
    clone.git({"-c", "user.name=" + who, "commit", "-q", "-m", message});
    return clone.git({"rev-parse", "HEAD"});
  };
  as("Jane Doe", "a.c", "one");
  as("Jane Doe", "a.c", "two\n\nReviewed-by: Ann Lee <ann@example.org>");
  const auto base = as("Zoe", "b.c", "three");
  const auto head = as("Me", "a.c", "four");
  Request request;
  request.input = clone.input();
  request.input.as_object()["range"] = base + ".." + head;
  const auto result = find_analyser("reviewers")->run(request);
  REQUIRE(result.has_value());
  const auto names = result->at("reviewers").as_array();
  REQUIRE(names.size() == 2);
  CHECK(names[0] == "Jane Doe");
  CHECK(names[1] == "Ann Lee");
  const auto title = std::string(find_text(*result, "findings.0.title").value_or(""));
  CHECK(title == "these know what it changes: Jane Doe (wrote 2), Ann Lee (reviewed 1)");
  CHECK(find_text(*result, "findings.0.severity") == "info");
}

TEST_CASE("a check that fails again is known, and what ended it") {
  Story story;
  CHECK(story.tell(event_wake({check("failure", head_one)})).episodes.size() == 1);
  const auto mended = story.tell(event_wake({check("success", head_two)}));
  CHECK(has(mended.why, "it failed at " + head_one.substr(0, 9) + " before"));
  CHECK(fact_text(story, "failure:", "ended_commit") == head_two);
  const auto again = story.tell(event_wake({check("failure", std::string(40, '3'), "boom")}));
  CHECK(has(again.why, "the same failure was seen in octo/repo@main"));
  CHECK(has(again.why, "ended with " + head_two.substr(0, 9)));
  const auto other = story.tell(event_wake({check("failure", std::string(40, '4'), "no room")}));
  CHECK_FALSE(has(other.why, "the same failure"));
}

TEST_CASE("a check that says both of one commit is flaky") {
  Story story;
  story.tell(event_wake({check("failure", head_one)}));
  const auto both = story.tell(event_wake({check("success", head_one)}));
  CHECK(has(both.why, "it is flaky"));
  CHECK(story.memory.known_facts.contains("flaky:check ci/unit"));
  CHECK_FALSE(has(story.tell(event_wake({check("neutral", head_one)})).why, "flaky"));
}

TEST_CASE("a job of GitLab's and a status of Bitbucket's are checks, too") {
  const auto job = read_forge_event(
      *make_event("gitlab.build", json::object{{"object_kind", "build"},
                                               {"build_name", "test"},
                                               {"build_status", "failed"},
                                               {"ref", "main"},
                                               {"sha", head_one},
                                               {"project", {{"path_with_namespace", "g/p"}}}}));
  CHECK(job.subject == Subject::check);
  CHECK(job.check == "test");
  CHECK(job.verb == "failed");
  CHECK(case_key_of(job) == "g/p@main");
  const auto status = read_forge_event(*make_event(
      "bitbucket.repo:commit_status_updated",
      json::object{{"commit_status", {{"state", "FAILED"}, {"name", "unit"}, {"refname", "main"}}},
                   {"repository", {{"full_name", "b/r"}}}}));
  CHECK(status.subject == Subject::check);
  CHECK(status.check == "unit");
  CHECK(status.verb == "failure");
}

TEST_CASE("a digest tells what happened since the last one, and is silent when nothing did") {
  Story story;
  config::Codebase settings;
  settings.digest_sink = "out";
  story.keeper = guardian(settings);
  CHECK(story.keeper->interest(*make_event("schedule.digest", json::object{})).case_key ==
        "digest");
  const auto nothing = story.tell(digest_wake());
  CHECK(nothing.actions.empty());
  CHECK(has(nothing.why, "nothing happened"));

  auto& facts = story.memory.known_facts;
  facts["repository:octo/repo"] = json::object{{"reviews", 12}, {"findings", 3}};
  facts["failure:abc"] = json::object{{"command", "unit"},
                                      {"title", "adds @up"},
                                      {"count", 2},
                                      {"last_at", "2026-09-21T10:00:00Z"},
                                      {"cause", "unit is broken since 1a2b3c4d5 (Jane: x)"},
                                      {"ended_commit", head_two},
                                      {"ended_at", "2026-09-21T11:00:00Z"}};
  facts["flaky:unit/t"] =
      json::object{{"command", "unit"}, {"test", "t"},  {"passed", 8},
                   {"failed", 2},       {"commits", 2}, {"last_at", "2026-09-20T10:00:00Z"}};
  json::array seconds;
  for (int i = 0; i < 12; ++i) seconds.emplace_back(i < 6 ? 10.0 : 20.0);
  facts["command:unit"] = json::object{{"good_at", "2026-09-21T09:00:00Z"},
                                       {"timings", {{"", {{"seconds", seconds}}}}}};
  facts["upgrade:npm/x"] = json::object{{"state", "open"}, {"title", "upgrade x to 2"}};
  story.memory.known_preferences["dismissed:k"] = "a.c:1";
  story.memory.state = {};
  const auto told = story.tell(digest_wake());
  const auto body = text_in(action_of(told, "digest"), "body");
  for (const auto* part :
       {"`octo/repo`: 12 reviews, 3 findings", "`unit`: `adds @up`, 2 times: `unit is broken since",
        "it ended with `222222222`", "`unit: t`: fails 2 of 10 runs", "2.0 times the 10.0 s",
        "`upgrade x to 2`", "1 findings were called noise"}) {
    CAPTURE(body);
    CHECK_MESSAGE(has(body, part), part);
  }
  CHECK(told.documents.size() == 1);
  // A week later nothing is new; what is still open is no news.
  CHECK(story.tell(digest_wake(7)).actions.empty());
  facts["repository:octo/repo"] = json::object{{"reviews", 13}, {"findings", 3}};
  const auto next = story.tell(digest_wake(8));
  CHECK(has(text_in(action_of(next, "digest"), "body"), "`octo/repo`: 1 reviews, 0 findings"));
}
