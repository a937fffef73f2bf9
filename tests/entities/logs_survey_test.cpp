#include <doctest/doctest.h>
#include <fmt/format.h>

#include "entities/logs/survey.hpp"

using namespace vigil;
using namespace vigil::entities::logs;
using namespace std::chrono_literals;

namespace {

const TimePoint now = parse_rfc3339("2026-11-24T12:00:00Z").value();

}  // namespace

TEST_CASE("what is usual comes from the past: bursts are, first times and silences are not") {
  using Counts = std::vector<std::uint32_t>;
  CHECK(compare({}, 9).unlike == Unlike::nothing);
  CHECK(compare(Counts(5, 0), 1).unlike == Unlike::nothing);  // too short a past
  CHECK(compare(Counts(6, 0), 1).unlike == Unlike::fresh);
  CHECK(compare(Counts(20, 10), 17).unlike == Unlike::nothing);
  CHECK(compare(Counts(20, 10), 60).unlike == Unlike::more);
  CHECK(compare({1, 0, 2, 50, 1, 0, 2, 48, 1, 0}, 55).unlike == Unlike::nothing);
  CHECK(compare({1, 0, 2, 50, 1, 0, 2, 48, 1, 0}, 300).unlike == Unlike::more);
  CHECK(compare(Counts(12, 8), 0).unlike == Unlike::silent);
  CHECK(compare(Counts(12, 3), 0).unlike == Unlike::nothing);
  CHECK(compare({8, 8, 8, 8, 0, 8, 8, 8, 8, 8, 8, 8}, 0).unlike == Unlike::nothing);
}

TEST_CASE("in a day of a service the new error, the flood and the silence are found") {
  std::string log;
  for (int minute = 0; minute < 24 * 60; ++minute) {
    const auto at = to_rfc3339(now - 24h + std::chrono::minutes{minute});
    const bool last = minute >= 24 * 60 - 10;
    for (int i = 0; i < (last ? 40 : 2); ++i) {
      log += fmt::format("{} web1 api[12]: request {} took {} ms\n", at, minute * 40 + i, i * 7);
    }
    if (!last) log += fmt::format("{} web1 cron[3]: job {} is done\n", at, minute);
  }
  log += to_rfc3339(now) + " web1 api[12]: [error] cannot reach database db7\n";
  log += "    at main.c:12\nCaused by: refused\n\n";
  Surveyor surveyor(10min, now);
  for (std::size_t at = 0; at < log.size();) {
    const auto end = log.find('\n', at);
    surveyor.take(std::string_view(log).substr(at, end - at));
    at = end + 1;
  }
  const auto found = std::move(surveyor).end();
  CHECK(found.continued == 2);
  CHECK(found.stretches == 143);
  REQUIRE(found.kinds.size() == 3);
  CHECK(found.kinds[0].text == "cannot reach database db<number>");
  CHECK(found.kinds[0].unlike == Unlike::fresh);
  CHECK(found.kinds[0].severity == Severity::error);
  CHECK(found.kinds[1].unlike == Unlike::more);
  CHECK(found.kinds[1].usual == 20);
  CHECK(found.kinds[2].unlike == Unlike::silent);
  CHECK(found.kinds[2].text == "job <number> is done");
}

TEST_CASE("records of JSON say when, how bad and what") {
  const auto journal = read_record(
      R"({"__REALTIME_TIMESTAMP":"1732449600000000","PRIORITY":"3","SYSLOG_IDENTIFIER":"sshd",)"
      R"("_HOSTNAME":"h","MESSAGE":"error: maximum authentication attempts"})",
      now);
  REQUIRE(journal);
  CHECK(journal->severity == Severity::error);
  CHECK(journal->program == "sshd");
  CHECK(to_rfc3339(journal->at.value()) == "2024-11-24T12:00:00.000Z");
  const auto app = read_record(R"({"ts":1732449600.5,"level":"WARN","msg":"slow"})", now);
  REQUIRE(app);
  CHECK(app->severity == Severity::warning);
  CHECK(to_rfc3339(app->at.value()) == "2024-11-24T12:00:00.500Z");
  // Broken JSON is a line like any other; a blank line is none.
  CHECK(read_record(R"({"msg": )", now)->message == R"({"msg":)");
  CHECK_FALSE(read_record("", now));
  CHECK_FALSE(read_record("\tat x", now));
  const auto hdfs = read_record("081109 203615 148 INFO dfs.DataNode: Received block 1", now);
  CHECK(hdfs->severity == Severity::info);
  CHECK(hdfs->message == "Received block 1");
}
