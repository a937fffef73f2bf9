#pragma once
// Indicators over candles, one candle at a time, with a state that can be kept as text and
// restored to the last bit. They compute in binary fractions, as everybody's do; prices are
// compared as decimals elsewhere. The formulas are the usual ones (Wilder 1978 for RSI, ATR and
// ADX; Lambert 1980 for CCI; Bollinger 2001), checked against the published outputs of
// Stock.Indicators (https://github.com/DaveSkender/Stock.Indicators). One thread at a time.
#include <array>
#include <limits>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/decimal.hpp"
#include "core/error.hpp"
#include "core/time.hpp"

namespace vigil::entities::market {

struct Candle {
  double open = 0, high = 0, low = 0, close = 0, volume = 0;
};

inline constexpr double unknown = std::numeric_limits<double>::quiet_NaN();

// Writes numbers to text and reads them again, exactly: whichever it was made for.
class Archive {
 public:
  Archive() = default;                                                    // writes
  explicit Archive(std::string_view text) : text_(text), reads_(true) {}  // reads

  void operator()(double& value);
  void operator()(std::size_t& value);
  void operator()(bool& value);
  void operator()(Decimal& value);
  void operator()(TimePoint& value);
  void bytes(std::string& value);
  void refuse() { good_ = false; }  // what was read cannot be
  bool reads() const { return reads_; }
  bool whole() const { return good_ && text_.empty(); }  // all of it was read, and nothing missed
  std::string written() && { return std::move(out_); }

 private:
  void write(std::string_view word);
  std::string_view word();
  std::string out_;
  std::string_view text_;
  bool reads_ = false;
  bool good_ = true;
};

// The last so many values.
class Ring {
 public:
  explicit Ring(std::size_t size) : values_(size) {}
  void push(double value);
  bool full() const { return count_ == values_.size(); }
  std::size_t count() const { return count_; }
  double at(std::size_t place) const;  // 0: the oldest
  double oldest() const { return at(0); }
  // Sums go from the oldest on, so that a ring that was restored gives the same to the last bit.
  double mean() const;
  double deviation(double mean) const;  // of all, not of a sample
  double highest() const;
  double lowest() const;
  void keep(Archive& archive);

 private:
  std::vector<double> values_;
  std::size_t next_ = 0;
  std::size_t count_ = 0;
};

class Indicator {
 public:
  static constexpr std::size_t outputs_max = 6;

  virtual ~Indicator() = default;
  virtual void take(const Candle& candle) = 0;
  virtual void keep(Archive& archive) = 0;
  // After the last candle; unknown until enough was seen, and where it would divide by zero.
  double value(std::size_t output) const { return out_[output]; }
  std::span<const double> values() const { return out_; }

 protected:
  std::array<double, outputs_max> out_{unknown, unknown, unknown, unknown, unknown, unknown};
};

struct IndicatorKind {
  std::string_view name;
  std::string_view meaning;
  std::vector<std::string_view> outputs;  // the first is meant when none is named
  std::vector<double> defaults;           // of its parameters
  std::unique_ptr<Indicator> (*make)(std::span<const double> parameters);
};
std::span<const IndicatorKind> indicator_kinds();

// "rsi(14)", "macd(12,26,9).signal", "bb.upper": parameters that are not given are the defaults.
struct IndicatorName {
  const IndicatorKind* kind = nullptr;
  std::vector<double> parameters;
  std::size_t output = 0;
  std::string without_output() const;  // "macd(12,26,9)": one computation serves all its outputs
  std::string text() const;
};
// Errors name what is known instead.
Result<IndicatorName> parse_indicator(std::string_view text);

std::string kept(Indicator& indicator);
bool restore(Indicator& indicator, std::string_view text);  // false: it was kept by another

// Each candle's outputs, from the whole series at once.
std::vector<std::array<double, Indicator::outputs_max>> compute(const IndicatorName& name,
                                                                std::span<const Candle> candles);

// ---- parts of the table, each in a file of its own
std::span<const IndicatorKind> average_kinds();
std::span<const IndicatorKind> momentum_kinds();
std::span<const IndicatorKind> range_kinds();
std::span<const IndicatorKind> pattern_kinds();

// Division that knows when it has no answer.
inline double ratio(double above, double below) { return below == 0 ? unknown : above / below; }
inline std::size_t whole(double parameter) { return static_cast<std::size_t>(parameter); }

}  // namespace vigil::entities::market
