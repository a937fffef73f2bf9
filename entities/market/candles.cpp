#include "entities/market/candles.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <optional>
#include <set>

#include "core/csv.hpp"
#include "core/log.hpp"

namespace vigil::entities::market {
namespace {

constexpr std::size_t bad_told = 20;

enum class Column { time, clock, open, high, low, close, volume };
enum class DayOrder { year_first, month_first, day_first };

struct Heading {
  std::string_view word;
  Column column;
};
// The first that is there counts: an adjusted close is not taken for the close.
constexpr std::array headings{
    Heading{"timestamp", Column::time},   Heading{"datetime", Column::time},
    Heading{"date", Column::time},        Heading{"open_time", Column::time},
    Heading{"time", Column::clock},       Heading{"unix", Column::time},
    Heading{"open", Column::open},        Heading{"o", Column::open},
    Heading{"high", Column::high},        Heading{"h", Column::high},
    Heading{"low", Column::low},          Heading{"l", Column::low},
    Heading{"close", Column::close},      Heading{"last", Column::close},
    Heading{"close/last", Column::close}, Heading{"price", Column::close},
    Heading{"c", Column::close},          Heading{"volume", Column::volume},
    Heading{"vol", Column::volume},       Heading{"v", Column::volume},
};

std::string word_of(std::string_view field) {
  std::string out;
  for (const char c : field) {
    if (c == '"' || c == ' ' || c == '<' || c == '>') continue;
    out += static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  }
  return out;
}

std::map<Column, std::size_t> columns_of(const std::vector<std::string>& fields) {
  std::map<Column, std::size_t> out;
  for (const auto& heading : headings) {
    if (out.contains(heading.column)) continue;
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (word_of(fields[i]) == heading.word) {
        out.emplace(heading.column, i);
        break;
      }
    }
  }
  // "Time" alone is the whole moment.
  if (!out.contains(Column::time) && out.contains(Column::clock)) {
    out.emplace(Column::time, out.at(Column::clock));
    out.erase(Column::clock);
  }
  return out;
}

std::vector<int> numbers_in(std::string_view text) {
  std::vector<int> out;
  while (!text.empty()) {
    const auto first = text.find_first_of("0123456789");
    if (first == std::string_view::npos) break;
    text.remove_prefix(first);
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{}) return {};
    out.push_back(number);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  return out;
}

std::string_view day_part(std::string_view text) {
  return text.substr(0, text.find_first_of(" T"));
}

bool has_slashes(std::string_view text) {
  return day_part(text).find_first_of("/.") != std::string_view::npos &&
         numbers_in(day_part(text)).size() == 3;
}

// Dates between slashes begin with the day or the month: what goes beyond 12 tells.
Result<DayOrder> order_of(const std::vector<std::string>& dates) {
  bool day_first = false;
  bool month_first = false;
  for (const auto& date : dates) {
    const auto numbers = numbers_in(day_part(date));
    if (numbers.size() != 3) continue;
    if (numbers[0] > 31) return DayOrder::year_first;
    day_first = day_first || numbers[0] > 12;
    month_first = month_first || numbers[1] > 12;
  }
  if (day_first && month_first) {
    return fail(ErrorCode::invalid_input,
                "dates begin with the day in some rows and with the "
                "month in others: write them as 2026-01-31");
  }
  if (!day_first && !month_first) {
    return fail(ErrorCode::invalid_input,
                "dates may begin with the day or with the month, and no "
                "row tells: write them as 2026-01-31");
  }
  return day_first ? DayOrder::day_first : DayOrder::month_first;
}

std::optional<TimePoint> unix_time(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 100'000'000) {
    return std::nullopt;
  }
  if (number < 100'000'000'000) return from_unix_us(number * 1'000'000);
  return from_unix_us(number < 100'000'000'000'000 ? number * 1000 : number);
}

std::optional<TimePoint> time_of(std::string_view text, DayOrder order) {
  if (const auto at = unix_time(text)) return at;
  auto numbers = numbers_in(day_part(text));
  if (numbers.size() != 3) return std::nullopt;
  if (order == DayOrder::month_first) numbers = {numbers[2], numbers[0], numbers[1]};
  if (order == DayOrder::day_first) numbers = {numbers[2], numbers[1], numbers[0]};
  if (numbers[0] < 100) numbers[0] += numbers[0] < 70 ? 2000 : 1900;
  auto rest = std::string(text.substr(std::min(text.size(), day_part(text).size() + 1)));
  if (rest.size() == 5) rest += ":00";
  if (rest.empty()) rest = "00:00:00";
  if (rest.find_first_of("Zz+-") == std::string::npos) rest += 'Z';
  const auto at =
      parse_rfc3339(fmt::format("{:04}-{:02}-{:02}T{}", numbers[0], numbers[1], numbers[2], rest));
  return at ? std::optional(*at) : std::nullopt;
}

Result<Decimal> price_of(std::string_view field, std::string_view what) {
  std::string text;
  for (const char c : field) {
    if (c != ' ' && c != '$') text += c;
  }
  auto number = Decimal::parse(text);
  if (!number)
    return fail(ErrorCode::invalid_input, fmt::format("{}: {}", what, number.error().message));
  return number;
}

char separator_of(std::string_view text) {
  const auto line = text.substr(0, text.find('\n'));
  const auto of = [&](char c) { return std::ranges::count(line, c); };
  if (of(';') > of(',')) return ';';
  return of('\t') > of(',') ? '\t' : ',';
}

class Candles {
 public:
  Candles(std::map<Column, std::size_t> columns, DayOrder order)
      : columns_(std::move(columns)), order_(order) {}

