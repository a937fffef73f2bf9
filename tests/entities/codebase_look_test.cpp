#include <boost/json/array.hpp>

#include "entities/codebase/analysers.hpp"
#include "tests/entities/codebase_clone.hpp"

using namespace vigil;
using namespace vigil::entities::codebase;
using testing::Clone;
using testing::Folder;
namespace fs = std::filesystem;

namespace {

Result<Range> choose(const Clone& clone, const json::object& asked) {
  return choose_range(Git(clone.path().string()), asked);
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

json::value run(std::string_view analyser, const Clone& clone, json::object input = {}) {
  input["repository"] = clone.path().string();
  const auto result = find_analyser(analyser)->run({"test", input, {}, std::nullopt});
  REQUIRE_MESSAGE(result.has_value(), (result ? "" : result.error().message));
  return *result;
}

std::vector<std::string> rules_in(const json::value& result) {
  std::vector<std::string> rules;
  for (const auto& one : result.at("findings").as_array()) {
    rules.emplace_back(find_text(one, "rule").value_or("?"));
  }
  return rules;
}
using Rules = std::vector<std::string>;

}  // namespace

TEST_CASE("without a commit the latest ones are looked at, and that is said") {
  const Clone clone;
  const auto first = clone.commit({{"a", "1\n"}});
  for (int i = 0; i < 7; ++i) clone.commit({{"a", std::to_string(i) + "\n"}});
  const auto range = choose(clone, {});
  REQUIRE(range.has_value());
  CHECK(range->head == clone.git({"rev-parse", "HEAD"}));
  CHECK(range->base == clone.git({"rev-parse", "HEAD~5"}));
  CHECK(range->as_asked);
  CHECK(has(range->why, "no commits were named"));
  const auto all = choose(clone, {{"depth", 100}});
  REQUIRE(all.has_value());
  CHECK(Git(clone.path().string()).run({"cat-file", "-t", all->base}) == "tree\n");
  CHECK(choose(clone, {{"head", first}})->head == first);
}

TEST_CASE("a commit that is not in the clone is never passed off as reviewed") {
  const Clone clone;
  clone.commit({{"a", "1\n"}});
  const auto range = choose(clone, {{"head", std::string(40, 'd')}, {"kind", "pull_request"}});
  REQUIRE(range.has_value());
  CHECK_FALSE(range->as_asked);
  CHECK(has(range->why, "ddddddddd is not in the local clone"));
}

TEST_CASE("a pull request is looked at from where it left its branch") {
  const Clone clone;
  const auto fork = clone.commit({{"a", "1\n"}});
  clone.git({"checkout", "-q", "-b", "topic"});
  const auto head = clone.commit({{"b", "1\n"}});
  clone.git({"checkout", "-q", "main"});
  const auto base = clone.commit({{"c", "1\n"}});
  CHECK(choose(clone, {{"base", base}, {"head", head}, {"kind", "pull_request"}})->base == fork);
  CHECK(choose(clone, {{"head", head}, {"base_ref", "main"}})->base == fork);
  CHECK(choose(clone, {{"range", "main...topic"}})->base == fork);
  CHECK(choose(clone, {{"range", "main..topic"}})->base == base);
  CHECK(choose(clone, {{"range", "topic"}})->head == head);
}

TEST_CASE("what cannot be looked at says what to do") {
  const Clone clone;
  CHECK(has(choose(clone, {}).error().message, "no commits yet"));
  clone.commit({{"a", "1\n"}});
  CHECK(has(choose(clone, {{"branch", "gone"}}).error().message, "fetch it"));
  CHECK(has(choose(clone, {{"range", "a..b"}}).error().message, "no commit"));
  CHECK_FALSE(choose(clone, {{"branch", "--help"}}).has_value());
  const Folder empty;
  CHECK(has(choose_range(Git(empty.path().string()), json::object{}).error().message, "no clone"));
  CHECK(has(choose_range(Git("/nowhere/x"), json::object{}).error().message, "no folder"));
}

TEST_CASE("revisions are checked before git sees them") {
  for (const char* good : {"main", "HEAD~3", "feature/x#12", "v1.2.3", "a^"}) {
    CHECK(is_safe_revision(good));
  }
  for (const char* bad :
       {"", "-x", "--output=x", "a..b", "a b", "a:b", "@{-1}", "a\nb", "$(x)", "a;b"}) {
    CHECK_FALSE(is_safe_revision(bad));
  }
}

TEST_CASE("changes name every file with its numbers, renames and bytes too") {
  const Clone clone;
  clone.commit({{"old name", "1\n2\n3\n4\n5\n6\n"}, {"gone", "x\n"}, {"gr\xc3\xbcn", "a\n"}});
  clone.git({"mv", "old name", "new name"});
  clone.git({"rm", "-q", "gone"});
  clone.commit({{"gr\xc3\xbcn", "a\nb\n"}, {"bin", std::string("\0\1\2", 3)}});
  const auto changes = run("changes", clone, {{"depth", 1}});
  CHECK(find_integer(changes, "file_count") == 4);
  std::map<std::string, json::value> files;
  for (const auto& file : changes.at("files").as_array()) {
    files[std::string(find_text(file, "path").value())] = file;
  }
  CHECK(find_text(files.at("new name"), "old_path") == "old name");
  CHECK(find_text(files.at("gone"), "status") == "D");
  CHECK(find_integer(files.at("gr\xc3\xbcn"), "added") == 1);
  CHECK(find_bool(files.at("bin"), "binary") == true);
  CHECK(find_integer(files.at("bin"), "bytes") == 3);
}

TEST_CASE("the analysers find what was put into a real clone") {
  const Clone clone;
  const std::string manifest = R"({"dependencies":{"a":"^1"}})";
  clone.commit({{"main.py", "print('hello')\n"},
                {"package.json", manifest},
                {"package-lock.json", "{}\n"},
                {"CODEOWNERS", "*.py @snakes\n"}});
  const std::string key = std::string("AK") + "IA" + "Q3EGRIK7WJ5MZT4X";
  const std::string seven(7, '<');
  clone.commit({{"settings.py", "import os\nregion = 'eu'\naccess = '" + key + "'\n"},
                {"main.py", seven + " HEAD\n1\n" + std::string(7, '=') + "\n2\n" +
                                std::string(7, '>') + " x\n"},
                {"package.json", R"({"dependencies":{"a":"^2"}})"}},
               "fixup! begin");
  const json::object last{{"depth", 1}};
  CHECK(rules_in(run("secrets", clone, last)) == Rules{"aws-access-key"});
  CHECK(rules_in(run("conflicts", clone, last)) == Rules{"conflict-markers"});
  CHECK(rules_in(run("lockfiles", clone, last)) == Rules{"not-locked"});
  CHECK(rules_in(run("commits", clone, last)) == Rules{"to-be-squashed"});
  CHECK(find_text(run("owners", clone, last), "owners.0") == "@snakes");
  const auto review = run("review", clone, last);
  const auto text = std::string(find_text(review, "text").value());
  CHECK(has(text, "settings.py:3: critical"));
  CHECK(has(text, "main.py:1: high"));
  CHECK_FALSE(has(text, key));
  CHECK(has(std::string(find_text(review, "markdown").value()), "`size/"));
}

TEST_CASE("the first commit of a repository is read like any other") {
  const Clone clone;
  clone.commit({{"main.py", "import pdb; pdb.set_trace()\n"}}, "wip");
  const auto review = run("review", clone);
  CHECK(rules_in(review) == Rules{"python-breakpoint", "draft-commit"});
  CHECK(review.at("not_done").as_array().empty());
}

TEST_CASE("a clone's configuration starts no program") {
  const Clone clone;
  const Folder traps;
  const auto trap = (traps.path() / "trap").string();
  const auto sprung = traps.path() / "sprung";
  std::ofstream(trap) << "#!/bin/sh\ntouch " << sprung.string() << "\ncat \"$@\" 2>/dev/null\n";
  fs::permissions(trap, fs::perms::owner_all);
  clone.commit({{"a.txt", "1\n"}, {".gitattributes", "*.txt diff=trap\n"}});
  clone.git({"config", "diff.trap.textconv", trap});
  clone.git({"config", "diff.trap.command", trap});
  clone.git({"config", "diff.external", trap});
  clone.git({"config", "core.fsmonitor", trap});
  clone.git({"config", "core.pager", trap});
  clone.git({"config", "log.showSignature", "true"});
  clone.git({"config", "gpg.program", trap});
  clone.git({"config", "diff.noprefix", "true"});
  clone.git({"config", "diff.mnemonicPrefix", "true"});
  clone.commit({{"a.txt", "FIXME\n# FIXME later\n"}});
  fs::remove(sprung);
  const auto review = run("review", clone, {{"depth", 1}});
  CHECK(rules_in(review) == Rules{"fixme"});
  CHECK(find_text(review, "findings.0.path") == "a.txt");
  CHECK_FALSE(fs::exists(sprung));
}
