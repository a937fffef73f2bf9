#include <doctest/doctest.h>

#include "tests/config/scratch.hpp"

namespace vigil::config {
namespace {

using Test = FieldMatch::Test;

std::string with_match(const std::string& match) {
  return "[entity.e]\nkind = \"process\"\nprocess = { argv = [\"p\"] }\n[[entity.e.on]]\nmatch = " +
         match + "\n";
}

Match match_of(const std::string& match) {
  return settings_of(with_match(match)).entities.at("e").on.at(0).match;
}

TEST_CASE("a field is compared with a value, with one of several, or with patterns") {
  const auto match = match_of(
      "{ \"data.action\" = [\"opened\", \"reopened\"], \"data.number\" = 12, subject = "
      "\"~^octo/\", "
      "type = [\"~^a\", \"~b$\"], \"data.open\" = true, \"data.share\" = 0.5 }");
  CHECK(match.all.empty());
  REQUIRE(match.fields.size() == 6);
  const auto field = [&](const std::string& path) {
    for (const auto& one : match.fields) {
      if (one.path == path) return one;
    }
    throw std::runtime_error("no field " + path);
  };
  CHECK(field("data.action").test == Test::any_of);
  CHECK(field("data.action").values.size() == 2);
  CHECK(field("data.number").values[0] == 12);
  CHECK(field("data.open").values[0] == true);
  CHECK(field("data.share").values[0] == 0.5);
  CHECK(field("subject").test == Test::regex);
  CHECK(field("subject").values[0] == "^octo/");
  CHECK(field("type").test == Test::regex);
  CHECK(field("type").values.size() == 2);
}

TEST_CASE("presence is asked with a question mark") {
  const auto match = match_of("{ \"data.a?\" = true, \"data.b?\" = false, \"data.a\" = 1 }");
  REQUIRE(match.fields.size() == 3);
  CHECK(match.fields[0].path == "data.a");
  CHECK(match.fields[0].test == Test::any_of);
  CHECK(match.fields[1].path == "data.a");
  CHECK(match.fields[1].test == Test::present);
  CHECK(match.fields[2].path == "data.b");
  CHECK(match.fields[2].test == Test::absent);
}

TEST_CASE("paths may be written without quotes") {
  const auto match = match_of("{ data.pull.number = 1, data.action = \"x\" }");
  REQUIRE(match.fields.size() == 2);
  CHECK(match.fields[0].path == "data.action");
  CHECK(match.fields[1].path == "data.pull.number");
  const auto twice = load_text(with_match("{ data.a = 1, \"data.a\" = 2 }"), "f");
  CHECK(all_texts(twice).find("stands here twice") != std::string::npos);
}

TEST_CASE("matches are combined with and, or and not") {
  const auto match = match_of(
      "{ type = \"t\", or = [{ subject = \"a\" }, { subject = \"b\" }], not = { id = \"x\" }, "
      "and = [{ or = [{ id = \"y\" }] }] }");
  CHECK(match.fields.size() == 1);
  CHECK(match.any.size() == 2);
  REQUIRE(match.none.size() == 1);
  CHECK(match.none[0].fields[0].path == "id");
  REQUIRE(match.all.size() == 1);
  CHECK(match.all[0].any.size() == 1);
}

TEST_CASE("a list of values and patterns means one of either") {
  const auto match = match_of("{ subject = [\"a\", \"~^b\"] }");
  CHECK(match.fields.empty());
  REQUIRE(match.all.size() == 1);
  REQUIRE(match.all[0].any.size() == 2);
  CHECK(match.all[0].any[0].fields[0].test == Test::any_of);
  CHECK(match.all[0].any[1].fields[0].test == Test::regex);
}

}  // namespace
}  // namespace vigil::config
