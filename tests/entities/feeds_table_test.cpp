// Rows of CSV and JSON as quotes, bars and plain records.
#include <doctest/doctest.h>

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "entities/feeds/table.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities::feeds;

namespace {

TableForm form(const char* json) {
  const auto read = read_table_form(parse_json(json).value());
  REQUIRE_MESSAGE(read, read.error().message);
  return *read;
}

Items rows(std::string_view document, const char* json) {
  const auto items = read_table(document, form(json));
  REQUIRE_MESSAGE(items, items.error().message);
  return *items;
}

std::string error_of(std::string_view document, const char* json) {
  const auto items = read_table(document, form(json));
  return items ? "" : items.error().message;
}

}  // namespace

TEST_CASE("numbers keep their digits, whatever stands between the thousands") {
  const struct {
    const char* text;
    bool comma;
    const char* number;  // nullptr: refused
  } cases[] = {
      {"0.1000000000000000055", false, nullptr},  // 19 places: no price is so exact
      {"0.100000000000000055", false, "0.100000000000000055"},
      {"1,234.50", false, "1234.5"},
      {"1,234,567", false, "1234567"},
      {"1,23", false, nullptr},
      {"1.234,50", true, "1234.5"},
      {"1.234", true, "1234"},
      {"1.23", true, nullptr},
      {"-0,5", true, "-0.5"},
      {"1 234,5", true, "1234.5"},
      {"1'234.5", false, "1234.5"},
      {"1.940E-8", false, "0.0000000194"},
      {"n/a", false, nullptr},
      {"", false, nullptr},
      {",5", false, nullptr},
      {"$5", false, nullptr},
  };
  for (const auto& one : cases) {
    CAPTURE(one.text);
    const auto number = exact_number(one.text, one.comma);
    REQUIRE(number.has_value() == (one.number != nullptr));
    if (number) CHECK(*number == one.number);
  }
}

TEST_CASE("times are recognised, or read by their form, in their zone") {
  const auto at = [](const char* text, const char* format = "", const char* tz = "UTC") {
    const auto time = row_time(text, format, tz);
    return time ? to_rfc3339(*time) : "no: " + time.error().message;
  };
  CHECK(at("1672515782") == "2022-12-31T19:43:02.000Z");
  CHECK(at("1672515782136") == "2022-12-31T19:43:02.136Z");
  CHECK(at("1672515782136000") == "2022-12-31T19:43:02.136Z");
  CHECK(at("1672515782136000000") == "2022-12-31T19:43:02.136Z");
  CHECK(at("2026-01-31") == "2026-01-31T00:00:00.000Z");
  CHECK(at("31.01.2026 09:30", "%d.%m.%Y %H:%M", "Europe/Berlin") == "2026-01-31T08:30:00.000Z");
  CHECK(at("2026-07-01 09:30", "", "America/New_York") == "2026-07-01T13:30:00.000Z");
  CHECK(at("2026-07-01T09:30:00Z", "", "America/New_York") == "2026-07-01T09:30:00.000Z");
  CHECK(at("1/2/2017").find("time_format") != std::string::npos);  // whose month is it?
  CHECK(at("1/2/2017", "%m/%d/%Y") == "2017-01-02T00:00:00.000Z");
  CHECK(at("x", "%Y").find("no time of the form") != std::string::npos);
}

TEST_CASE("bars and quotes out of CSV, with exact prices and what else was asked for") {
  const auto bars = rows("Date;O;H;L;C;V\n2026-01-30;1,5;2;1;1,10;1.000\n\n2026-01-31;1;1;1;1;0\n",
                         R"({"delimiter": ";", "decimal_comma": true, "symbol": "ABC",
    "interval": "1d", "columns": {"time": "Date", "open": "O", "high": "H", "low": "L",
    "close": "C", "volume": "V"}})");
  REQUIRE(bars.all.size() == 2);
  CHECK(bars.all[0].type == "market.bar");
  CHECK(bars.all[0].subject == "ABC");
  CHECK(bars.all[0].id == "ABC 2026-01-30T00:00:00.000Z");
  CHECK(find_text(bars.all[0].data, "close") == "1.1");
  CHECK(find_text(bars.all[0].data, "volume") == "1000");
  CHECK(find_text(bars.all[0].data, "interval") == "1d");
  CHECK(find_bool(bars.all[0].data, "closed") == true);
  const auto quotes = rows("\xEF\xBB\xBFname,px,note\nA,0.10,\"x, \"\"y\"\"\"\n",
                           R"({"columns": {"symbol": "name", "price": "px", "remark": "3"}})");
  REQUIRE(quotes.all.size() == 1);
  CHECK(quotes.all[0].type == "market.quote");
  CHECK(find_text(quotes.all[0].data, "last") == "0.1");
  CHECK(find_text(quotes.all[0].data, "remark") == "x, \"y\"");
  const auto plain = rows("1,2\n3,4\n", R"({"header": false, "columns": {"a": "2"}})");
  CHECK(plain.all.size() == 2);
  CHECK(plain.all[0].type.empty());
  CHECK(find_text(plain.all[1].data, "a") == "4");
}

