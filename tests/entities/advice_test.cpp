#include "entities/advice.hpp"

#include <doctest/doctest.h>

using namespace vigil;
using namespace vigil::entities;

TEST_CASE("a quotation stands in a text word for word, blanks aside, and is no snippet") {
  const std::string log = "FAIL: test_add\n  expected 4,\n\tgot 5\n";
  CHECK(stands_in("expected 4, got 5", log));
  CHECK(stands_in("  FAIL:\ntest_add ", log));
  CHECK_FALSE(stands_in("expected 5, got 4", log));
  CHECK_FALSE(stands_in("got 5", log));
  CHECK_FALSE(stands_in("        ", log));
  CHECK_FALSE(stands_in("", log));
}

TEST_CASE("a model is asked about all it can advise on, or about what is named") {
  config::Advice advice;
  CHECK_FALSE(may_ask(advice, "mail"));
  advice.model = "small";
  CHECK(may_ask(advice, "mail"));
  advice.about = {"move"};
  CHECK_FALSE(may_ask(advice, "mail"));
  CHECK(may_ask(advice, "move"));
}
