// vigil-task as a program: by hand, as a task, and in its containment.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "core/json.hpp"
#include "entities/codebase/git.hpp"
#include "tests/entities/codebase_clone.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities::codebase;
namespace fs = std::filesystem;

namespace {

const std::string programs = bin_dir();

ErrandEnd run(std::vector<std::string> argv, std::string input = {}) {
  Errand errand;
  errand.argv = std::move(argv);
  errand.environment = {"PATH=/usr/bin:/bin", "HOME=/nonexistent"};
  errand.input = std::move(input);
  const auto end = run_errand(errand);
  REQUIRE(end.has_value());
  return *end;
}

struct Folder {
  Folder() : path(fs::temp_directory_path() / ("vigil-ci-task-" + std::to_string(::getpid()))) {
    fs::create_directories(path);
  }
  ~Folder() {
    std::error_code ignored;  // a test's own folder below /tmp
    fs::remove_all(path, ignored);
  }
  fs::path path;
};

}  // namespace

TEST_CASE("output is piped into vigil-task, and told in lines") {
  const auto end = run({programs + "/vigil-task", "ci.output", "--text", "-"},
                       "make: Entering directory '/b'\na.c:3:4: error: bad\n");
  CHECK(end.exit_code == 0);
  CHECK(end.output == "/b/a.c:3: high: bad [compiler]\n1 error, 0 warnings\n");
  const auto none = run({programs + "/vigil-task", "ci.output", "--text", "-"}, "all is well\n");
  CHECK(none.output == "0 errors, 0 warnings\n");
}

TEST_CASE("wrong input ends with 65 and a sentence") {
  const auto missing = run({programs + "/vigil-task", "ci.tests", "/nonexistent/r.xml"});
  CHECK(missing.exit_code == 65);
  CHECK(missing.errors.find("does not exist") != std::string::npos);
  const auto broken = run({programs + "/vigil-task", "ci.sarif", "-"}, "{");
  CHECK(broken.exit_code == 65);
  CHECK(broken.errors.find("cut off") != std::string::npos);
  for (const auto* name : {"ci.tests", "ci.sarif", "ci.output", "ci.flaky"}) {
    const auto help = run({programs + "/vigil-task", name, "--help"});
    CHECK(help.exit_code == 0);
    CHECK(help.output.find("files") != std::string::npos);
  }
}

TEST_CASE("a report is read in containment, and no other file than it") {
  const Folder folder;
  std::ofstream(folder.path / "r.xml")
      << "<testsuite name='S'><testcase name='a'><failure message='no'/></testcase></testsuite>";
  const auto contained = [&](const std::string& file) {
    return run({programs + "/vigil-exec", "--profile", "strict", "--read", folder.path.string(),
                "--", programs + "/vigil-task", "ci.tests"},
               R"({"input": {"files": [")" + file + R"("]}})");
  };
  const auto end = contained((folder.path / "r.xml").string());
  if (end.exit_code == 126) {
    MESSAGE("skipped: " << end.errors);
    return;
  }
  REQUIRE(end.exit_code == 0);
  const auto result = parse_json(end.output);
  REQUIRE(result.has_value());
  CHECK(find_text(*result, "summary") == "1 of 1 tests failed");
  const auto outside = contained(source_dir() + "/README.md");
  CHECK(outside.exit_code == 65);
  CHECK(outside.errors.find("nothing could be read") != std::string::npos);
}

TEST_CASE("issues are told by the lines that commits of a clone changed") {
  const testing::Clone clone;
  clone.commit({{"src/a.py", "x = 1\n"}, {"src/b.py", "y = 1\n"}});
  clone.commit({{"src/a.py", "x = 1\nz = 2\n"}});
  const auto end =
      run({programs + "/vigil-task", "ci.output", "--repository", clone.path().string(), "--range",
           "HEAD~1..HEAD", "--text", "-"},
          "/build/7/src/b.py:1: error: far\n/build/7/src/a.py:2: error: here\nb.py:1:1: E1 no\n");
  CHECK(end.errors.empty());
  CHECK(end.output ==
        "src/a.py:2: high: here [compiler] (added line)\nsrc/b.py:1: high: far [compiler]\n"
        "src/b.py:1: low: E1 no [linter]\n2 errors, 1 warning; 1 on added lines\n");
}
