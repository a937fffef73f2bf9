#include "daemon/ingress/stream_window.hpp"

#include <algorithm>
#include <utility>

namespace vigil::ingress {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t symbols_max = 5'000;
constexpr std::size_t ids_max = 4'096;    // remembered of a symbol without numbers
constexpr std::size_t holes_max = 1'000;  // of a symbol, before the oldest is given up
constexpr std::size_t spans_max = 10'000;
constexpr std::size_t open_bars_max = 1'000;  // of one frame: times are the sender's
constexpr int stale_repeats_max = 100;
constexpr Duration crossing_pause = 1min;  // between two of the same level and direction

TimePoint start_of(TimePoint at, Duration interval) {
  const auto since = at.time_since_epoch();
  auto rest = since % interval;
  if (rest < Duration{0}) rest += interval;
  return at - rest;
}

}  // namespace

void merge(Gap& into, const Gap& other) {
  if (into.first == 0 || (other.first != 0 && other.first < into.first)) into.first = other.first;
  into.last = std::max(into.last, other.last);
  into.missed += other.missed;
  into.from = std::min(into.from, other.from);
  into.to = std::max(into.to, other.to);
}

StreamWindow::StreamWindow(WindowSettings settings) : settings_(std::move(settings)) {}

StreamWindow::Symbol* StreamWindow::find_symbol(const std::string& name) {
  const auto found = symbols_.find(name);
  if (found != symbols_.end()) return &found->second;
  if (symbols_.size() >= symbols_max) {
    ++counts_.refused_symbols;
    return nullptr;
  }
  auto& symbol = symbols_[name];
  for (const auto interval : settings_.intervals) symbol.frames.push_back({interval, {}, {}});
  return &symbol;
}

void StreamWindow::resume(const std::string& name, const StreamMark& mark) {
  auto* symbol = find_symbol(name);
  if (symbol == nullptr) return;
  symbol->high = mark.number;
  symbol->latest = mark.told_until;
  symbol->deaf_since = mark.told_until;
  symbol->deaf_cause = GapCause::restart;
}

// The hole between what was heard before and this trade waits to be filled.
StreamWindow::Turn StreamWindow::take_number(Symbol& symbol, const Trade& trade, TimePoint now) {
  const auto number = *trade.number;
  if (symbol.high == 0 || number == symbol.high + 1) {
    symbol.high = number;
    symbol.stale_repeats = 0;
    return Turn::next;
  }
  if (number > symbol.high) {
    const auto cause = symbol.deaf_since ? symbol.deaf_cause : GapCause::numbers;
    symbol.missing.push_back({symbol.high + 1, number - 1, symbol.latest, trade.at, now, cause});
    holes_.push_back({trade.symbol, symbol.high + 1, number - 1, symbol.latest});
    symbol.high = number;
    symbol.stale_repeats = 0;
    return Turn::next;
  }
  for (auto at = symbol.missing.begin(); at != symbol.missing.end(); ++at) {
    if (at->first == 0 || number < at->first || number > at->last) continue;
    const Missing behind{number + 1, at->last, at->from, at->to, at->noticed, at->cause};
    at->last = number - 1;
    const bool is_empty = at->first > at->last;
    if (behind.first <= behind.last) at = symbol.missing.insert(at + 1, behind) - 1;
    if (is_empty) symbol.missing.erase(at);
    return Turn::disorder;
  }
  // Numbers that begin anew would otherwise be duplicates for ever.
  const bool stale = trade.at > symbol.latest;
  symbol.stale_repeats = stale ? symbol.stale_repeats + 1 : 0;
  if (symbol.stale_repeats <= stale_repeats_max) return Turn::duplicate;
  symbol.missing.clear();
  symbol.unsaid = Gap{trade.symbol, GapCause::reset, 0, 0, 0, symbol.latest, trade.at};
  symbol.gaps.push_back({symbol.latest, trade.at});
  symbol.high = number;
  symbol.stale_repeats = 0;
  return Turn::next;
}

StreamWindow::Turn StreamWindow::take_id(Symbol& symbol, const Trade& trade) {
  if (trade.id.empty()) return Turn::next;
  if (!symbol.ids.insert(trade.id).second) return Turn::duplicate;
  symbol.ids_in_order.push_back(trade.id);
  if (symbol.ids_in_order.size() > ids_max) {
    symbol.ids.erase(symbol.ids_in_order.front());
    symbol.ids_in_order.pop_front();
  }
  return Turn::next;
}

