#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "entities/codebase/diff.hpp"
#include "tests/support/places.hpp"

using namespace vigil::entities::codebase;
namespace fs = std::filesystem;

namespace {

const fs::path shared_diffs = fs::path(vigil::source_dir()) / "../shared/data/diffs";

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::stringstream stream(text);
  for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
  return parts;
}

struct Sums {
  std::size_t files = 0;
  std::size_t hunks = 0;
  std::size_t added = 0;
  std::size_t removed = 0;
  std::set<std::string> paths;
};

Sums sums_of(const Diff& diff) {
  Sums sums;
  sums.files = diff.files.size();
  for (const auto& file : diff.files) {
    sums.hunks += file.hunks.size();
    sums.added += file.added.size();
    sums.removed += file.removed.size();
    sums.paths.insert(file.path());
  }
  return sums;
}

}  // namespace

TEST_CASE("a modified file gives its lines with their numbers") {
  const auto diff = parse_diff(
      "diff --git a/src/a.cpp b/src/a.cpp\nindex 1111111..2222222 100644\n--- a/src/a.cpp\n"
      "+++ b/src/a.cpp\n@@ -3,3 +3,4 @@ int main() {\n one\n-two\n+TWO\n+three\n four\n");
  REQUIRE(diff.files.size() == 1);
  const auto& file = diff.files[0];
  CHECK(file.new_path == "src/a.cpp");
  CHECK(file.kind == ChangeKind::modified);
  REQUIRE(file.added.size() == 2);
  CHECK(file.added[0].number == 4);
  CHECK(file.added[0].text == "TWO");
  CHECK(file.added[1].number == 5);
  REQUIRE(file.removed.size() == 1);
  CHECK(file.removed[0].number == 4);
  REQUIRE(file.hunks.size() == 1);
  CHECK(file.hunks[0].heading == "int main() {");
}

TEST_CASE("new, removed, renamed, copied and moded files are told apart") {
  const auto diff = parse_diff(
      "diff --git a/new.txt b/new.txt\nnew file mode 100755\nindex 0000000..1\n--- /dev/null\n"
      "+++ b/new.txt\n@@ -0,0 +1 @@\n+x\n"
      "diff --git a/old.txt b/old.txt\ndeleted file mode 100644\nindex 1..0000000\n"
      "--- a/old.txt\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
      "diff --git a/from name.txt b/to name.txt\nsimilarity index 90%\nrename from from name.txt\n"
      "rename to to name.txt\n"
      "diff --git a/c1 b/c2\nsimilarity index 100%\ncopy from c1\ncopy to c2\n"
      "diff --git a/run b/run\nold mode 100644\nnew mode 100755\n");
  REQUIRE(diff.files.size() == 5);
  CHECK(diff.files[0].kind == ChangeKind::added);
  CHECK(diff.files[0].old_path.empty());
  CHECK(diff.files[0].new_mode == "100755");
  CHECK(diff.files[1].kind == ChangeKind::removed);
  CHECK(diff.files[1].new_path.empty());
  CHECK(diff.files[1].path() == "old.txt");
  CHECK(diff.files[2].kind == ChangeKind::renamed);
  CHECK(diff.files[2].old_path == "from name.txt");
  CHECK(diff.files[2].new_path == "to name.txt");
  CHECK(diff.files[3].kind == ChangeKind::copied);
  CHECK(diff.files[4].old_mode == "100644");
  CHECK(diff.files[4].new_path == "run");
}

TEST_CASE("names with blanks, quotes and bytes outside ASCII are read as git writes them") {
  const auto diff = parse_diff(
      "diff --git \"a/gr\\303\\274n \\\"x\\\".txt\" \"b/gr\\303\\274n \\\"x\\\".txt\"\nindex 1..2 "
      "100644\n--- \"a/gr\\303\\274n \\\"x\\\".txt\"\n+++ \"b/gr\\303\\274n \\\"x\\\".txt\"\n"
      "@@ -1 +1 @@\n-a\n+b\n"
      "diff --git a/with blank.bin b/with blank.bin\nindex 1..2 100644\n"
      "Binary files a/with blank.bin and b/with blank.bin differ\n");
  REQUIRE(diff.files.size() == 2);
  CHECK(diff.files[0].new_path == "gr\xc3\xbcn \"x\".txt");
  CHECK(diff.files[1].new_path == "with blank.bin");
  CHECK(diff.files[1].binary);
  CHECK(unquote_path("\"a\\tb\\\\\"") == "a\tb\\");
}

