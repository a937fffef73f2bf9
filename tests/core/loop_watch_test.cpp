#include "core/loop_watch.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <vector>

using namespace vigil;
using namespace std::chrono_literals;
namespace asio = boost::asio;

namespace {

// Holds whoever runs it, by computing.
void compute_for(std::chrono::milliseconds time) {
  const auto until = std::chrono::steady_clock::now() + time;
  while (std::chrono::steady_clock::now() < until) {
  }
}

}  // namespace

TEST_CASE("a handler that holds the loop is noticed and counted") {
  asio::io_context loop(1);
  std::vector<Duration> held;
  LoopWatch watch(50ms, [&](Duration took) { held.push_back(took); });
  asio::post(loop, [] {});
  asio::post(loop, [] { compute_for(60ms); });
  asio::post(loop, [] {});
  watch.run(loop);
  REQUIRE(held.size() >= 1);
  CHECK(*std::ranges::max_element(held) >= 60ms);
  CHECK(watch.counts().held == held.size());
  CHECK(watch.counts().longest >= 60ms);
  CHECK(watch.counts().held_for >= 60ms);
}

TEST_CASE("waiting is not holding: it takes no processor time") {
  asio::io_context loop(1);
  int held = 0;
  LoopWatch watch(200ms, [&](Duration) { ++held; });
  asio::steady_timer timer(loop, 250ms);
  timer.async_wait([](auto) {});
  watch.run(loop);
  CHECK(held == 0);
}

TEST_CASE("the loop ends when nothing is left, and when it is stopped") {
  asio::io_context loop(1);
  LoopWatch watch(1s, [](Duration) {});
  watch.run(loop);
  loop.restart();
  asio::steady_timer never(loop, 24h);
  never.async_wait([](auto) {});
  asio::post(loop, [&] { loop.stop(); });
  watch.run(loop);
  CHECK(loop.stopped());
}
