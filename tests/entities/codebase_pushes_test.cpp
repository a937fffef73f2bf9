#include "entities/codebase/pushes.hpp"

#include "entities/forge_facts.hpp"
#include "tests/entities/codebase_clone.hpp"

namespace vigil::testing {
namespace {

using entities::Request;
using entities::codebase::run_pushes;

json::value look(const Clone& clone, json::object known, json::object more = {}) {
  Request request;
  json::object input = std::move(more);
  input["repository"] = clone.path().string();
  if (!known.empty()) input["known"] = std::move(known);
  request.input = std::move(input);
  auto result = run_pushes(request);
  REQUIRE_MESSAGE(result, result.error().message);
  return *result;
}

TEST_CASE("a branch that moved is told as a forge would have told the push") {
  Clone clone;
  const auto first = clone.commit({{"a.txt", "1\n"}});
  const auto second = clone.commit({{"a.txt", "2\n"}, {"b.txt", "b\n"}}, "tests: second\n\nbody");
  clone.git({"rm", "-q", "b.txt"});
  const auto third = clone.commit({{"c.txt", "c\n"}}, "tests: third");
  const auto told = look(clone, {{"refs/heads/main", first}});
  REQUIRE(find_path(told, "changes")->get_array().size() == 1);
  const auto& push = *find_path(told, "changes.0");
  CHECK(find_text(push, "ref") == "refs/heads/main");
  CHECK(find_text(push, "before") == first);
  CHECK(find_text(push, "after") == third);
  CHECK(find_bool(push, "forced") == false);
  CHECK(find_integer(push, "size") == 2);
  CHECK(find_text(push, "commits.0.id") == second);
  CHECK(find_text(push, "commits.0.message") == "tests: second\n\nbody");
  CHECK(find_text(push, "commits.0.author.email") == "t@vigil.dev");
  CHECK(find_text(push, "commits.0.added.0") == "b.txt");
  CHECK(find_text(push, "commits.0.modified.0") == "a.txt");
  CHECK(find_text(push, "commits.1.removed.0") == "b.txt");
  CHECK(find_text(push, "head_commit.id") == third);
  CHECK(parse_rfc3339(find_text(push, "head_commit.timestamp").value_or("")).has_value());
  const auto facts = entities::read_forge_facts("git.push", push);
  CHECK(facts.kind == "push");
  CHECK(facts.before == first);
  CHECK(facts.sha == third);
  CHECK(facts.commits == 2);
}

TEST_CASE("created, deleted and forced refs are called so") {
  Clone clone;
  const auto base = clone.commit({{"a.txt", "1\n"}});
  const auto lost = clone.commit({{"a.txt", "2\n"}});
  clone.git({"reset", "-q", "--hard", base});
  const auto other = clone.commit({{"a.txt", "3\n"}});
  clone.git({"branch", "feature/deep/one"});
  clone.git({"tag", "v1", base});
  clone.git({"update-ref", "refs/notes/x", base});
  const auto told = look(clone, {{"refs/heads/main", lost}, {"refs/heads/gone", base}});
  const auto& changes = find_path(told, "changes")->get_array();
  REQUIRE(changes.size() == 4);  // the note is none of the refs asked for
  CHECK(find_text(changes[0], "ref") == "refs/heads/feature/deep/one");
  CHECK(find_bool(changes[0], "created") == true);
  CHECK(find_integer(changes[0], "size") == 1);  // what no known ref reached
  CHECK(find_text(changes[0], "commits.0.id") == other);
  CHECK(find_bool(changes[1], "deleted") == true);
  CHECK(find_text(changes[1], "after") == std::string(40, '0'));
  CHECK(find_bool(changes[2], "forced") == true);
  CHECK(find_text(changes[2], "commits.0.id") == other);
  CHECK(find_text(changes[3], "ref") == "refs/tags/v1");
  CHECK(find_text(changes[3], "head_commit.id") == base);
  bool deep = false;
  for (const auto& folder : find_path(told, "folders")->get_array()) {
    deep |= std::string_view(folder.get_string()).ends_with("refs/heads/feature/deep");
  }
  CHECK(deep);
}

TEST_CASE("no message, name or path can pass for another commit") {
  Clone clone;
  const auto base = clone.commit({{"a.txt", "1\n"}});
  const auto fake = std::string(40, 'a');
  const auto head = clone.commit(
      {{fake, "x\n"}, {"A", "y\n"}, {"two\nlines", "z\n"}},
      "tests: x\n\n" + fake + " commit 5\ntree " + fake + "\nauthor evil <e@x> 1 +0000\n\xff\xfe");
  const auto told = look(clone, {{"refs/heads/main", base}});
  const auto& push = *find_path(told, "changes.0");
  CHECK(find_path(push, "commits")->get_array().size() == 1);
  CHECK(find_text(push, "commits.0.id") == head);
  CHECK(find_path(push, "commits.0.added")->get_array().size() == 3);
  CHECK(find_text(push, "commits.0.author.name") == "t");
}

TEST_CASE("ten thousand refs are one reading, and only the first are told whole") {
  Clone clone;
  const auto base = clone.commit({{"a.txt", "1\n"}});
  std::string orders;
  for (int i = 0; i < 10'000; ++i) {
    orders += "create refs/heads/b" + std::to_string(i) + " " + base + "\n";
  }
  Errand errand;
  errand.argv = {"git", "update-ref", "--stdin"};
  errand.folder = clone.path().string();
  errand.environment = {"PATH=/usr/bin:/bin"};
  errand.input = orders;
  REQUIRE(run_errand(errand)->exit_code == 0);
  const auto told = look(clone, {{"refs/heads/main", base}}, {{"brief", true}});
  CHECK(find_path(told, "changes")->get_array().size() == 10'000);
  CHECK(find_integer(told, "refs") == 10'001);
}

TEST_CASE("a folder without a repository is an error that says what to do") {
  Folder empty;
  Request request;
  request.input = json::object{{"repository", empty.path().string()}};
  const auto result = run_pushes(request);
  REQUIRE_FALSE(result);
  CHECK(result.error().message.find("no clone git can read") != std::string::npos);
}

}  // namespace
}  // namespace vigil::testing