  Result<Bar> bar_of(const std::vector<std::string>& row) const {
    const auto when = text_of(row);
    Bar bar;
    const auto at = time_of(when, order_);
    if (!at) {
      return fail(
          ErrorCode::invalid_input,
          when.empty() ? "it has no date" : fmt::format("{} is no date", vigil::quoted(when)));
    }
    bar.at = *at;
    auto close = number_in(row, Column::close, "close");
    if (!close) return std::unexpected(close.error());
    bar.open = bar.high = bar.low = bar.close = *close;
    for (const auto& [column, to, name] :
         {std::tuple{Column::open, &bar.open, "open"}, std::tuple{Column::high, &bar.high, "high"},
          std::tuple{Column::low, &bar.low, "low"},
          std::tuple{Column::volume, &bar.volume, "volume"}}) {
      if (!columns_.contains(column)) continue;
      auto number = number_in(row, column, name);
      if (!number) return std::unexpected(number.error());
      *to = *number;
    }
    if (bar.low > std::min(bar.open, bar.close) || bar.high < std::max(bar.open, bar.close)) {
      return fail(ErrorCode::invalid_input, "open or close lie outside of low and high");
    }
    return bar;
  }

  std::string text_of(const std::vector<std::string>& row) const {
    const auto part = [&](Column column) {
      const auto found = columns_.find(column);
      return found == columns_.end() || found->second >= row.size() ? std::string()
                                                                    : row[found->second];
    };
    const auto clock = part(Column::clock);
    return clock.empty() ? part(Column::time) : part(Column::time) + " " + clock;
  }

 private:
  Result<Decimal> number_in(const std::vector<std::string>& row, Column column,
                            std::string_view name) const {
    const auto place = columns_.at(column);
    if (place >= row.size()) {
      return fail(ErrorCode::invalid_input, fmt::format("{} is missing", name));
    }
    return price_of(row[place], name);
  }
  std::map<Column, std::size_t> columns_;
  DayOrder order_;
};

// The most common distance between bars is how long each is.
void find_interval(std::vector<Bar>& bars) {
  std::map<Duration, std::size_t> distances;
  for (std::size_t i = 1; i < bars.size() && i < 5000; ++i)
    ++distances[bars[i].at - bars[i - 1].at];
  if (distances.empty()) return;
  const auto most =
      std::ranges::max_element(distances, {}, [](const auto& one) { return one.second; });
  for (auto& bar : bars) bar.interval = most->first;
}

}  // namespace

Result<CandleFile> read_candles(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  CsvReader reader(text, separator_of(text));
  const auto first = reader.next();
  if (!first) return fail(ErrorCode::invalid_input, "the file is empty");
  auto columns = columns_of(*first);
  if (!columns.contains(Column::time) || !columns.contains(Column::close)) {
    return fail(ErrorCode::invalid_input,
                "line 1: expected a heading such as date,open,high,low,close,volume; a date and a "
                "close must be there");
  }
  std::vector<std::pair<std::size_t, std::vector<std::string>>> rows;
  while (auto row = reader.next()) {
    if (rows.size() >= bars_max) {
      return fail(ErrorCode::invalid_input, fmt::format("more than {} rows", bars_max));
    }
    rows.emplace_back(reader.line(), std::move(*row));
  }
  const Candles any(columns, DayOrder::year_first);
  std::vector<std::string> slashed;
  for (const auto& [line, row] : rows) {
    if (auto when = any.text_of(row); has_slashes(when)) slashed.push_back(std::move(when));
  }
  auto order = slashed.empty() ? Result<DayOrder>(DayOrder::year_first) : order_of(slashed);
  if (!order) return std::unexpected(order.error());
  const Candles candles(std::move(columns), *order);
  CandleFile out;
  const auto refuse = [&](std::size_t line, std::string why) {
    ++out.bad_count;
    if (out.bad.size() < bad_told) out.bad.push_back({line, std::move(why)});
  };
  std::set<TimePoint> seen;
  for (const auto& [line, row] : rows) {
    auto bar = candles.bar_of(row);
    if (!bar) {
      refuse(line, bar.error().message);
    } else if (!seen.insert(bar->at).second) {
      refuse(line, "there is a row of that time already");
    } else {
      out.sorted = out.sorted && (out.bars.empty() || out.bars.back().at < bar->at);
      out.bars.push_back(std::move(*bar));
    }
  }
  if (out.bars.empty()) {
    return fail(ErrorCode::invalid_input,
                out.bad.empty() ? "no row follows the heading"
                                : fmt::format("no row can be read; line {}: {}",
                                              out.bad.front().line, out.bad.front().why));
  }
  std::ranges::sort(out.bars, {}, &Bar::at);
  find_interval(out.bars);
  return out;
}

void keep(Bar& bar, Archive& archive) {
  archive(bar.at);
  auto end = bar.end();
  archive(end);
  bar.interval = end - bar.at;
  for (auto* number : {&bar.open, &bar.high, &bar.low, &bar.close, &bar.volume}) archive(*number);
}

Candle to_candle(const Bar& bar) {
  return {bar.open.number(), bar.high.number(), bar.low.number(), bar.close.number(),
          bar.volume.number()};
}

}  // namespace vigil::entities::market
