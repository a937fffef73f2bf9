// Indicators against the published outputs of another implementation, and against themselves
// after their state was kept and restored.
#include <doctest/doctest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

#include "core/json.hpp"
#include "entities/market/candles.hpp"
#include "entities/market/zigzag.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities::market;

namespace {

const std::filesystem::path shared = source_dir() + "/../shared/data/market";

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

std::vector<Candle> candles_of(const CandleFile& file) {
  std::vector<Candle> out;
  for (const auto& bar : file.bars) out.push_back(to_candle(bar));
  return out;
}

// Random walks with volumes, from a seed.
std::vector<Candle> made_up(std::size_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> step(0, 1);
  std::vector<Candle> out;
  double close = 100;
  for (std::size_t i = 0; i < count; ++i) {
    Candle one{close, 0, 0, std::max(1.0, close + step(random)), 1000 * std::abs(step(random))};
    one.high = std::max(one.open, one.close) + std::abs(step(random));
    one.low = std::min(one.open, one.close) - std::abs(step(random)) / 2;
    close = one.close;
    out.push_back(one);
  }
  return out;
}

struct Published {
  const char* file;
  const char* indicator;
  std::vector<std::pair<const char*, const char*>> outputs;  // theirs, ours
};

const std::vector<Published> published{
    {"sma", "sma(20)", {{"sma", "sma"}}},
    {"ema", "ema(20)", {{"ema", "ema"}}},
    {"wma", "wma(14)", {{"wma", "wma"}}},
    {"rsi", "rsi(14)", {{"rsi", "rsi"}}},
    {"macd",
     "macd(12,26,9)",
     {{"macd", "macd"},
      {"signal", "signal"},
      {"histogram", "histogram"},
      {"fastEma", "fast"},
      {"slowEma", "slow"}}},
    {"bb",
     "bb(20,2)",
     {{"sma", "sma"},
      {"upperBand", "upper"},
      {"lowerBand", "lower"},
      {"percentB", "percent_b"},
      {"zScore", "z"},
      {"width", "width"}}},
    {"stdev", "stdev(14)", {{"stdDev", "stdev"}, {"mean", "mean"}, {"zScore", "z"}}},
    {"atr", "atr(14)", {{"tr", "range"}, {"atr", "atr"}, {"atrp", "percent"}}},
    {"adx",
     "adx(14)",
     {{"pdi", "pdi"}, {"mdi", "mdi"}, {"dx", "dx"}, {"adx", "adx"}, {"adxr", "adxr"}}},
    {"cci", "cci(20)", {{"cci", "cci"}}},
    {"mfi", "mfi(14)", {{"mfi", "mfi"}}},
    {"obv", "obv", {{"obv", "obv"}}},
    {"roc", "roc(14)", {{"momentum", "momentum"}, {"roc", "roc"}}},
    {"stoch-rsi", "stoch_rsi(14,14,3,1)", {{"stochRsi", "k"}, {"signal", "d"}}},
    {"vwap", "vwap", {{"vwap", "vwap"}}},
    {"donchian",
     "donchian(20)",
     {{"upperBand", "upper"},
      {"centerline", "middle"},
      {"lowerBand", "lower"},
      {"width", "width"}}},
    {"heikinashi",
     "heikin_ashi",
     {{"open", "open"}, {"high", "high"}, {"low", "low"}, {"close", "close"}}},
};

json::value outputs_of(const std::string& name) {
  const auto text = text_of(shared / "indicators/default" / (name + ".standard.json"));
  return parse_json(text).value();
}

double number_at(const json::value& row, std::string_view name) {
  const auto* found = find_path(row, name);
  REQUIRE(found != nullptr);
  return found->is_null() ? unknown : found->to_number<double>();
}

bool same(double ours, double theirs) {
  if (std::isnan(ours) || std::isnan(theirs)) return std::isnan(ours) && std::isnan(theirs);
  return std::abs(ours - theirs) <= 1e-6 * std::max(1.0, std::abs(theirs));
}

}  // namespace

