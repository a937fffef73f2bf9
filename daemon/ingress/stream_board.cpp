#include "daemon/ingress/stream_board.hpp"

namespace vigil::ingress {
namespace {

constexpr std::size_t series_max = 10'000;  // of candles, and of tickers: names are the sender's

}  // namespace

void StreamBoard::resume(const std::string& symbol, const StreamMark& mark) {
  candles_[{symbol, shortest_}] = {mark.told_until, GapCause::restart};
}

void StreamBoard::take(StreamMessage& message, TimePoint now, StreamNews& news) {
  for (auto& bar : message.bars) take(std::move(bar), news);
  for (auto& quote : message.quotes) take(std::move(quote), now, news);
}

void StreamBoard::take(Bar bar, StreamNews& news) {
  const std::pair key{bar.symbol, bar.interval};
  const auto known = candles_.find(key);
  if (known == candles_.end()) {
    if (candles_.size() >= series_max) return;
    candles_[key] = {bar.end()};
    news.bars.push_back(std::move(bar));
    return;
  }
  auto& candles = known->second;
  if (bar.start < candles.told_until) return;  // said twice
  if (bar.start > candles.told_until) {
    news.gaps.push_back({bar.symbol, candles.cause, 0, 0, 0, candles.told_until, bar.start});
  }
  candles = {bar.end()};
  news.bars.push_back(std::move(bar));
}

void StreamBoard::take(StreamQuote quote, TimePoint now, StreamNews& news) {
  if (!tickers_.contains(quote.symbol) && tickers_.size() >= series_max) return;
  auto& ticker = tickers_[quote.symbol];
  if (ticker.told != TimePoint{} && now - ticker.told < quote_every_) {
    waiting_ += ticker.waits ? 0 : 1;
    ticker.waits = true;
    ticker.latest = std::move(quote);
    return;
  }
  waiting_ -= ticker.waits ? 1 : 0;
  ticker.waits = false;
  ticker.told = now;
  news.quotes.push_back(std::move(quote));
}

void StreamBoard::disconnected() {
  for (auto& [key, candles] : candles_) {
    if (candles.cause == GapCause::numbers) candles.cause = GapCause::connection;
  }
}

void StreamBoard::advance(TimePoint now, StreamNews& news) {
  if (waiting_ == 0) return;
  for (auto& [symbol, ticker] : tickers_) {
    if (!ticker.waits || now - ticker.told < quote_every_) continue;
    ticker.waits = false;
    --waiting_;
    ticker.told = now;
    news.quotes.push_back(std::move(ticker.latest));
  }
}

}  // namespace vigil::ingress
