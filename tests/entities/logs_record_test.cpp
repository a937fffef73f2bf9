// Records of logs, in the forms that loggers, journals and containers write.
#include <doctest/doctest.h>

#include "entities/logs/record.hpp"

using namespace vigil;
using namespace vigil::entities::logs;

namespace {

struct Case {
  std::string_view line;
  std::string_view at;  // empty: it does not say
  Severity severity;
  std::string_view program;
  std::string_view message;
};

}  // namespace

TEST_CASE("lines of loggers are taken apart") {
  constexpr auto other = Severity::other;
  constexpr auto info = Severity::info;
  constexpr auto warning = Severity::warning;
  constexpr auto error = Severity::error;
  const Case cases[] = {
      {"E1123 09:10:11.123456   12345 controller.go:114] \"Failed\" err=\"x\"",
       "2026-11-23T09:10:11.123Z", error, "", "\"Failed\" err=\"x\""},
      {"I0102 15:04:05.000000       1 server.go:123] Serving on 8080", "2026-01-02T15:04:05.000Z",
       info, "", "Serving on 8080"},
      {"2026-11-24T10:00:00.123456789Z stderr F W1124 10:00:01.0 1 a.go:5] inner",
       "2026-11-24T10:00:01.000Z", warning, "", "inner"},
      {"2026-11-24T10:00:00.5Z stdout F plain", "2026-11-24T10:00:00.500Z", other, "", "plain"},
      {"web_1  | 2026-11-24T10:00:00Z INFO started", "2026-11-24T10:00:00.000Z", info, "web_1",
       "started"},
      {"<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - %% It's time",
       "2003-08-24T12:14:15.000Z", other, "myproc", "%% It's time"},
      {"<34>Oct 11 22:14:15 mymachine su: 'su root' failed", "2026-10-11T22:14:15.000Z", other,
       "su", "'su root' failed"},
      {"2026-11-24 10:00:00,123 - my.module - ERROR - it broke", "2026-11-24T10:00:00.123Z", error,
       "", "it broke"},
      {"ERROR:root:it broke", "", error, "root", "it broke"},
      {"2026-11-24 10:00:00.123  INFO 12345 --- [main] c.e.Application : Started in 2 s",
       "2026-11-24T10:00:00.123Z", info, "", "Started in 2 s"},
      {"2026-11-24 10:00:00.123 UTC [123] app@db ERROR:  no such relation",
       "2026-11-24T10:00:00.123Z", error, "", "no such relation"},
      {"time=\"2026-11-24T10:00:00Z\" level=error msg=\"say \\\"no\\\"\" image=x",
       "2026-11-24T10:00:00.000Z", error, "", "say \"no\""},
      {"[2026-11-24 10:00:00] production.ERROR: It broke", "2026-11-24T10:00:00.000Z", error,
       "production.ERROR", "It broke"},
      {"[    1.234567] usb 1-1: new device", "", other, "", "usb 1-1: new device"},
      {"11-23 16:13:38.811  1702  2395 D WindowManager: set", "2026-11-23T16:13:38.811Z", other, "",
       "1702  2395 D WindowManager: set"},
      {"just a line = msg", "", other, "", "just a line = msg"},
  };
  const auto now = parse_rfc3339("2026-11-24T12:00:00Z").value();
  for (const auto& one : cases) {
    CAPTURE(one.line);
    const auto record = read_record(one.line, now);
    REQUIRE(record);
    CHECK((record->at ? to_rfc3339(*record->at) : "") == one.at);
    CHECK(to_text(record->severity) == to_text(one.severity));
    CHECK(record->program == one.program);
    CHECK(record->message == one.message);
  }
}

TEST_CASE("lines of JSON are read by the names that journals and loggers use") {
  const auto now = parse_rfc3339("2026-11-24T12:00:00Z").value();
  const auto record = [&](std::string_view line) {
    auto out = read_record(line, now);
    REQUIRE(out);
    return *out;
  };
  auto one = record(
      R"({"log":"E1123 09:10:11.1 1 a.go:5] boom\n","stream":"stderr","time":"2026-11-24T10:00:00Z"})");
  CHECK(one.message == "boom");
  CHECK(one.severity == Severity::error);
  CHECK(record(R"({"log":"hi\n","stream":"stderr","time":"2026-11-24T10:00:00Z"})").at ==
        parse_rfc3339("2026-11-24T10:00:00Z").value());
  one = record(R"({"MESSAGE":[104,105],"PRIORITY":"4","SYSLOG_IDENTIFIER":"x","_PID":"7"})");
  CHECK(one.message == "hi");
  CHECK(one.severity == Severity::warning);
  CHECK(one.process == "7");
  one = record(R"({"level":50,"time":1767323040500,"msg":"pino"})");
  CHECK(one.severity == Severity::error);
  CHECK(to_rfc3339(*one.at) == "2026-01-02T03:04:00.500Z");
  one = record(R"({"@timestamp":"2026-11-24T10:00:00Z","log":{"level":"ERROR"},"message":"ecs"})");
  CHECK(one.severity == Severity::error);
  CHECK(record("{not json").message == "{not json");
}

TEST_CASE("lines of any bytes are some record, or none") {
  const auto now = parse_rfc3339("2026-11-24T12:00:00Z").value();
  for (const std::string& line :
       {std::string(), std::string(" "), std::string("I"), std::string("I0102"), std::string("|"),
        std::string("a | "), std::string("="), std::string("msg=\""), std::string("msg=\"\\"),
        std::string("2026-11-24T10:00:00Z stdout F "), std::string(" --- ["), std::string("["),
        std::string("[1.5]"), std::string("{\"MESSAGE\":[300]}"), std::string("{\"msg\":\"\\n\"}"),
        std::string(100'000, '{'), std::string(100'000, '='), std::string(50, '\0'),
        std::string("\xff\xfe msg=\xff level=\xff")}) {
    CAPTURE(line.substr(0, 30));
    const auto record = read_record(line, now);
    if (record) CHECK_FALSE(record->message.empty());
  }
}
