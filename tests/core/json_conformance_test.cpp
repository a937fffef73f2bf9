// The public JSON suite, and what must hold of everything that is taken.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "core/json.hpp"
#include "tests/support/places.hpp"

namespace vigil {
namespace {

const std::string suite = source_dir() + "/../shared/data/conformance/json";

std::string bytes_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What is written of a value is JSON again.
void check_round(const json::value& value) {
  const auto text = to_text(value);
  CHECK(is_valid_utf8(text));
  CHECK_MESSAGE(parse_json(text).has_value(), text);
}

}  // namespace

TEST_CASE("JSONTestSuite: what must be taken is, what must be refused is, the rest does no harm") {
  if (!std::filesystem::exists(suite)) {
    MESSAGE("skipped: ", suite, " is not there");
    return;
  }
  std::map<char, int> seen;
  int taken = 0;  // of what a parser may do either way
  for (const auto& entry : std::filesystem::directory_iterator(suite)) {
    const auto name = entry.path().filename().string();
    CAPTURE(name);
    const auto text = bytes_of(entry.path());
    const auto read = parse_json(text);
    ++seen[name[0]];
    if (name[0] == 'y') CHECK(read.has_value());
    if (name[0] == 'n') CHECK_FALSE(read.has_value());
    if (name[0] == 'i' && read) ++taken;
    if (read) check_round(*read);
    if (!read) CHECK_FALSE(read.error().message.empty());
    CHECK(parse_payload(text).has_value() == read.has_value());
  }
  CHECK(seen['y'] == 95);
  CHECK(seen['n'] == 188);
  CHECK(seen['i'] == 35);
  MESSAGE("of 35 that may be taken or refused ", taken, " are taken");
}

TEST_CASE("a number that no double holds is refused, wherever it stands") {
  for (const char* text : {"1e400", "-1e309", "[1, [1.8e308]]", R"({"a": {"b": [9e999999]}})"}) {
    CAPTURE(text);
    const auto read = parse_json(text);
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().message.find("1.8e308") != std::string::npos);
    CHECK_FALSE(parse_payload(text).has_value());
  }
  for (const char* text : {"1.7976931348623157e308", "1e-400", "-0.0", "18446744073709551616"}) {
    CAPTURE(text);
    const auto read = parse_json(text);
    REQUIRE(read.has_value());
    check_round(*read);
  }
}

}  // namespace vigil
