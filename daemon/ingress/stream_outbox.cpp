#include "daemon/ingress/stream_outbox.hpp"

#include <algorithm>
#include <utility>

#include "storage/stores.hpp"

namespace vigil::ingress {
namespace {

constexpr std::size_t events_at_once = 200;  // in one commit
constexpr std::size_t bars_waiting_max = 10'000;
constexpr std::size_t crossings_waiting_max = 10'000;

void keep(std::map<std::string, Gap>& gaps, const Gap& gap) {
  const auto [at, fresh] = gaps.try_emplace(gap.symbol, gap);
  if (!fresh) merge(at->second, gap);
}

}  // namespace

StreamOutbox::StreamOutbox(std::string source, Duration shortest)
    : source_(std::move(source)), shortest_(shortest), bars_(bars_waiting_max) {}

void StreamOutbox::push(StreamNews news) {
  for (auto& bar : news.bars) bars_.push(std::move(bar));
  for (const auto& gap : news.gaps) keep(gaps_, gap);
  for (auto& quote : news.quotes) quotes_[quote.symbol] = std::move(quote);
  for (auto& crossing : news.crossings) {
    if (crossings_.size() < crossings_waiting_max) {
      crossings_.push_back(std::move(crossing));
    } else {
      ++left_out_;
    }
  }
}

Noticed StreamOutbox::next(Taint taint, const std::string& form, bool begins, TimePoint now) {
  Noticed noticed;
  const auto add = [&](StreamEvent told) {
    noticed.events.push_back(std::move(told.event));
    noticed.payloads.push_back(std::move(told.payload));
  };
  crossings_taken_ = std::min(crossings_.size(), events_at_once);
  for (std::size_t at = 0; at < crossings_taken_; ++at) {
    add(event_of(source_, taint, crossings_[at], now));
  }
  while (!gaps_.empty() && noticed.events.size() < events_at_once) {
    gaps_taken_.push_back(std::move(gaps_.begin()->second));
    gaps_.erase(gaps_.begin());
    add(event_of(source_, taint, gaps_taken_.back(), now));
  }
  while (!quotes_.empty() && noticed.events.size() < events_at_once) {
    quotes_taken_.push_back(std::move(quotes_.begin()->second));
    quotes_.erase(quotes_.begin());
    add(event_of(source_, taint, quotes_taken_.back(), now));
  }
  std::map<std::string, StreamMark> marks;
  const auto bars = bars_.front(events_at_once - noticed.events.size());
  bars_taken_ = bars.size();
  for (const auto& bar : bars) {
    auto told = event_of(source_, taint, bar, now);
    if (bar.interval == shortest_) {
      auto& mark = marks[bar.symbol];
      mark.number = std::max(mark.number, told.mark->number);
      mark.told_until = std::max(mark.told_until, told.mark->told_until);
    }
    add(std::move(told));
  }
  noticed.along = [source = source_, form, marks, begins, now](storage::Stores& stores) {
    if (begins) {
      stores.seen.forget(source);
      stores.seen.put(source, std::string(stream_form_key), form, now);
    }
    for (const auto& [symbol, mark] : marks) {
      stores.seen.put(source, std::string(stream_mark_start) + symbol, mark_text(mark), now);
    }
  };
  return noticed;
}

void StreamOutbox::stored() {
  bars_.drop(std::exchange(bars_taken_, 0));
  const auto crossings = static_cast<std::ptrdiff_t>(std::exchange(crossings_taken_, 0));
  crossings_.erase(crossings_.begin(), crossings_.begin() + crossings);
  gaps_taken_.clear();
  quotes_taken_.clear();
}

void StreamOutbox::failed() {
  bars_.drop(0);
  bars_taken_ = 0;
  crossings_taken_ = 0;
  for (const auto& gap : std::exchange(gaps_taken_, {})) keep(gaps_, gap);
  for (auto& quote : std::exchange(quotes_taken_, {})) {
    quotes_.try_emplace(quote.symbol, quote);  // a newer one takes its place
  }
}

}  // namespace vigil::ingress