// Without numbers nobody can say what was missed meanwhile, only that it may have been.
void StreamWindow::note_silence(Symbol& symbol, const Trade& trade, TimePoint now) {
  if (!symbol.deaf_since) return;
  const auto since = std::min(*symbol.deaf_since, trade.at);
  symbol.deaf_since.reset();
  if (trade.number && symbol.high != 0) return;
  symbol.missing.push_back({0, 0, since, trade.at, now, symbol.deaf_cause});
  holes_.push_back({trade.symbol, 0, 0, since});
}

bool StreamWindow::put(Symbol& symbol, const Trade& trade) {
  bool placed = false;
  for (auto& frame : symbol.frames) {
    const auto start = start_of(trade.at, frame.interval);
    if (start < frame.over_until) continue;
    auto found = frame.open.find(start);
    if (found == frame.open.end()) {
      if (frame.open.size() >= open_bars_max) continue;
      Bar bar;
      bar.symbol = trade.symbol;
      bar.interval = frame.interval;
      bar.start = start;
      bar.open = bar.high = bar.low = bar.close = trade.price;
      bar.first_at = bar.last_at = trade.at;
      found = frame.open.emplace(start, std::move(bar)).first;
    }
    auto& bar = found->second;
    if (trade.price > bar.high) bar.high = trade.price;
    if (trade.price < bar.low) bar.low = trade.price;
    if (trade.at < bar.first_at) {
      bar.open = trade.price;
      bar.first_at = trade.at;
    }
    if (trade.at >= bar.last_at) {
      bar.close = trade.price;
      bar.last_at = trade.at;
    }
    (void)bar.volume.add(trade.amount);  // beyond 10^20 it stays as it is
    ++bar.trades;
    bar.last_number = std::max(bar.last_number, trade.number.value_or(0));
    placed = true;
  }
  return placed || symbol.frames.empty();
}

void StreamWindow::cross(Symbol& symbol, const Trade& trade, TimePoint now, StreamNews& news) {
  const auto levels = settings_.levels.find(trade.symbol);
  if (levels == settings_.levels.end()) return;
  for (const auto& level : levels->second) {
    const bool up = symbol.price < level && trade.price >= level;
    const bool down = symbol.price > level && trade.price <= level;
    if (!up && !down) continue;
    auto& last = symbol.crossed[{level.text(), up}];
    if (last != TimePoint{} && now - last < crossing_pause) {
      ++counts_.held_crossings;
      continue;
    }
    last = now;
    news.crossings.push_back({level, up, symbol.price, trade});
  }
}

void StreamWindow::add(const Trade& trade, TimePoint now, StreamNews& news) {
  auto* found = find_symbol(trade.symbol);
  if (found == nullptr) return;
  auto& symbol = *found;
  const bool first = symbol.heard == TimePoint{};
  // After a restart what is missing since then is a hole like any other.
  if (first) symbol.heard_from = symbol.high != 0 && trade.number ? symbol.latest : trade.at;
  const auto turn = trade.number ? take_number(symbol, trade, now) : take_id(symbol, trade);
  note_silence(symbol, trade, now);
  symbol.heard = now;
  if (turn == Turn::duplicate) {
    ++counts_.duplicates;
    return;
  }
  const bool newest = trade.at >= symbol.latest;
  if (!put(symbol, trade)) {
    ++counts_.late;
    return;
  }
  ++counts_.trades;
  if (turn == Turn::disorder || !newest) ++counts_.disorder;
  if (!newest) return;
  if (!first && symbol.price != Decimal()) cross(symbol, trade, now, news);
  symbol.price = trade.price;
  symbol.latest = trade.at;
  while (symbol.missing.size() > holes_max) {
    give_up(trade.symbol, symbol, symbol.missing.front());
    symbol.missing.pop_front();
  }
}

void StreamWindow::put_late(Symbol& symbol, const Trade& trade) {
  ++(put(symbol, trade) ? counts_.trades : counts_.late);
}

// Without numbers a list closes the hole when it reaches back to the last trade that was heard. Its
// times may be whole seconds.
void StreamWindow::fill_span(Symbol& symbol, const Hole& hole, const std::vector<Trade>& trades) {
  const auto found = std::ranges::find_if(symbol.missing, [&](const Missing& missing) {
    return missing.first == 0 && missing.from == hole.from;
  });
  if (found == symbol.missing.end()) return;
  const auto from = std::chrono::floor<std::chrono::seconds>(hole.from);
  bool reaches_back = false;
  for (const auto& trade : trades) {
    if (trade.at < from) reaches_back = true;
    if (trade.at < from || trade.at > found->to) continue;
    if (take_id(symbol, trade) == Turn::next) {
      put_late(symbol, trade);
    } else if (trade.at <= hole.from) {
      reaches_back = true;  // it was heard before the hole
    }
  }
  if (reaches_back) symbol.missing.erase(found);
}

