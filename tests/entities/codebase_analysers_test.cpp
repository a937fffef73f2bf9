#include <doctest/doctest.h>

#include <algorithm>

#include "entities/codebase/analysers.hpp"
#include "entities/codebase/command.hpp"
#include "entities/codebase/command_run.hpp"
#include "entities/codebase/commits.hpp"
#include "entities/codebase/leftovers.hpp"
#include "entities/codebase/lockfiles.hpp"
#include "entities/codebase/shape.hpp"

using namespace vigil::entities::codebase;

namespace {

Diff diff_adding(const std::string& path, const std::vector<std::string>& lines,
                 ChangeKind kind = ChangeKind::modified) {
  Diff diff;
  auto& file = diff.files.emplace_back();
  file.new_path = path;
  file.kind = kind;
  int number = 9;
  for (const auto& line : lines) file.added.push_back({++number, line});
  return diff;
}

std::vector<std::string> rules(const std::vector<Finding>& findings) {
  std::vector<std::string> all;
  for (const auto& finding : findings) all.push_back(finding.rule);
  return all;
}
using Rules = std::vector<std::string>;

FileChange changed(std::string path, std::int64_t added, std::int64_t bytes = 100) {
  FileChange file;
  file.path = std::move(path);
  file.added = added;
  file.bytes = bytes;
  return file;
}

Commit commit(std::string message, std::string address = "a@vigil.dev") {
  return {"0123456789abcdef", 1, std::move(address), std::move(message)};
}

// Built here, so that this file holds no marks itself.
std::string marks(char of, const std::string& rest) { return std::string(7, of) + rest; }

}  // namespace

TEST_CASE("a conflict that was committed is one finding at its first mark") {
  const auto found = find_conflicts(diff_adding(
      "a.py", {"x", marks('<', " HEAD"), "1", marks('=', ""), "2", marks('>', " topic")}));
  REQUIRE(rules(found) == Rules{"conflict-markers"});
  CHECK(found[0].line == 11);
  CHECK(found[0].severity == Severity::high);
  CHECK(rules(find_conflicts(diff_adding("a.py", {marks('>', " topic")}))) ==
        Rules{"half-a-conflict"});
}

TEST_CASE("underlines and arrows are no conflicts") {
  for (const std::string& line :
       {marks('=', ""), marks('=', "====="), marks('<', "<<"), marks('>', ">>>> x"),
        std::string(">>> print(1)"), marks('<', "")}) {
    CAPTURE(line);
    CHECK(find_conflicts(diff_adding("a.rst", {"Title", line})).empty());
    CHECK(find_conflicts(diff_adding("a.py", {"Title", line})).empty());
  }
}

TEST_CASE("files that a merge left behind are named") {
  CHECK(rules(find_conflicts(diff_adding("a.c.orig", {}, ChangeKind::added))) ==
        Rules{"merge-junk"});
  CHECK(rules(find_conflicts(diff_adding("x/b.rej", {}, ChangeKind::added))) ==
        Rules{"merge-junk"});
  CHECK(rules(find_conflicts(diff_adding("a_LOCAL_123.c", {}, ChangeKind::added))) ==
        Rules{"merge-junk"});
  CHECK(find_conflicts(diff_adding("original.c", {}, ChangeKind::added)).empty());
}

TEST_CASE("breakpoints and test filters are found, mentions of them are not") {
  CHECK(rules(find_debugging(diff_adding("a.ts", {"  debugger;"}))) == Rules{"debugger-statement"});
  CHECK(rules(find_debugging(diff_adding("a.py", {"    import pdb; pdb.set_trace()"}))) ==
        Rules{"python-breakpoint"});
  CHECK(rules(find_debugging(diff_adding("a.test.js", {"  it.only('x', () => {"}))) ==
        Rules{"only-these-tests"});
  CHECK(rules(find_debugging(diff_adding("a.rs", {"    dbg!(x);"}))) == Rules{"rust-dbg"});
  CHECK(find_debugging(diff_adding("a.py", {"# breakpoint() is how", "x = 'pdb.set_trace()'"}))
            .empty());
  CHECK(find_debugging(diff_adding("a.md", {"debugger;"})).empty());
  CHECK(find_debugging(diff_adding("a.js", {"const debuggers = 1;"})).empty());
}