TEST_CASE("rows out of JSON keep digits that a double has not") {
  const auto items = rows(
      R"({"data": {"rows": [{"s": "A", "p": 0.10000000000000001, "t": 1672515782136, "k": "T"},
                           {"s": "B", "p": "7", "t": 1672515782136, "k": "X"}]}})",
      R"({"format": "json", "items": "data.rows", "only": {"k": "T"},
          "columns": {"symbol": "s", "price": "p", "time": "t"}})");
  REQUIRE(items.all.size() == 1);
  CHECK(find_text(items.all[0].data, "last") == "0.10000000000000001");
  CHECK(rows(R"({"s": "A", "p": 1})",
             R"({"format": "json", "columns": {"symbol": "s", "price": "p"}})")
            .all.size() == 1);
}

TEST_CASE("a row that cannot be read is left out with its reason, a wrong mapping is an error") {
  const auto items =
      rows("s,p\nA,1\nB,n/a\nC,\nD,2\n", R"({"columns": {"symbol": "s", "price": "p"}})");
  CHECK(items.all.size() == 2);
  CHECK(items.skipped == 2);
  CHECK(items.problem == "row 3: price: \"n/a\" is no number");
  CHECK(error_of("a,b\n", R"({"columns": {"price": "c"}})").find("there are \"a, b\"") !=
        std::string::npos);
  CHECK(error_of("", R"({"columns": {"price": "c"}})").find("empty") != std::string::npos);
  CHECK(error_of("[", R"({"format": "json", "columns": {"price": "c"}})").find("JSON") !=
        std::string::npos);
  CHECK(error_of("{}", R"({"format": "json", "items": "x", "columns": {"price": "c"}})")
            .find("items") != std::string::npos);
  CHECK(!read_table_form(parse_json("{}").value()));
}

TEST_CASE("a row that says the same has the same digest") {
  const char* json = R"({"columns": {"symbol": "s", "price": "p"}})";
  const auto one = rows("s,p\nA,1.0\n", json).all.at(0);
  CHECK(one.digest == rows("s,p\nA,1.00\n", json).all.at(0).digest);
  CHECK(one.digest != rows("s,p\nA,1.01\n", json).all.at(0).digest);
  CHECK(one.id == "A");
}

TEST_CASE("candles of the shared data are read whole") {
  const auto folder = std::filesystem::path(source_dir()) / "../shared/data/market/ohlcv";
  if (!std::filesystem::exists(folder / "default.csv")) {
    MESSAGE("skipped: the shared data is not here");
    return;
  }
  std::ifstream in(folder / "default.csv", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto first_line = text.substr(0, text.find('\n'));
  CAPTURE(first_line);
  const auto number = [&](const char* name) { return first_line.find(name) != std::string::npos; };
  REQUIRE(number("close"));
  const auto items = rows(text, R"({"symbol": "X", "interval": "1d", "columns": {"time": "date",
      "open": "open", "high": "high", "low": "low", "close": "close", "volume": "volume"}})");
  CHECK(items.skipped == 0);
  CHECK(items.all.size() > 400);
  const struct {
    const char* name;
    const char* time_format;
    std::size_t incomplete = 0;  // rows without a date or a close
  } others[] = {{"bad", "%m/%d/%Y", 101},
                {"bitcoin", ""},
                {"penny", ""},
                {"toobig", "%m/%d/%Y"},
                {"zeros", "%m/%d/%y"}};
  for (const auto& other : others) {
    CAPTURE(other.name);
    std::ifstream file(folder / (std::string(other.name) + ".csv"), std::ios::binary);
    const std::string table{std::istreambuf_iterator<char>(file), {}};
    TableForm bars;
    bars.columns = {{"time", "date"}, {"open", "open"},   {"high", "high"},
                    {"low", "low"},   {"close", "close"}, {"volume", "volume"}};
    bars.symbol = "X";
    bars.interval = "1d";
    bars.time_format = other.time_format;
    const auto read = read_table(table, bars);
    REQUIRE_MESSAGE(read, read.error().message);
    CHECK_MESSAGE(read->skipped == other.incomplete, read->problem);
    CHECK(read->all.size() > 100);
  }
}
