#include "entities/market/candles.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities::market;

namespace {

Result<CandleFile> read_file(const std::string& name) {
  std::ifstream in(source_dir() + "/../shared/data/market/ohlcv/" + name, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return read_candles(out.str());
}

std::string day(const Bar& bar) { return to_rfc3339(bar.at).substr(0, 10); }

}  // namespace

TEST_CASE("files of candles in several spellings") {
  if (!std::filesystem::exists(source_dir() + "/../shared/data/market/ohlcv")) {
    MESSAGE("skipped: the shared files of candles are not there");
    return;
  }
  struct Case {
    const char* name;
    std::size_t bars, bad;
    const char *first, *last, *last_close;
  };
  for (const auto& one :
       {Case{"default.csv", 502, 0, "2017-01-03", "2018-12-31", "245.28"},
        Case{"bad.csv", 389, 113, "2017-01-03", "2018-12-31", "245.28"},
        Case{"penny.csv", 533, 0, "2018-12-21", "2021-02-03", "2.98"},
        Case{"bitcoin.csv", 1246, 0, "2017-08-16", "2021-01-12", "37371.38"},
        Case{"toobig.csv", 1246, 0, "2017-08-16", "2021-01-12", "374175175057530"},
        Case{"zeros.csv", 200, 0, "2017-01-03", "2017-10-17", "0"}}) {
    CAPTURE(one.name);
    const auto file = read_file(one.name);
    REQUIRE(file.has_value());
    CHECK(file->bars.size() == one.bars);
    CHECK(file->bad_count == one.bad);
    CHECK(day(file->bars.front()) == one.first);
    CHECK(day(file->bars.back()) == one.last);
    CHECK(file->bars.back().close.text() == one.last_close);
    CHECK(file->bars.front().interval == std::chrono::days{1});
  }
  const auto bad = read_file("bad.csv");
  CHECK(bad->bad.front().line == 202);
  CHECK(bad->bad.front().why == "it has no date");
}

TEST_CASE("headings, separators and dates that people use") {
  struct Case {
    const char* text;
    const char *at, *close;
  };
  for (const auto& one :
       {Case{"Date;Open;High;Low;Close\n31.01.2026;1;3;1;2\n", "2026-01-31T00:00:00.000Z", "2"},
        Case{"timestamp\topen\thigh\tlow\tclose\n1767225600\t1\t3\t1\t2.50\n",
             "2026-01-01T00:00:00.000Z", "2.5"},
        Case{"open_time,o,h,l,c,v\n1767225600000,1,3,1,2,7\n", "2026-01-01T00:00:00.000Z", "2"},
        Case{"<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>\n2026-01-02,09:30,1,3,1,2,5\n",
             "2026-01-02T09:30:00.000Z", "2"},
        Case{"Date,Close/Last,Volume\n01/30/2026,$242.50,5\n", "2026-01-30T00:00:00.000Z", "242.5"},
        Case{"time,close,adj close\n2026-01-02T10:00:00+01:00,2,1\n", "2026-01-02T09:00:00.000Z",
             "2"}}) {
    CAPTURE(one.text);
    const auto file = read_candles(one.text);
    REQUIRE(file.has_value());
    REQUIRE(file->bars.size() == 1);
    CHECK(to_rfc3339(file->bars[0].at) == one.at);
    CHECK(file->bars[0].close.text() == one.close);
  }
}

TEST_CASE("a file that cannot be meant is refused, a row that cannot is named and left out") {
  CHECK(read_candles("").error().message == "the file is empty");
  CHECK(read_candles("a,b\n1,2\n").error().message.starts_with("line 1: expected a heading"));
  CHECK(read_candles("date,close\n01/02/2026,3\n").error().message.find("2026-01-31") !=
        std::string::npos);
  CHECK(!read_candles("date,close\n").has_value());
  CHECK(read_candles("date,close\n2026-01-02,x\n").error().message.find("line 2") !=
        std::string::npos);
  const auto file = read_candles(
      "date,open,high,low,close\n2026-01-02,1,2,1,2\n2026-01-02,1,2,1,2\n2026-01-03,5,2,1,2\n"
      "2026-01-01,1,2,1\n2026-02-30,1,2,1,2\n2025-12-31,1,2,1,2\n");
  REQUIRE(file.has_value());
  CHECK(file->bars.size() == 2);
  CHECK(!file->sorted);
  REQUIRE(file->bad.size() == 4);
  CHECK(file->bad[0].line == 3);
  CHECK(file->bad[1].why == "open or close lie outside of low and high");
  CHECK(file->bad[2].why == "close is missing");
  CHECK(file->bad[3].line == 6);
  CHECK(day(file->bars.front()) == "2025-12-31");
}
