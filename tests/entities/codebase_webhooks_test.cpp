#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "entities/codebase/codebase.hpp"
#include "entities/codebase/forge.hpp"
#include "tests/entities/codebase_memory.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities;
using namespace vigil::entities::codebase;
using testing::FakeMemory;
using testing::make_event;
using testing::wake_for;
namespace fs = std::filesystem;

namespace {

const fs::path webhooks = fs::path(source_dir()) / "../shared/data/webhooks";

std::unique_ptr<Guardian> guardian() {
  config::Entity entity;
  entity.name = "keeper";
  entity.kind = "codebase";
  entity.of = config::Codebase{.repository = source_dir(), .report_sink = "out"};
  auto made = make_codebase(entity);
  REQUIRE(made.has_value());
  return std::move(*made);
}

json::value read_payload(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto parsed = parse_json(text);
  REQUIRE_MESSAGE(parsed.has_value(), path.string());
  return std::move(*parsed);
}

// As the presets name them: scheme, event, action.
std::string type_of(const std::string& scheme, std::string word, const json::value& data) {
  if (scheme == "gitlab") word = find_text(data, "object_kind").value_or(word);
  auto type = scheme + "." + word;
  auto action = find_text(data, "action");
  if (scheme == "gitlab") action = find_text(data, "object_attributes.action");
  if (action) type += "." + std::string(*action);
  return type;
}

struct Seen {
  int payloads = 0;
  int relevant = 0;
  int plans = 0;
};

void hear(const Guardian& keeper, const std::string& type, const json::value& data, Seen& seen) {
  CAPTURE(type);
  const auto event = make_event(type, data);
  const auto interest = keeper.interest(*event);
  ++seen.payloads;
  if (!interest.relevant) {
    CHECK_FALSE(interest.why.empty());
  } else {
    ++seen.relevant;
    CHECK(interest.case_key.size() <= 400);
    CHECK(interest.case_key.find_first_of("#@") != std::string::npos);
  }
  // Whatever is said, a decision comes of it, with or without an earlier one.
  const auto decision = keeper.decide(wake_for(EventsArrived{{event}}), FakeMemory{});
  CHECK_FALSE(decision.why.empty());
  for (const auto& plan : decision.plans) {
    ++seen.plans;
    const auto valid = swarm::validate(plan);
    CHECK_MESSAGE(valid.has_value(), (valid ? "" : valid.error().message));
  }
}

std::string key_of(const Guardian& keeper, const std::string& type, const fs::path& path) {
  return keeper.interest(*make_event(type, read_payload(webhooks / path))).case_key;
}

}  // namespace

TEST_CASE("every real GitHub payload gets its answer, pull requests their case") {
  if (!fs::exists(webhooks / "github-expected.tsv")) {
    MESSAGE("skipped: no shared data");
    return;
  }
  const auto keeper = guardian();
  std::ifstream file(webhooks / "github-expected.tsv");
  std::string line;
  std::getline(file, line);
  Seen seen;
  while (std::getline(file, line)) {
    std::stringstream fields(line);
    std::string path, word, action, repository;
    std::getline(fields, path, '\t');
    std::getline(fields, word, '\t');
    std::getline(fields, action, '\t');
    std::getline(fields, repository, '\t');
    const auto data = read_payload(webhooks / path);
    const auto type = "github." + word + (find_text(data, "action") ? "." + action : "");
    hear(*keeper, type, data, seen);
    if (word != "pull_request") continue;
    const auto number = find_integer(data, "pull_request.number").value_or(0);
    CHECK(keeper->interest(*make_event(type, data)).case_key ==
          repository + "#" + std::to_string(number));
  }
  CHECK(seen.payloads > 150);
  CHECK(seen.relevant >= 40);
  CHECK(seen.plans >= 8);
}

