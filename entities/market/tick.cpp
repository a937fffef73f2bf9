#include "entities/market/tick.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/log.hpp"
#include "entities/ops/alert.hpp"
#include "entities/ops/sources.hpp"

namespace vigil::entities::market {
namespace {

using ops::plain;
using ops::text_at;

constexpr std::size_t categories_max = 16;

Result<Decimal> decimal_at(const Event& event, std::string_view path) {
  const auto text = find_scalar_text(event.data, path);
  if (!text) return fail(ErrorCode::invalid_input, fmt::format("{} is missing", path));
  auto number = Decimal::parse(*text);
  if (!number) {
    return fail(ErrorCode::invalid_input, fmt::format("{}: {}", path, number.error().message));
  }
  return number;
}

// Nothing when it is not there; an error when it is there and no number.
Result<std::optional<Decimal>> decimal_if_there(const Event& event, std::string_view path) {
  const auto* found = find_path(event.data, path);
  if (found == nullptr || found->is_null()) return std::nullopt;
  auto number = decimal_at(event, path);
  if (!number) return std::unexpected(number.error());
  return *number;
}

std::optional<TimePoint> time_in(const json::value& data, std::string_view path) {
  const auto text = find_text(data, path);
  if (!text) return std::nullopt;
  const auto at = parse_rfc3339(*text);
  return at ? std::optional(*at) : std::nullopt;
}

}  // namespace

std::optional<Decimal> Quote::price() const {
  if (last) return last;
  if (!bid || !ask) return std::nullopt;
  auto sum = *bid;
  if (!sum.add(*ask)) return std::nullopt;
  return sum.times(Decimal::parse("0.5").value());
}

std::string symbol_of(const Event& event) {
  auto symbol = text_at(event.data, "symbol", symbol_bytes_max);
  if (symbol.empty()) symbol = text_at(event.data, "ticker", symbol_bytes_max);
  return symbol.empty() ? plain(event.subject, symbol_bytes_max) : symbol;
}

std::string interval_of(const Event& event) { return text_at(event.data, "interval", 16); }

bool means_symbol(std::string_view watched, std::string_view said) {
  if (watched == said) return true;
  const auto colon = said.rfind(':');
  return colon != std::string_view::npos && watched == said.substr(colon + 1);
}

bool is_of_interval(const Event& event, std::string_view watched) {
  const auto wanted = parse_duration(watched);
  const auto said = parse_duration(interval_of(event));
  if (!wanted || !said) return interval_of(event) == watched;
  const auto merged = find_integer(event.data, "merged").value_or(1);
  return *said == *wanted || (merged > 1 && *said == *wanted * merged);
}

Result<Bar> read_bar(const Event& event) {
  Bar bar;
  const auto at = time_in(event.data, "time");
  if (!at)
    return fail(ErrorCode::invalid_input, "time is missing, or not like 2026-11-23T10:15:00Z");
  bar.at = *at;
  if (const auto written = interval_of(event); !written.empty()) {
    const auto interval = parse_duration(written);
    if (!interval || *interval <= Duration{0}) {
      return fail(ErrorCode::invalid_input,
                  fmt::format("interval: expected 1m, 1h or 1d, not {}", vigil::quoted(written)));
    }
    bar.interval = *interval;
  }
  const auto close = decimal_at(event, "close");
  if (!close) return std::unexpected(close.error());
  bar.close = *close;
  // A list of closing prices says no more than that.
  for (const auto& [name, to] :
       {std::pair{"open", &bar.open}, std::pair{"high", &bar.high}, std::pair{"low", &bar.low}}) {
    auto number = decimal_if_there(event, name);
    if (!number) return std::unexpected(number.error());
    *to = number->value_or(*close);
  }
  auto volume = decimal_if_there(event, "volume");
  if (!volume) return std::unexpected(volume.error());
  bar.volume = volume->value_or(Decimal());
  return bar;
}

Result<Quote> read_quote(const Event& event) {
  Quote quote;
  quote.at = time_in(event.data, "time").value_or(event.time);
  const auto last = event.type == "market.trade" ? "price" : "last";
  for (const auto& [name, to] :
       {std::pair{"bid", &quote.bid}, std::pair{"ask", &quote.ask}, std::pair{last, &quote.last}}) {
    auto number = decimal_if_there(event, name);
    if (!number) return std::unexpected(number.error());
    *to = *number;
  }
  if (!quote.price()) {
    return fail(ErrorCode::invalid_input, fmt::format("needs {}, or bid and ask", last));
  }
  for (const auto* price : {&quote.bid, &quote.ask, &quote.last}) {
    if (*price && (**price).is_negative()) return fail(ErrorCode::invalid_input, "a price below 0");
  }
  return quote;
}

Result<Gap> read_gap(const Event& event) {
  Gap gap;
  gap.from = time_in(event.data, "from").value_or(event.time);
  gap.to = time_in(event.data, "to").value_or(event.time);
  gap.missed = find_integer(event.data, "missed");
  gap.why = text_at(event.data, "why", 200);
  return gap;
}

Result<Signal> read_signal(const Event& event) {
  Signal signal;
  signal.at = time_in(event.data, "time").value_or(event.time);
  signal.text = ops::first_text(event.data, {"text", "message", "signal", "name"}, 300);
  if (signal.text.empty() && event.data.is_string()) {
    signal.text = plain(event.data.get_string(), 300);
  }
  // Charts let people name the members of a message as they like.
  if (signal.text.empty() && event.data.is_object()) {
    for (const auto& [key, value] : event.data.get_object()) {
      if (value.is_structured() || value.is_null()) continue;
      signal.text += fmt::format("{}{}: {}", signal.text.empty() ? "" : ", ", std::string_view(key),
                                 find_scalar_text(event.data, key).value_or(""));
    }
    signal.text = plain(signal.text, 300);
  }
  for (const auto* path : {"price", "close"}) {
    if (const auto price = decimal_if_there(event, path); price && *price && !signal.price) {
      signal.price = **price;
    }
  }
  if (signal.text.empty()) return fail(ErrorCode::invalid_input, "a signal without a text");
  return signal;
}

Result<NewsItem> read_news(const Event& event) {
  NewsItem item;
  item.title = text_at(event.data, "title", 300);
  item.summary = text_at(event.data, "summary", 1000);
  item.link = text_at(event.data, "link", 500);
  if (!item.link.starts_with("https://") && !item.link.starts_with("http://")) item.link.clear();
  item.id = text_at(event.data, "id", 300);
  if (item.id.empty()) item.id = item.link.empty() ? event.uid : item.link;
  item.feed = text_at(event.data, "feed", 100);
  item.form = text_at(event.data, "filing.form", 30);
  item.cik = text_at(event.data, "filing.cik", 10);
  const auto published = time_in(event.data, "published");
  item.at = published ? *published : time_in(event.data, "updated").value_or(event.time);
  if (const auto* list = find_path(event.data, "categories"); list != nullptr && list->is_array()) {
    for (const auto& category : list->get_array()) {
      if (item.categories.size() >= categories_max) break;
      if (category.is_string()) item.categories.push_back(plain(category.get_string(), 100));
    }
  }
  if (item.title.empty() && item.summary.empty()) {
    return fail(ErrorCode::invalid_input, "news without a title or a summary");
  }
  return item;
}

std::string what_is_wrong(const Bar& bar) {
  for (const auto* price : {&bar.open, &bar.high, &bar.low, &bar.close}) {
    if (price->is_negative() || price->is_zero()) return "a price is not above 0";
  }
  if (bar.volume.is_negative()) return "its volume is below 0";
  if (bar.low > std::min(bar.open, bar.close) || bar.high < std::max(bar.open, bar.close)) {
    return "open or close lie outside of low and high";
  }
  return {};
}

}  // namespace vigil::entities::market