std::optional<StreamWindow::Hole> StreamWindow::fill(const Hole& hole,
                                                     const std::vector<Trade>& trades,
                                                     TimePoint now) {
  const auto found = symbols_.find(hole.symbol);
  if (found == symbols_.end()) return std::nullopt;
  auto& symbol = found->second;
  if (hole.first == 0) {
    fill_span(symbol, hole, trades);
    return std::nullopt;
  }
  bool filled = false;
  for (const auto& trade : trades) {
    if (!trade.number || *trade.number >= symbol.high) continue;
    if (take_number(symbol, trade, now) != Turn::disorder) continue;
    put_late(symbol, trade);
    filled = true;
  }
  if (!filled) return std::nullopt;
  for (const auto& missing : symbol.missing) {
    if (missing.first == 0 || missing.last < hole.first || missing.first > hole.last) continue;
    return Hole{hole.symbol, std::max(missing.first, hole.first), std::min(missing.last, hole.last),
                missing.from};
  }
  return std::nullopt;
}

void StreamWindow::disconnected(TimePoint) {
  for (auto& [name, symbol] : symbols_) {
    if (symbol.deaf_since || symbol.heard == TimePoint{}) continue;
    symbol.deaf_since = symbol.latest;
    symbol.deaf_cause = GapCause::connection;
  }
}

void StreamWindow::give_up(const std::string& name, Symbol& symbol, const Missing& missing) {
  const auto count = missing.first == 0 ? 0 : missing.last - missing.first + 1;
  counts_.missed += count;
  symbol.gaps.push_back({missing.from, missing.to});
  if (symbol.gaps.size() > spans_max) symbol.gaps.pop_front();
  const Gap gap{name, missing.cause, missing.first, missing.last, count, missing.from, missing.to};
  if (symbol.unsaid) merge(*symbol.unsaid, gap);
  if (!symbol.unsaid) symbol.unsaid = gap;
}

bool StreamWindow::is_whole(const Symbol& symbol, const Bar& bar) const {
  const auto overlaps = [&](const auto& span) {
    return span.from < bar.end() && span.to >= bar.start;
  };
  return bar.start >= symbol.heard_from && std::ranges::none_of(symbol.gaps, overlaps) &&
         std::ranges::none_of(symbol.missing, overlaps);
}

// By the trades' own time; where none come any more, by the clock.
void StreamWindow::end_bars(Symbol& symbol, TimePoint now, StreamNews& news) {
  const auto late = settings_.lateness;
  for (auto& frame : symbol.frames) {
    while (!frame.open.empty()) {
      auto& bar = frame.open.begin()->second;
      const auto due = bar.end() + late;
      const bool quiet = now >= due && now - symbol.heard >= late;
      if (symbol.latest < due && !quiet) break;
      bar.whole = is_whole(symbol, bar);
      frame.over_until = bar.end();
      news.bars.push_back(std::move(bar));
      frame.open.erase(frame.open.begin());
    }
  }
}

void StreamWindow::advance(TimePoint now, StreamNews& news) {
  for (auto& [name, symbol] : symbols_) {
    while (!symbol.missing.empty() && now - symbol.missing.front().noticed >= settings_.lateness) {
      give_up(name, symbol, symbol.missing.front());
      symbol.missing.pop_front();
    }
    end_bars(symbol, now, news);
    while (!symbol.gaps.empty() && symbol.gaps.front().to + 25h < symbol.latest) {
      symbol.gaps.pop_front();
    }
    if (!symbol.unsaid) continue;
    news.gaps.push_back(std::move(*symbol.unsaid));
    symbol.unsaid.reset();
  }
}

bool StreamWindow::has_open() const {
  for (const auto& [name, symbol] : symbols_) {
    if (symbol.unsaid || !symbol.missing.empty()) return true;
    for (const auto& frame : symbol.frames) {
      if (!frame.open.empty()) return true;
    }
  }
  return false;
}

std::vector<StreamWindow::Hole> StreamWindow::take_holes() { return std::exchange(holes_, {}); }

}  // namespace vigil::ingress