TEST_CASE("things put off are noted where they are comments") {
  const auto found =
      find_todos(diff_adding("a.cpp", {"  // TODO(me): write it", "// FIXME", "todo();"}));
  REQUIRE(found.size() == 2);
  CHECK(found[0].title == "TODO was added: write it");
  CHECK(found[0].severity == Severity::info);
  CHECK(found[1].severity == Severity::low);
  CHECK(find_todos(diff_adding("a.cpp", {"auto TODOS = 1;", "x = \"TODO\";"})).empty());
}

TEST_CASE("the size counts what people wrote, by area") {
  const auto size = size_of({changed("src/a.cpp", 40), changed("src/b.cpp", 20),
                             changed("README.md", 5), changed("package-lock.json", 5000)});
  CHECK(size.lines == 65);
  CHECK(size.generated_lines == 5000);
  CHECK(size.label == "M");
  CHECK(size.areas.at("src") == 60);
  CHECK(size.areas.at(".") == 5);
  CHECK(size_of({changed("a.c", 9)}).label == "XS");
  CHECK(size_of({changed("a.c", 10)}).label == "S");
  CHECK(size_of({changed("a.c", 1000)}).label == "XXL");
  CHECK(find_size(size).empty());
  CHECK(find_size(size_of({changed("a.c", 999)})).size() == 1);
}

TEST_CASE("heavy and built files are found, removed ones are not") {
  auto heavy = changed("data.bin", 0, 3 * 1024 * 1024);
  heavy.binary = true;
  CHECK(rules(find_large_files({heavy}, 1024 * 1024)) == Rules{"large-file"});
  CHECK(find_large_files({heavy}, 1024 * 1024)[0].severity == Severity::high);
  CHECK(find_large_files({heavy}, 4 * 1024 * 1024).empty());
  heavy.status = 'D';
  CHECK(find_large_files({heavy}, 1024).empty());
  auto built = changed("lib/x.so", 0, 5000);
  built.binary = true;
  built.status = 'A';
  CHECK(rules(find_large_files({built}, 1024 * 1024)) == Rules{"built-file"});
}

TEST_CASE("code without a test is a hint, once, and only when there is much of it") {
  const auto found = find_missing_tests({changed("src/a.cpp", 30), changed("src/b.cpp", 90)});
  REQUIRE(found.size() == 1);
  CHECK(found[0].path == "src/b.cpp");
  CHECK(find_missing_tests({changed("src/a.cpp", 30), changed("tests/a_test.cpp", 1)}).empty());
  CHECK(find_missing_tests({changed("src/a.cpp", 3)}).empty());
  CHECK(find_missing_tests({changed("docs/a.md", 300)}).empty());
}

TEST_CASE("only changes of dependencies ask for a lock file") {
  const char* before =
      R"({"name":"x","version":"1.0.0","scripts":{"a":"b"},"dependencies":{"l":"^1"}})";
  const char* scripts =
      R"({"name":"x","version":"1.0.1","scripts":{"a":"c"},"dependencies":{"l":"^1"}})";
  const char* bumped =
      R"({"name":"x","version":"1.0.0","scripts":{"a":"b"},"dependencies":{"l":"^2"}})";
  CHECK(dependencies_in("package.json", before) == dependencies_in("package.json", scripts));
  CHECK(dependencies_in("package.json", before) != dependencies_in("package.json", bumped));
  const char* cargo = "[package]\nversion = \"1\"\n[dependencies]\nserde = \"1\"\n";
  CHECK(
      dependencies_in("Cargo.toml", cargo) ==
      dependencies_in("Cargo.toml", "[package]\nversion = \"2\"\n[dependencies]\nserde = \"1\"\n"));
  CHECK(dependencies_in("Cargo.toml", cargo).size() == 1);
  CHECK(dependencies_in("pyproject.toml",
                        "[project]\nname = \"x\"\ndependencies = [\n  \"a>1\",\n]\n") !=
        dependencies_in("pyproject.toml",
                        "[project]\nname = \"x\"\ndependencies = [\n  \"a>2\",\n]\n"));
  CHECK(dependencies_in("go.mod", "module x\ngo 1.22\nrequire a.b/c v1.0.0\n").size() == 1);
  CHECK(locks_of("web/package.json").size() == 6);
  CHECK(locks_of("README.md").empty());
}