TEST_CASE("indicators give the published outputs to 1e-6, and begin where those begin") {
  if (!std::filesystem::exists(shared)) {
    MESSAGE("skipped: ", shared.string(), " is not there");
    return;
  }
  const auto candles = candles_of(read_candles(text_of(shared / "ohlcv/default.csv")).value());
  REQUIRE(candles.size() == 502);
  for (const auto& one : published) {
    CAPTURE(one.file);
    const auto rows = outputs_of(one.file);
    REQUIRE(rows.as_array().size() == candles.size());
    for (const auto& [theirs, ours] : one.outputs) {
      CAPTURE(theirs);
      auto name = parse_indicator(std::string(one.indicator) + "." + ours);
      REQUIRE(name.has_value());
      const auto values = compute(*name, candles);
      std::size_t wrong = 0;
      for (std::size_t i = 0; i < candles.size(); ++i) {
        const double expected = number_at(rows.as_array()[i], theirs);
        if (same(values[i][name->output], expected)) continue;
        if (wrong++ == 0) {
          FAIL_CHECK("row ", i, ": ", values[i][name->output], " is not ", expected);
        }
      }
      CHECK(wrong == 0);
    }
  }
}

TEST_CASE("shapes of candles are found where the published outputs have them") {
  if (!std::filesystem::exists(shared)) return;
  const auto candles = candles_of(read_candles(text_of(shared / "ohlcv/default.csv")).value());
  for (const auto& [file, unit] : {std::pair{"doji", 1.0}, std::pair{"marubozu", 100.0}}) {
    const auto rows = outputs_of(file);
    const auto values = compute(parse_indicator(file).value(), candles);
    std::size_t found = 0;
    for (std::size_t i = 0; i < candles.size(); ++i) {
      CHECK(values[i][0] * unit == number_at(rows.as_array()[i], "match"));
      found += values[i][0] != 0 ? 1 : 0;
    }
    CHECK(found > 3);
  }
}

TEST_CASE("turning points and the lines through them are the published ones") {
  if (!std::filesystem::exists(shared)) return;
  const auto candles = candles_of(read_candles(text_of(shared / "ohlcv/default.csv")).value());
  const auto rows = outputs_of("zigzag");
  const auto points = turning_points(candles, 5);
  const auto lines = line_through(points, candles);
  std::vector<TurningPoint> expected;
  for (std::size_t i = 0; i < candles.size(); ++i) {
    CAPTURE(i);
    const auto& row = rows.as_array()[i];
    CHECK(same(lines[i], number_at(row, "zigZag")));
    if (const auto kind = find_text(row, "pointType")) {
      expected.push_back({i, candles[i].close, *kind == "H"});
    }
  }
  CHECK(points == expected);
}

TEST_CASE("an indicator whose state is kept as text and restored at each bar goes on the same") {
  const auto candles = made_up(400, 7);
  for (const auto& kind : indicator_kinds()) {
    CAPTURE(kind.name);
    const auto name = parse_indicator(kind.name).value();
    const auto batch = compute(name, candles);
    std::string state;
    bool known = false;
    for (std::size_t i = 0; i < candles.size(); ++i) {
      const auto fresh = kind.make(name.parameters);
      if (i > 0) REQUIRE(restore(*fresh, state));
      fresh->take(candles[i]);
      state = kept(*fresh);
      for (std::size_t output = 0; output < kind.outputs.size(); ++output) {
        const double one = fresh->value(output);
        known = known || !std::isnan(one);
        const bool equal =
            one == batch[i][output] || (std::isnan(one) && std::isnan(batch[i][output]));
        if (!equal)
          FAIL_CHECK("bar ", i, " ", kind.outputs[output], ": ", one, " ", batch[i][output]);
      }
    }
    CHECK(known);
  }
}

TEST_CASE("a series of zeros or of one price never gives an infinite value") {
  for (const double price : {0.0, 225.0}) {
    const std::vector<Candle> flat(150, {price, price, price, price, price == 0 ? 0.0 : 100.0});
    for (const auto& kind : indicator_kinds()) {
      CAPTURE(kind.name);
      for (const auto& row : compute(parse_indicator(kind.name).value(), flat)) {
        for (const double value : row) CHECK(!std::isinf(value));
      }
    }
  }
}

TEST_CASE("names of indicators: parameters, outputs, and what is wrong with them") {
  CHECK(parse_indicator("rsi")->text() == "rsi(14)");
  CHECK(parse_indicator("macd(8, 17,5).signal")->text() == "macd(8,17,5).signal");
  CHECK(parse_indicator("bb(20, 2.5).upper")->text() == "bb(20,2.5).upper");
  CHECK(parse_indicator("vwap")->text() == "vwap");
  for (const auto* bad : {"rsy(14)", "rsi(1.5)", "rsi(1)", "rsi(14,2)", "rsi(x)", "rsi(14", "rsi.x",
                          "rsi(14)x", "sma(100000)", "sma(-3)", ""}) {
    CAPTURE(bad);
    CHECK(!parse_indicator(bad).has_value());
  }
  CHECK(parse_indicator("rsy(14)").error().message.find("rsi") != std::string::npos);
}
