#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "entities/ci/tool_output.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities::ci;
namespace fs = std::filesystem;

namespace {

const fs::path shared_ci = fs::path(source_dir()) / "../shared/data/ci";

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string told(const ToolOutput& output) {
  std::string all;
  for (const auto& issue : output.issues) {
    all += issue.tool + "|" + issue.path + ":" + std::to_string(issue.line) + "|" + issue.rule +
           "|" + std::string(to_text(issue.level)) + "|" + issue.message + "\n";
  }
  return all;
}

// Where one reader of one tool counts otherwise than a reader of all tools should.
const std::map<std::string, std::size_t> argued{
    // "not valid gcc4 errors" are those of older compilers and of the linker: a file that is not
    // found, two undefined references, an invalid directive. They break a build all the same.
    {"gcc4.txt", 18},
    // One warning in one header, said for six files that include it: one issue, six times.
    {"issue56612.log", 1},
    // The table leaves out what Error Prone found; it is printed by the same compiler: [NullAway],
    // [ConstructorLeaksThis] and others are among the 13 warnings of the text.
    {"maven-ansi.txt", 13},
    // The table counts Maven's own words alone (one for each goal that says them) without the
    // three warnings of the compiler that stand in the same text.
    {"maven-goals.log", 6},
    // The table counts the linker's two; the compiler's "undeclared identifier" is an error too.
    {"mixed-output.log", 3},
};

}  // namespace

TEST_CASE("the output of forty tools holds the issues that were counted in it") {
  if (!fs::exists(shared_ci)) {
    MESSAGE("skipped: no shared data");
    return;
  }
  std::stringstream table(read_file(shared_ci / "tool-output-expected.tsv"));
  std::string row;
  std::getline(table, row);
  int checked = 0;
  while (std::getline(table, row)) {
    std::vector<std::string> columns;
    std::stringstream cells(row);
    for (std::string cell; std::getline(cells, cell, '\t');) columns.push_back(cell);
    if (columns.at(2) == "-") continue;
    CAPTURE(row);
    const auto output = read_tool_output(read_file(shared_ci / "tool-output" / columns.at(0)));
    CAPTURE(told(output));
    const auto found = argued.find(columns[0]);
    CHECK(output.issues.size() == (found == argued.end() ? std::stoul(columns[2]) : found->second));
    ++checked;
  }
  CHECK(checked == 39);
}

TEST_CASE("a warning said for six files is one issue, said six times") {
  if (!fs::exists(shared_ci)) {
    MESSAGE("skipped: no shared data");
    return;
  }
  const auto output = read_tool_output(read_file(shared_ci / "tool-output/issue56612.log"));
  REQUIRE(output.issues.size() == 1);
  CHECK(output.issues[0].times == 6);
  CHECK(output.issues[0].rule == "-Wdeprecated-declarations");
  const auto kernel = read_tool_output(read_file(shared_ci / "tool-output/kernel.log"));
  REQUIRE(kernel.issues.size() == 2);
  CHECK(kernel.issues[1].line == 39);
  CHECK(kernel.issues[1].level == Level::error);
}
