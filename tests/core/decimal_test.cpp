#include "core/decimal.hpp"

#include <doctest/doctest.h>

using vigil::Decimal;

namespace {
Decimal of(std::string_view text) {
  const auto parsed = Decimal::parse(text);
  REQUIRE_MESSAGE(parsed, text);
  return *parsed;
}
}  // namespace

TEST_CASE("decimals are exact, and written as short as they can be") {
  CHECK(of("12.50").text() == "12.5");
  CHECK(of("-.5").text() == "-0.5");
  CHECK(of("+7.").text() == "7");
  CHECK(of("0E-11").text() == "0");
  CHECK(of("-0").text() == "0");
  CHECK(of("1.940E-8").text() == "0.0000000194");
  CHECK(of("5e+3").text() == "5000");
  CHECK(of("000000000000000000000.000000000000000001").text() == "0.000000000000000001");
  CHECK(of("999999999999999.999999999999999999").text() == "999999999999999.999999999999999999");
  CHECK(of("1200").text() == "1200");
  CHECK(of("0.1").number() == 0.1);
}

TEST_CASE("sums of decimals have no error") {
  Decimal sum;
  for (int i = 0; i < 1000; ++i) REQUIRE(sum.add(of("0.1")));
  CHECK(sum == of("100"));
  REQUIRE(sum.add(-of("100.000000000000000001")));
  CHECK(sum.text() == "-0.000000000000000001");
  CHECK(sum.is_negative());
  CHECK(of("0.3") < of("0.30000000000000001"));
  Decimal large = of("999999999999999");
  int doubled = 0;
  while (large.add(large)) ++doubled;
  CHECK(doubled > 10);
  CHECK(large > of("999999999999999"));  // as it was before what did not fit
}

TEST_CASE("what is no decimal, or would be rounded, is refused") {
  for (const auto* text :
       {"", "-", ".", "1.2.3", "1e", "1e+", "0x1", "1,5", "NaN", "inf", " 1", "1 ",
        "1000000000000000000", "1e18", "0.0000000000000000001", "1e-19", "1e999", "1_000", "--1"}) {
    CAPTURE(text);
    CHECK_FALSE(Decimal::parse(text).has_value());
  }
}

TEST_CASE("products of decimals are exact to 18 digits, and refused where they do not fit") {
  CHECK(of("1.1").times(of("1.1")) == of("1.21"));
  CHECK(of("-86012.55").times(of("0.95")) == of("-81711.9225"));
  CHECK(of("0.000000001").times(of("0.000000001")) == of("0.000000000000000001"));
  CHECK(of("0.000000001").times(of("0.0000000005")) == of("0.000000000000000001"));
  CHECK(of("0.000000001").times(of("0.0000000004")) == Decimal());
  CHECK(of("374175175057530").times(of("-0.01")) == of("-3741751750575.3"));
  CHECK(of("999999999.999999999").times(of("999999999.999999999")) ==
        of("999999999999999998.000000000000000001"));
  CHECK_FALSE(of("99999999999").times(of("99999999999")).has_value());
}
