// What ops.logs knew is kept for its next run.
#include <fmt/format.h>
#include <unistd.h>

#include <doctest/doctest.h>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>

#include "entities/logs/look_at_logs.hpp"
#include "entities/logs/survey.hpp"

using namespace vigil;
using namespace vigil::entities::logs;
using namespace std::chrono_literals;

namespace {

const TimePoint noon = parse_rfc3339("2026-11-24T12:00:00Z").value();

void take_minutes(Surveyor& surveyor, TimePoint from, TimePoint to, int requests, bool jobs) {
  for (auto at = from; at < to; at += 1min) {
    for (int i = 0; i < requests; ++i) {
      surveyor.take(fmt::format("{} web1 api[12]: request {} is done", to_rfc3339(at), i));
    }
    if (jobs) surveyor.take(fmt::format("{} web1 cron[3]: job 7 is done", to_rfc3339(at)));
  }
}

const Kind* kind_of(const Survey& survey, std::string_view text) {
  const auto found = std::ranges::find(survey.kinds, text, &Kind::text);
  return found == survey.kinds.end() ? nullptr : &*found;
}

// Of four hours, with an error at its begin.
json::value kept_of_the_morning() {
  Surveyor surveyor(10min, noon);
  surveyor.take(to_rfc3339(noon - 4h) + " web1 api[12]: [error] cannot reach database db7");
  take_minutes(surveyor, noon - 4h, noon, 2, true);
  return parse_json(to_text(json::value(surveyor.to_keep()))).value();
}

class File {
 public:
  explicit File(std::string_view name)
      : path_(std::filesystem::temp_directory_path() /
              fmt::format("vigil-logs-{}-{}", ::getpid(), name)) {}
  ~File() { std::filesystem::remove(path_); }
  std::string name() const { return path_.string(); }
  void write(std::string_view text) const { std::ofstream(path_) << text; }
  std::string read() const {
    std::ifstream in(path_);
    return {std::istreambuf_iterator<char>(in), {}};
  }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("after a log was rotated what is usual is still known") {
  Surveyor surveyor(10min, noon + 20min);
  surveyor.load(kept_of_the_morning());
  take_minutes(surveyor, noon, noon + 10min, 2, true);
  take_minutes(surveyor, noon + 10min, noon + 20min, 40, false);
  surveyor.take(to_rfc3339(noon + 20min) + " web1 api[12]: [error] cannot reach database db8");
  surveyor.take(to_rfc3339(noon + 20min) + " web1 api[12]: [error] disk is full");
  const auto kept = surveyor.to_keep();
  const auto found = std::move(surveyor).end();
  CHECK(found.stretches > 20);
  REQUIRE(kind_of(found, "cannot reach database db<number>") != nullptr);
  CHECK(kind_of(found, "cannot reach database db<number>")->unlike == Unlike::nothing);
  CHECK(kind_of(found, "disk is full")->unlike == Unlike::fresh);
  CHECK(kind_of(found, "request <number> is done")->unlike == Unlike::more);
  REQUIRE(kind_of(found, "job <number> is done") != nullptr);
  CHECK(kind_of(found, "job <number> is done")->unlike == Unlike::silent);
  // The past grows from run to run.
  CHECK(find_integer(json::value(kept), "stretches").value() > 20);
}

TEST_CASE(
    "a kind that only an earlier log had is told when it is silent, and not when it is rare") {
  Surveyor surveyor(10min, noon + 20min);
  surveyor.load(kept_of_the_morning());
  take_minutes(surveyor, noon, noon + 20min, 2, false);
  const auto found = std::move(surveyor).end();
  CHECK(kind_of(found, "cannot reach database db<number>") == nullptr);
  CHECK(kind_of(found, "request <number> is done")->unlike == Unlike::nothing);
}

TEST_CASE("what was kept before a gap, or of stretches of another length, tells the kinds alone") {
  Surveyor late(10min, noon + 20h);
  late.load(kept_of_the_morning());
  take_minutes(late, noon + 19h, noon + 20h, 2, true);
  CHECK(std::move(late).end().stretches < 6);
  Surveyor other(5min, noon + 20min);
  other.load(kept_of_the_morning());
  take_minutes(other, noon, noon + 60min, 2, true);
  other.take(to_rfc3339(noon + 60min) + " web1 api[12]: [error] cannot reach database db8");
  const auto found = std::move(other).end();
  CHECK(found.stretches < 13);
  CHECK(kind_of(found, "cannot reach database db<number>")->unlike == Unlike::nothing);
}

TEST_CASE("a kept state of any shape is taken for what it is") {
  for (const auto* text :
       {"null", "[]", "{}", R"({"version": 2, "kinds": []})", R"({"version": 1, "kinds": 7})",
        R"({"version": 1, "kinds": [1, {"id": 3}], "end": "x", "window_us": 600000000})",
        R"({"version": 1, "window_us": 600000000, "end": "2026-11-24T12:00:00Z", "stretches": -5,
            "messages": {"error": [-1, "x", 99999999999999]},
            "kinds": [{"id": 1, "lines": 2, "tokens": ["a"], "counts": {"x": 1}},
                      {"id": 2, "lines": 2, "tokens": ["b"], "counts": [-7, 1e300]}]})",
        R"({"version": 1, "window_us": 600000000, "end": "2026-11-24T12:00:00Z",
            "stretches": 9999999999999, "kinds": []})"}) {
    CAPTURE(text);
    Surveyor surveyor(10min, noon);
    surveyor.load(parse_json(text).value());
    take_minutes(surveyor, noon, noon + 30min, 1, true);
    CHECK(surveyor.to_keep()["kinds"].as_array().size() >= 2);
    CHECK(std::move(surveyor).end().messages == 60);
  }
}

TEST_CASE("the analyser goes on with its file, and leaves one that is not its own") {
  const File log("log");
  const File state("state");
  std::string lines;
  for (int i = 0; i < 30; ++i)
    lines += fmt::format("2026-11-24T12:{:02}:00Z h a[1]: ok {}\n", i, i);
  log.write(lines);
  entities::Request request;
  request.input =
      json::object{{"files", json::array{log.name()}}, {"state", state.name()}, {"window", "1m"}};
  REQUIRE(look_at_logs(request));
  CHECK(find_integer(parse_json(state.read()).value(), "version") == 1);
  log.write("2026-11-24T12:30:00Z h a[1]: ok 30\n2026-11-24T12:30:00Z h a[1]: never seen\n");
  const auto result = look_at_logs(request);
  REQUIRE(result);
  CHECK(find_text(*result, "kinds.0.kind") == "never seen");
  CHECK(find_text(*result, "kinds.0.unlike") == "new");
  CHECK(to_text(*result).contains("log.error_share"));
  CHECK(find_path(*result, "kinds")->as_array().size() == 2);
  state.write("my notes");
  const auto refused = look_at_logs(request);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().message.contains("ops.logs"));
  CHECK(state.read() == "my notes");
  request.input.as_object()["state"] = "/nonexistent/folder/state";
  CHECK(look_at_logs(request).error().message.contains("folder"));
}
