// What is cut, damaged or mixed up comes to an error or to less, never to a crash or a hang.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "entities/ci/fingerprint.hpp"
#include "entities/ci/sarif.hpp"
#include "entities/ci/test_report.hpp"
#include "entities/ci/tool_output.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities::ci;
namespace fs = std::filesystem;

namespace {

const fs::path shared_ci = fs::path(source_dir()) / "../shared/data/ci";
constexpr std::size_t bytes_max = 60'000;

std::string damaged(std::string text, std::mt19937& random) {
  using namespace std::string_view_literals;
  constexpr auto bytes = "\n\r<>&\"'{}[]:,\\/0-e\t\0\xff\xc3("sv;
  for (int i = 0; i < 40 && !text.empty(); ++i) {
    text[random() % text.size()] = bytes[random() % bytes.size()];
  }
  if (random() % 3 == 0) text.resize(random() % (text.size() + 1));
  if (random() % 4 == 0) {
    const auto from = random() % (text.size() + 1);
    text.insert(random() % (text.size() + 1), text.substr(from, random() % 2000));
  }
  return text;
}

void read_everything(const std::string& text) {
  if (const auto report = read_test_report(text)) {
    for (const auto& test : report->cases) {
      REQUIRE(is_valid_utf8(test.name));
      REQUIRE(is_valid_utf8(test.message));
      REQUIRE(test.line >= 0);
      if (test.outcome == Outcome::failed) REQUIRE(failure_fingerprint(test).size() == 12);
    }
  } else {
    REQUIRE_FALSE(report.error().message.empty());
    REQUIRE(is_valid_utf8(report.error().message));
  }
  if (const auto sarif = read_sarif(text)) REQUIRE(sarif->issues.size() <= sarif->results);
  for (const auto& issue : read_tool_output(text).issues) {
    REQUIRE_FALSE(finding_of(issue, "ci.output").title.empty());
    REQUIRE(issue.line >= 0);
  }
}

}  // namespace

TEST_CASE("every real file of CI is survived with damaged bytes") {
  if (!fs::exists(shared_ci)) {
    MESSAGE("skipped: no shared data");
    return;
  }
  std::mt19937 random(11);
  int files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(shared_ci)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream file(entry.path(), std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (text.size() > bytes_max) text.resize(bytes_max);
    CAPTURE(entry.path().filename().string());
    for (int round = 0; round < 6; ++round) read_everything(damaged(text, random));
    ++files;
  }
  CHECK(files >= 79);
}
