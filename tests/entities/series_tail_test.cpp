#include <doctest/doctest.h>

#include <cmath>

#include "entities/series/tail.hpp"

using namespace vigil::entities::series;

namespace {

// The quantiles of a power law with exponent 2, in an order that mixes large and small.
double power_law(int at) { return std::pow(1 - std::fmod(at * 0.6180339887, 1.0), -0.5); }

Tail tail_of(int count, auto value_at) {
  Tail tail;
  for (int at = 1; at <= count; ++at) tail.keep(value_at(at));
  return tail;
}

}  // namespace

TEST_CASE("the rarity of a power law's values is found, also beyond the largest seen") {
  const auto tail = tail_of(4000, power_law);
  CHECK(tail.surprise(5) == 0);
  for (const double decades : {2.0, 3.0, 4.0, 6.0}) {
    CAPTURE(decades);
    CHECK(tail.surprise(std::pow(10, decades / 2)) == doctest::Approx(decades).epsilon(0.1));
  }
}

TEST_CASE("it does not matter in which unit a value is given") {
  const auto one = tail_of(3000, power_law);
  const auto other = tail_of(3000, [](int at) { return power_law(at) * 1e-200; });
  CHECK(other.surprise(50e-200) == doctest::Approx(one.surprise(50)));
  CHECK(std::isfinite(other.surprise(1e300)));
}

TEST_CASE("too few values, equal ones and zeros prove little") {
  CHECK(tail_of(63, power_law).surprise(1e9) == 0);
  const auto equal = tail_of(500, [](int) { return 3.0; });
  CHECK(equal.surprise(3) == 0);
  CHECK(equal.surprise(3.0001) < 2);
  const auto zeros = tail_of(1000, [](int at) { return at == 500 ? 4.0 : 0.0; });
  CHECK(zeros.surprise(0) == 0);
  CHECK(zeros.surprise(4) == doctest::Approx(3));
  CHECK(zeros.surprise(5) == doctest::Approx(std::log10(2000)));
}

TEST_CASE("what was usual long ago is forgotten") {
  Tail tail;
  for (int at = 1; at <= 3000; ++at) tail.keep(1000 * power_law(at));
  for (int at = 1; at <= 500; ++at) tail.keep(power_law(at));
  CHECK(tail.surprise(100) == 0);
  for (int at = 1; at <= 25'000; ++at) tail.keep(power_law(at));
  CHECK(tail.surprise(100) > 3);
}

TEST_CASE("a state that no values lead to is refused") {
  auto tail = tail_of(1000, power_law);
  auto state = tail.state();
  CHECK(tail.set_state(state));
  state.kept = Tail::top_max + 1;
  CHECK_FALSE(tail.set_state(state));
  state = tail.state();
  std::swap(state.top[0], state.top[5]);
  CHECK_FALSE(tail.set_state(state));
  state = tail.state();
  state.kept = 0;
  CHECK_FALSE(tail.set_state(state));
  state = tail.state();
  state.seen = Tail::seen_max;
  CHECK_FALSE(tail.set_state(state));
}
