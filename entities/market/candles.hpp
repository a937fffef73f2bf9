#pragma once
// Files of candles as people keep them: comma, semicolon or tab, headings in several words, dates
// in several orders. Runs in contained tasks. Pure; any thread.
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "entities/market/indicator.hpp"
#include "entities/market/tick.hpp"

namespace vigil::entities::market {

struct BadRow {
  std::size_t line = 0;
  std::string why;
};

struct CandleFile {
  std::vector<Bar> bars;      // in order of time
  std::vector<BadRow> bad;    // the first of them
  std::size_t bad_count = 0;  // of all
  bool sorted = true;         // whether the file was in order of time
};

inline constexpr std::size_t bars_max = 2'000'000;

// Errors: no heading with a date and a close, dates that may be day or month first. A row that
// cannot be read is left out and named.
Result<CandleFile> read_candles(std::string_view text);

Candle to_candle(const Bar& bar);
// A bar as a few words of text, exactly.
void keep(Bar& bar, Archive& archive);

}  // namespace vigil::entities::market
