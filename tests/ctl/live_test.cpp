#include "ctl/live.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "ctl/screen.hpp"

using namespace vigil;
using namespace vigil::ctl;
using namespace std::chrono_literals;

namespace {

const TimePoint begin = *parse_rfc3339("2026-11-23T10:00:00Z");

Style style_at(Duration after, int width) {
  return {.color = false, .width = width, .now = begin + after};
}

json::value news(std::string_view task, std::string_view state, Duration at, Duration took = 0s,
                 int attempt = 1) {
  return {{"topic", "task"},
          {"task", task},
          {"state", state},
          {"attempt", attempt},
          {"took_us", took.count()},
          {"at", to_rfc3339(begin + at)},
          {"note", ""}};
}

json::value swarm_of(int tasks) {
  json::array list;
  for (int i = 0; i < tasks; ++i) {
    list.push_back({{"name", fmt::format("t{}", i)}, {"state", "waiting"}});
  }
  return json::object{{"id", 5},
                      {"state", "running"},
                      {"title", "count"},
                      {"started", to_rfc3339(begin)},
                      {"tasks", std::move(list)}};
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const auto& line : lines) out += line + "\n";
  return out;
}

}  // namespace

TEST_CASE("what runs has a bar: by what it says, or by what its like took") {
  LiveSwarm live(swarm_of(6));
  live.take(news("t0", "running", 0s), begin);
  live.take(news("t0", "done", 2s, 2s), begin);
  live.take(news("t1", "running", 1s), begin);
  live.take(news("t2", "running", 3s, 0s, 2), begin);
  auto said = news("t2", "running", 3s, 0s, 2);
  said.as_object()["fraction"] = 0.25;
  said.as_object()["note"] = "reads \033[2Jfiles";
  live.take(said, begin);
  live.take(news("t3", "running", 3s), begin);
  live.take(news("t3", "failed", 4s, 1s), begin);
  CHECK("\n" + joined(live.frame(style_at(4s, 80), 24)) == R"(
count  ██████············  1/6 done, 2 running, 1 failed, 4.0s, 1.8 side by side
✓ t0  done                       2.0s
✗ t3  failed                     1.0s
▸ t1  ███████████████▎  ~95 %    3.0s
▸ t2  ████············   25 %    1.0s #2 reads \x1b[2Jfiles
and 2 waiting
)");
}

TEST_CASE("ten thousand tasks are few lines, and no line is too wide") {
  LiveSwarm live(swarm_of(10'000));
  for (int i = 0; i < 300; ++i) {
    live.take(news(fmt::format("t{}", i), "running", 0s), begin);
    if (i < 100) live.take(news(fmt::format("t{}", i), "done", 1s, 1s), begin);
  }
  for (const int height : {1, 4, 10, 24, 60}) {
    for (const int width : {20, 40, 80, 200}) {
      const auto lines = live.frame(style_at(3s, width), height);
      CHECK(lines.size() <= static_cast<std::size_t>(std::max(height, 3)));
      for (const auto& line : lines) {
        CAPTURE(line);
        CHECK(display_width(line) <= static_cast<std::size_t>(width));
      }
    }
  }
  const auto lines = live.frame(style_at(3s, 80), 12);
  CHECK(lines.back() == "and 193 more running, 9700 waiting");
}

TEST_CASE("old news change nothing, and another attempt starts anew") {
  LiveSwarm live(swarm_of(1));
  live.take(news("t0", "running", 0s), begin);
  live.take(news("t0", "done", 2s, 2s), begin);
  live.take(news("t0", "running", 0s), begin);
  CHECK(joined(live.frame(style_at(2s, 80), 9)).find("1/1 done, 0 running") != std::string::npos);
  live.take(news("t0", "running", 3s, 0s, 2), begin);
  const auto again = joined(live.frame(style_at(4s, 80), 9));
  CHECK(again.find("0/1 done, 1 running") != std::string::npos);
  CHECK(again.find("1.0s #2") != std::string::npos);
}

TEST_CASE("spawned tasks are counted when they are heard of") {
  LiveSwarm live(swarm_of(1));
  live.take(news("t0/日本", "running", 0s), begin);
  const auto lines = live.frame(style_at(1s, 60), 9);
  CHECK(lines[0].find("0/2 done, 1 running") != std::string::npos);
  CHECK(lines[1].find("▸ t0/日本  ") == 0);
  // Fetched again, nothing is counted twice.
  live.take_all(swarm_of(1));
  CHECK(live.frame(style_at(1s, 60), 9)[0].find("0/1 done, 0 running") != std::string::npos);
}

TEST_CASE("a frame is drawn over the one before, also when the terminal became narrower") {
  CHECK(redrawing({}, {"a"}, 80) ==
        "\033[?2026h\033[?25l\033[?7l\ra\033[K\n\033[J\033[?7h\033[?2026l");
  const auto twice = redrawing({"one", std::string(100, 'x')}, {"a", "b"}, 80);
  CHECK(twice.find("\r\033[3Aa\033[K\nb\033[K\n") != std::string::npos);
}
