#pragma once
// Conditions as people write them in a rule: "close crosses above sma(50)", "falls 5% within 1h".
// docs/market.md lists the forms. Values and pure functions; any thread.
#include <optional>
#include <string>
#include <string_view>

#include "core/decimal.hpp"
#include "core/error.hpp"
#include "core/time.hpp"
#include "entities/market/indicator.hpp"

namespace vigil::entities::market {

enum class Field { open, high, low, close, volume, spread };
std::string_view to_text(Field field);

// What stands on one side of a comparison: a number, what a bar says, or an indicator; a multiple
// of it on the right.
struct Term {
  std::optional<Decimal> number;
  std::optional<Field> field;
  std::optional<IndicatorName> indicator;
  std::optional<Decimal> factor;
  std::string text() const;
  // Whether it is compared as a decimal.
  bool is_exact() const { return !indicator && field != Field::spread; }
};

enum class Form {
  level,     // TERM above|below TERM
  crossing,  // TERM crosses [above|below] TERM
  move,      // [close] moves|rises|falls P% within 1h, or within 5 bars
  spike,     // volume spikes 3x over 20 bars
  unusual,   // close is unusual
  signal,    // signal ["word"]
  news,      // news ["word"]
  filing     // filing ["8-K"]
};
enum class Way { up, down, either };

struct Condition {
  Form form = Form::level;
  Way way = Way::either;
  Term left, right;
  Decimal amount;      // percent of a move, factor of a spike
  Duration within{0};  // of a move; 0: `bars` counts
  int bars = 0;
  std::string word;  // in lower case; empty: any

  std::string text() const;
  // Judged when a bar ends, rather than when something is heard.
  bool is_of_bars() const { return form < Form::signal; }
};

// The error says what was expected.
Result<Condition> parse_condition(std::string_view text);
// The same condition with another threshold, where it has one that is not a price.
std::optional<Condition> with_threshold(const Condition& condition, double factor);

}  // namespace vigil::entities::market
