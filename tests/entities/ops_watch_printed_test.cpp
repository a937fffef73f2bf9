// A watch whose program prints what an analyser reads: the journal, as kinds of messages.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/logs/look_at_logs.hpp"
#include "entities/ops/watch_plan.hpp"

namespace {

using namespace vigil;
using namespace vigil::entities;

constexpr std::int64_t noon_us = 1'780'000'000'000'000;

std::string journal_line(std::int64_t second, std::string_view priority, std::string_view text) {
  return vigil::to_text(
             json::value{{"__REALTIME_TIMESTAMP", fmt::format("{}", noon_us + second * 1'000'000)},
                         {"PRIORITY", priority},
                         {"SYSLOG_IDENTIFIER", "app"},
                         {"MESSAGE", text}}) +
         "\n";
}

double reading(const json::value& result, std::string_view name, std::string_view severity = {}) {
  for (const auto& one : result.at("readings").as_array()) {
    if (one.at("name").as_string() != name) continue;
    if (severity.empty() || one.at("labels").at("severity").as_string() == severity) {
      return one.at("value").to_number<double>();
    }
  }
  return -1;
}

ops::Watch journal_watch() {
  config::OpsWatch settings;
  settings.name = "journal";
  settings.argv = {"journalctl", "--output=json", "--since=-2h"};
  settings.analyser = "ops.logs";
  settings.input = {{"window", "5m"}};
  auto watch = ops::make_watch(settings);
  REQUIRE(watch);
  return *watch;
}

TEST_CASE("what the program of a watch prints goes to its analyser, with the input") {
  const auto plan = ops::plan_of(journal_watch(), {}, "watch journal 1");
  REQUIRE(plan.tasks.size() == 2);
  CHECK(plan.tasks[0].argv.front() == "journalctl");
  CHECK(plan.tasks[1].builtin == "ops.logs");
  CHECK(plan.tasks[1].needs == std::vector<std::string>{plan.tasks[0].name});
  CHECK(plan.tasks[1].input.at("window").as_string() == "5m");
}

TEST_CASE("an analyser that there is not is refused also when a program prints for it") {
  config::OpsWatch settings;
  settings.argv = {"journalctl"};
  settings.analyser = "ops.journey";
  CHECK_FALSE(ops::make_watch(settings));
}

TEST_CASE("the journal a program printed is grouped, and a new error is told") {
  std::string printed;
  for (int minute = 0; minute < 60; ++minute) {
    printed += journal_line(minute * 60, "6", fmt::format("request {} done", minute));
  }
  printed += journal_line(3590, "3", "disk sdb lost");
  Request request;
  request.input = {{"window", "5m"}};
  request.inputs["look"] = printed;
  const auto result = logs::look_at_logs(request);
  REQUIRE(result);
  CHECK(reading(*result, "log.kinds") == 2);
  CHECK(reading(*result, "log.new") == 1);
  CHECK(reading(*result, "log.unlike", "error") == 1);
}

TEST_CASE("a journal of one entry, or of none, is read as well") {
  Request request;
  request.input = json::object{};
  request.inputs["look"] = *parse_json(journal_line(0, "6", "started"));
  const auto one = logs::look_at_logs(request);
  REQUIRE(one);
  CHECK(reading(*one, "log.kinds") == 1);
  request.inputs["look"] = "";
  const auto none = logs::look_at_logs(request);
  REQUIRE(none);
  CHECK(reading(*none, "log.kinds") == 0);
}

TEST_CASE("a program that failed could not look, whatever it printed") {
  swarm::Report report;
  swarm::TaskOutcome look;
  look.name = "look";
  look.state = swarm::TaskState::done;
  look.exit_code = 1;
  swarm::TaskOutcome read = look;
  read.name = "readings";
  read.exit_code = 0;
  read.result = json::object{{"readings", json::array{}}};
  report.tasks = {look, read};
  CHECK_FALSE(ops::look_of(journal_watch(), report));
  report.tasks[0].exit_code = 0;
  CHECK(ops::look_of(journal_watch(), report));
  report.tasks[1].result = json::object{{"attacks", 1}};
  CHECK_FALSE(ops::look_of(journal_watch(), report));
}

}  // namespace