TEST_CASE("payloads of the other forges are heard too") {
  if (!fs::exists(webhooks)) {
    MESSAGE("skipped: no shared data");
    return;
  }
  const auto keeper = guardian();
  Seen seen;
  for (const std::string scheme : {"github-2", "gitlab", "gitea", "gogs", "bitbucket", "stash"}) {
    for (const auto& entry : fs::directory_iterator(webhooks / scheme)) {
      if (entry.path().extension() != ".json") continue;
      auto word = entry.path().stem().string();
      if (word.starts_with("pr_")) word = "pull_request";
      if (word.starts_with("pull_request_") && word.find("review") == std::string::npos &&
          word.find("comment") == std::string::npos) {
        word = "pull_request";
      }
      const auto data = read_payload(entry.path());
      hear(*keeper, type_of(scheme == "github-2" ? "github" : scheme, word, data), data, seen);
    }
  }
  CHECK(seen.payloads > 60);
  CHECK(seen.plans > 10);
  CHECK(key_of(*keeper, "gitlab.merge_request.open", "gitlab/pull_request_create.json") ==
        "gitlab-org/hello-world#1");
  CHECK(key_of(*keeper, "gitea.pull_request.reopened", "gitea/pull_request_reopened.json") ==
        "jcitizen/my-repo#1");
  CHECK(key_of(*keeper, "bitbucket.pullrequest:created", "bitbucket/pr_created.json") ==
        "brydzewski/foo#1");
  CHECK(key_of(*keeper, "stash.pr:opened", "stash/pr_open.json") == "PRJ/my-repo#2");
  CHECK(key_of(*keeper, "gitlab.push", "gitlab/push.json") == "gitlab-org/hello-world@master");
  CHECK(key_of(*keeper, "stash.repo:refs_changed", "stash/push.json") == "my-repo@master");
}

TEST_CASE("a Bitbucket body tells by its state whether it is the end") {
  const auto body = [](const char* state) {
    return make_event(
        "bitbucket.event",
        json::object{
            {"repository", {{"full_name", "o/r"}}},
            {"pullrequest",
             {{"id", 3}, {"state", state}, {"source", {{"commit", {{"hash", "507a576e59b3"}}}}}}}});
  };
  CHECK(read_forge_event(*body("OPEN")).step == Step::changed);
  CHECK(read_forge_event(*body("OPEN")).head == "507a576e59b3");
  CHECK(read_forge_event(*body("DECLINED")).step == Step::closed);
  CHECK(read_forge_event(*body("MERGED")).merged);
}

TEST_CASE("payloads of any shape are survived") {
  const auto keeper = guardian();
  const std::vector<json::value> odd{
      nullptr,
      1,
      "text",
      json::array{},
      json::object{{"pull_request", "x"}},
      json::object{{"pull_request", json::object{{"number", "12"}}}},
      json::object{{"pull_request", json::object{{"number", -1}}}, {"repository", nullptr}},
      json::object{{"ref", 1}, {"after", 2}},
      json::object{{"object_kind", "merge_request"}},
      json::object{{"push", json::object{{"changes", json::array{nullptr}}}}},
      json::object{{"ref", "refs/heads/x"},
                   {"after", "; rm -rf /"},
                   {"repository", json::object{{"full_name", "a/b\n\x01"}}}}};
  for (const std::string type :
       {"github.pull_request.opened", "github.push", "x", "", "gitlab.push"}) {
    for (const auto& data : odd) {
      const auto event = make_event(type, data);
      const auto interest = keeper->interest(*event);
      CHECK((interest.relevant || !interest.why.empty()));
      CHECK_FALSE(keeper->decide(wake_for(EventsArrived{{event}}), FakeMemory{}).why.empty());
    }
  }
}

TEST_CASE("what a payload says never becomes an option or a path") {
  const auto event =
      make_event("github.pull_request.opened",
                 json::object{{"action", "opened"},
                              {"repository", {{"full_name", "octo/repo"}}},
                              {"pull_request",
                               {{"number", 1},
                                {"head", {{"sha", "--output=/tmp/x"}, {"ref", "x"}}},
                                {"base", {{"sha", "HEAD:secret"}, {"ref", "--exec=sh"}}}}}});
  const auto heard = read_forge_event(*event);
  CHECK(heard.head.empty());
  CHECK(heard.base.empty());
  const auto decision = guardian()->decide(wake_for(EventsArrived{{event}}), FakeMemory{});
  const auto& input = decision.plans.at(0).tasks.at(0).input;
  CHECK(find_path(input, "base_ref") == nullptr);
  CHECK(find_path(input, "head") == nullptr);
}

TEST_CASE("tags, deleted branches and words of people are no changes") {
  const auto keeper = guardian();
  const auto push = [](const std::string& ref, const std::string& after) {
    return make_event("github.push", json::object{{"ref", ref},
                                                  {"before", std::string(40, 'a')},
                                                  {"after", after},
                                                  {"repository", {{"full_name", "o/r"}}}});
  };
  CHECK_FALSE(keeper->interest(*push("refs/tags/v1", std::string(40, 'b'))).relevant);
  CHECK(keeper->interest(*push("refs/heads/a/b", std::string(40, 'b'))).case_key == "o/r@a/b");
  const auto gone = push("refs/heads/x", std::string(40, '0'));
  CHECK(keeper->decide(wake_for(EventsArrived{{gone}}), FakeMemory{}).close_case);
}
