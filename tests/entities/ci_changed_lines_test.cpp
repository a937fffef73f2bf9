#include <doctest/doctest.h>

#include "entities/ci/changed_lines.hpp"

using namespace vigil::entities::ci;
using vigil::entities::codebase::parse_diff;

namespace {

const auto change = parse_diff(
    "diff --git a/src/net/a.c b/src/net/a.c\n--- a/src/net/a.c\n+++ b/src/net/a.c\n"
    "@@ -1,2 +1,4 @@\n one\n+two\n+three\n four\n"
    "diff --git a/main.c b/main.c\n--- a/main.c\n+++ b/main.c\n@@ -9 +9 @@\n-x\n+y\n"
    "diff --git a/old.java b/src/main/java/org/x/A.java\nrename from old.java\n"
    "rename to src/main/java/org/x/A.java\n@@ -1 +1 @@\n-x\n+y\n");

Where where(const ChangedLines& lines, std::string_view path, int line = 2) {
  return lines.place(path, line).where;
}

}  // namespace

TEST_CASE("an issue is on an added line, in a changed file, or elsewhere") {
  const ChangedLines lines(change);
  CHECK(where(lines, "src/net/a.c", 2) == Where::added_line);
  CHECK(where(lines, "src/net/a.c", 3) == Where::added_line);
  CHECK(where(lines, "src/net/a.c", 1) == Where::changed_file);
  CHECK(where(lines, "src/net/a.c", 0) == Where::changed_file);
  CHECK(where(lines, "src/net/b.c", 2) == Where::elsewhere);
  CHECK(where(lines, "", 2) == Where::elsewhere);
  CHECK(where(lines, "main.c", 9) == Where::added_line);
}

TEST_CASE("a path is known in whatever way a tool spells it") {
  const ChangedLines lines(change);
  for (const auto* path : {"./src/net/a.c", "../../src/net/a.c", "src\\net\\a.c",
                           "/ci/build/42/src/net/a.c", "C:\\agent\\src\\net\\a.c",
                           "file:///ci/src/net/a.c", "src/lib/../net/a.c", "net/a.c", "a.c"}) {
    CAPTURE(path);
    CHECK(where(lines, path) == Where::added_line);
    CHECK(lines.place(path, 2).path == "src/net/a.c");
  }
  CHECK(lines.place("src/net/a.c", 2).certain);
  CHECK_FALSE(lines.place("/ci/build/42/src/net/a.c", 2).certain);
  CHECK(lines.place("org/x/A.java", 1).path == "src/main/java/org/x/A.java");
}

TEST_CASE("one name alone is no proof, a root is") {
  ChangedLines lines(change);
  CHECK(where(lines, "/usr/include/main.c", 9) == Where::elsewhere);
  CHECK(where(lines, "/ci/42/main.c", 9) == Where::elsewhere);
  Issue issue;
  issue.path = "/ci/42/src/net/a.c";
  lines.learn_roots({issue});
  CHECK(where(lines, "/ci/42/main.c", 9) == Where::added_line);
  CHECK(where(lines, "/usr/include/main.c", 9) == Where::elsewhere);
  CHECK(where(lines, "/ci/42/lib/src/net/a.c") == Where::elsewhere);
  ChangedLines given(change);
  given.add_root("file:///srv/repo/");
  CHECK(given.place("/srv/repo/main.c", 9).certain);
}

TEST_CASE("all files of a repository tell which of two alike is meant") {
  const ChangedLines lines(change, {"vendor/src/net/a.c", "src/net/a.c", "lib/a.c", "main.c"});
  CHECK(lines.place("/ci/vendor/src/net/a.c", 2).path == "vendor/src/net/a.c");
  CHECK(where(lines, "/ci/vendor/src/net/a.c") == Where::elsewhere);
  CHECK(where(lines, "/ci/src/net/a.c") == Where::added_line);
  CHECK(where(lines, "a.c") == Where::elsewhere);  // three files could be meant
}