TEST_CASE("line ends and missing newlines are noticed and taken off") {
  const auto diff = parse_diff(
      "--- a/x\r\n+++ b/x\r\n@@ -1,2 +1,2 @@\r\n same\r\n-old\r\n\\ No newline at end of file\r\n"
      "+new\r\n\\ No newline at end of file\r\n");
  REQUIRE(diff.files.size() == 1);
  CHECK(diff.files[0].new_path == "x");
  REQUIRE(diff.files[0].added.size() == 1);
  CHECK(diff.files[0].added[0].text == "new");
  CHECK(diff.files[0].old_ends_without_newline);
  CHECK(diff.files[0].new_ends_without_newline);
}

TEST_CASE("the counts of a hunk decide what belongs to it") {
  const auto diff = parse_diff(
      "--- a/list.txt\n+++ b/list.txt\n@@ -1,2 +1,1 @@\n--- removed line that looks like a name\n"
      " kept\n-- \n2.39.5\n");
  REQUIRE(diff.files.size() == 1);
  CHECK(diff.files[0].removed.size() == 1);
  CHECK(diff.files[0].removed[0].text == "-- removed line that looks like a name");
}

TEST_CASE("diffs of merges have no old side and are counted, not read") {
  const auto diff = parse_diff(
      "diff --cc a.txt\nindex 1,2..3\n--- a/a.txt\n+++ b/a.txt\n@@@ -1,1 -1,1 +1,1 @@@\n++both\n"
      "diff --git a/b.txt b/b.txt\nindex 1..2 100644\n--- a/b.txt\n+++ b/b.txt\n@@ -1 +1 "
      "@@\n-a\n+b\n");
  CHECK(diff.combined_skipped == 1);
  REQUIRE(diff.files.size() == 1);
  CHECK(diff.files[0].new_path == "b.txt");
}

TEST_CASE("anything else is no diff, and no cut one brings it down") {
  CHECK(parse_diff("").files.empty());
  CHECK(parse_diff("@@ -1 +1 @@\n+x\n").files.empty());
  CHECK(parse_diff(std::string(1000, '\0')).files.empty());
  CHECK(parse_diff("--- a/x\n+++ b/x\n@@ -1,9 +1,9 @@\n+x").cut);
  const std::string whole =
      "diff --git a/x b/x\nindex 1..2 100644\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n";
  for (std::size_t end = 0; end <= whole.size(); ++end) (void)parse_diff(whole.substr(0, end));
  CHECK(parse_diff("--- a/x\n+++ b/x\n@@ -99999999999,1 +1 @@\n+x\n").files.size() == 1);
}

TEST_CASE("real patches give the files, hunks and lines that they have") {
  const auto answers = shared_diffs / "patches-expected.tsv";
  if (!fs::exists(answers)) {
    MESSAGE("skipped: no shared data");
    return;
  }
  std::ifstream file(answers);
  std::string line;
  std::getline(file, line);
  int patches = 0;
  while (std::getline(file, line)) {
    const auto fields = split(line, '\t');
    CAPTURE(fields[0]);
    const auto sums = sums_of(parse_diff(read_file(shared_diffs / "patches" / fields[0])));
    CHECK(sums.files == std::stoul(fields[1]));
    CHECK(sums.hunks == std::stoul(fields[2]));
    CHECK(sums.added == std::stoul(fields[3]));
    CHECK(sums.removed == std::stoul(fields[4]));
    auto expected = split(fields[5], ' ');
    // Long lists of names are cut in the answers, the last name with them.
    if (expected.size() < sums.files) expected.pop_back();
    for (const auto& path : expected) {
      CAPTURE(path);
      CHECK((path.empty() || sums.paths.contains(path)));
    }
    ++patches;
  }
  CHECK(patches > 20);
}

TEST_CASE("patches with damaged bytes are survived") {
  const auto folder = shared_diffs / "patches";
  if (!fs::exists(folder)) {
    MESSAGE("skipped: no shared data");
    return;
  }
  unsigned seed = 1;
  const auto random = [&seed] { return seed = seed * 1664525u + 1013904223u; };
  std::size_t lines = 0;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto text = read_file(entry.path());
    for (int round = 0; round < 20; ++round) {
      auto damaged = text;
      for (int i = 0; i < 30; ++i) {
        constexpr std::string_view bytes = "\n\r+-@ 9\\\"\0/\xff";
        damaged[random() % damaged.size()] = bytes[random() % bytes.size()];
      }
      for (const auto& file : parse_diff(damaged).files) lines += file.added.size();
    }
  }
  CHECK(lines > 1000);
}