TEST_CASE("a lock file tells the hosts it fetches from") {
  const auto hosts = hosts_in(
      "\"resolved\": \"https://registry.example.org/a/-/a-1.tgz\",\n"
      "\"resolved\": \"http://evil.example.net/b.tgz\"\n"
      "resolved \"https://yarn.example.org/c#1\"\nsource = "
      "\"registry+https://index.example.org/x\"\n");
  CHECK(hosts == std::set<std::string>{"https://registry.example.org", "http://evil.example.net",
                                       "https://yarn.example.org", "https://index.example.org"});
}

TEST_CASE("commits meant to be squashed and messages nobody can use are found") {
  CHECK(rules(find_in_commits({commit("fixup! core: begin")})) == Rules{"to-be-squashed"});
  CHECK(rules(find_in_commits({commit("WIP: half")})) == Rules{"draft-commit"});
  CHECK(rules(find_in_commits({commit("fix")})) == Rules{"says-nothing"});
  CHECK(rules(find_in_commits({commit("core: x\nsecond line")})) == Rules{"no-empty-line"});
  CHECK(rules(find_in_commits({commit(std::string(120, 'x'))})) == Rules{"long-subject"});
  CHECK(rules(find_in_commits({commit("core: a", "root@box"), commit("core: b", "root@box")})) ==
        Rules{"made-up-address"});
  CHECK(find_in_commits({commit("core: swipe cards\n\nBecause.")}).empty());
  auto merge = commit("Merge branch 'x'");
  merge.parents = 2;
  CHECK(find_in_commits({merge}).empty());
}

TEST_CASE("commits are read out of what git writes") {
  const std::string first =
      "aa\x1f"
      "bb cc\x1f"
      "a@b.c\x1f"
      "subject\n\nbody\n";
  const std::string second =
      "dd\x1f\x1f"
      "e@f.g\x1f"
      "first\n";
  const auto commits = read_commits(first + '\0' + second);
  REQUIRE(commits.size() == 2);
  CHECK(commits[0].parents == 2);
  CHECK(commits[0].message == "subject\n\nbody");
  CHECK(commits[1].parents == 0);
}

TEST_CASE("errors are found once the colours are taken off") {
  const auto text = without_colours(
      "\x1b[1msrc/a.cpp:12:5:\x1b[0m error: expected ';'\nsrc/a.cpp:13:1: note: here\n"
      "./lib/b.go:7: undefined: x\nweb/c.ts(3,9): error TS2322: no\nscore 1:2: nothing\n"
      "pkg/d.py:1:0: C0114: Missing docstring\n  42 passed\n");
  const auto found = errors_in_output(text, "tests", 20);
  REQUIRE(found.size() == 4);
  CHECK(place_of(found[0]) == "src/a.cpp:12");
  CHECK(found[0].title == "expected ';'");
  CHECK(place_of(found[1]) == "lib/b.go:7");
  CHECK(place_of(found[2]) == "web/c.ts:3");
  CHECK(place_of(found[3]) == "pkg/d.py:1");
  CHECK(errors_in_output(text, "tests", 2).size() == 2);
}

TEST_CASE("errors of Maven, sbt, CMake and MSBuild are read too") {
  const auto found = errors_in_output(
      "[ERROR] /w/src/A.java:[12,5] no such thing\n12:30:01.5 [WARNING] /w/src/B.java:[3,1] old\n"
      "[error] src/C.scala:9: ';' expected\nCMake Error at cmake/x.cmake:2 (message):\n"
      "1>main.cpp(17): error : expected a \";\"\n[ERROR] Failed to execute goal\n[INFO] a.b:1: x\n",
      "build", 20);
  REQUIRE(found.size() == 5);
  CHECK(place_of(found[0]) == "/w/src/A.java:12");
  CHECK(found[1].severity == Severity::low);
  CHECK(place_of(found[2]) == "src/C.scala:9");
  CHECK(found[3].title == "cmake error");
  CHECK(place_of(found[4]) == "main.cpp:17");
}

TEST_CASE("the table of analysers begins with the changes and ends with the review") {
  REQUIRE(!analysers().empty());
  CHECK(analysers().front().name == "codebase.changes");
  CHECK(analysers().back().name == "codebase.review");
  CHECK(find_analyser("secrets") == find_analyser("codebase.secrets"));
  CHECK(find_analyser("codebase.nonsense") == nullptr);
  for (const auto& analyser : analysers()) {
    CAPTURE(analyser.name);
    CHECK(analyser.name.starts_with("codebase."));
    CHECK(!analyser.summary.empty());
  }
}
