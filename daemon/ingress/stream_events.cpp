#include "daemon/ingress/stream_events.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <cstdlib>

namespace vigil::ingress {
namespace {

constexpr std::array<std::string_view, 4> causes{"sequence", "reconnect", "restart", "reset"};

StreamEvent made(const std::string& source, Taint taint, std::string type, std::string uid,
                 const std::string& symbol, TimePoint at, TimePoint now, json::object payload) {
  StreamEvent out;
  out.symbol = symbol;
  out.payload = json::value(std::move(payload));
  auto& event = out.event;
  event.uid = to_valid_utf8(uid);
  event.source = source;
  event.type = std::move(type);
  event.subject = to_valid_utf8(symbol);
  event.time = at;
  event.received_at = now;
  event.content_type = "application/json";
  event.taint = taint;
  event.data = to_text(out.payload);
  return out;
}

}  // namespace

StreamEvent event_of(const std::string& source, Taint taint, const Bar& bar, TimePoint now) {
  json::object data{{"symbol", bar.symbol},
                    {"interval", to_text(bar.interval * bar.merged)},
                    {"time", to_rfc3339(bar.start)},
                    {"open", bar.open.text()},
                    {"high", bar.high.text()},
                    {"low", bar.low.text()},
                    {"close", bar.close.text()},
                    {"volume", bar.volume.text()},
                    {"trades", bar.trades},
                    {"closed", true},
                    {"whole", bar.whole}};
  if (bar.merged > 1) data["merged"] = bar.merged;
  auto out = made(
      source, taint, "market.bar",
      fmt::format("{}:{}:{}:{}", source, bar.symbol, to_text(bar.interval), to_rfc3339(bar.start)),
      bar.symbol, bar.end(), now, std::move(data));
  out.mark = StreamMark{bar.last_number, bar.end()};
  return out;
}

StreamEvent event_of(const std::string& source, Taint taint, const Gap& gap, TimePoint now) {
  json::object data{{"symbol", gap.symbol},
                    {"source", source},
                    {"why", causes.at(static_cast<std::size_t>(gap.cause))},
                    {"from", to_rfc3339(gap.from)},
                    {"to", to_rfc3339(gap.to)}};
  if (gap.missed > 0) {
    data["missed"] = gap.missed;
    data["first"] = std::to_string(gap.first);
    data["last"] = std::to_string(gap.last);
  }
  return made(
      source, taint, "market.gap",
      fmt::format("gap {} {} {} {}", gap.symbol, gap.first, to_unix_us(gap.from), to_unix_us(now)),
      gap.symbol, gap.to, now, std::move(data));
}

StreamEvent event_of(const std::string& source, Taint taint, const Crossing& crossing,
                     TimePoint now) {
  const auto& trade = crossing.trade;
  json::object data{{"symbol", trade.symbol},           {"price", trade.price.text()},
                    {"size", trade.amount.text()},      {"time", to_rfc3339(trade.at)},
                    {"crossed", crossing.level.text()}, {"direction", crossing.up ? "up" : "down"},
                    {"before", crossing.before.text()}};
  return made(
      source, taint, "market.trade",
      fmt::format(
          "crossing {} {} {} {}", trade.symbol, crossing.level.text(), crossing.up ? "up" : "down",
          trade.number ? std::to_string(*trade.number) : std::to_string(to_unix_us(trade.at))),
      trade.symbol, trade.at, now, std::move(data));
}

StreamEvent event_of(const std::string& source, Taint taint, const StreamQuote& quote,
                     TimePoint now) {
  json::object data{{"symbol", quote.symbol}, {"time", to_rfc3339(quote.at)}};
  for (const auto& [name, value] :
       {std::pair{"bid", &quote.bid}, std::pair{"ask", &quote.ask}, std::pair{"last", &quote.last},
        std::pair{"volume", &quote.volume}}) {
    if (*value) data[name] = (*value)->text();
  }
  return made(source, taint, "market.quote",
              fmt::format("quote {} {}", quote.symbol, to_unix_us(quote.at)), quote.symbol,
              quote.at, now, std::move(data));
}

std::string mark_text(const StreamMark& mark) {
  return fmt::format("{} {}", mark.number, to_unix_us(mark.told_until));
}

std::optional<StreamMark> parse_stream_mark(const std::string& text) {
  StreamMark mark;
  char* end = nullptr;
  mark.number = std::strtoull(text.c_str(), &end, 10);
  if (end == text.c_str() || *end != ' ') return std::nullopt;
  mark.told_until = from_unix_us(std::strtoll(end + 1, nullptr, 10));
  return mark;
}

void BarQueue::push(Bar bar) {
  if (bars_.size() < room_) {
    bars_.push_back(std::move(bar));
    return;
  }
  const auto is_its = [&](const Bar& one) {
    return one.symbol == bar.symbol && one.interval == bar.interval;
  };
  for (auto at = bars_.size(); at > taken_; --at) {
    auto& last = bars_[at - 1];
    if (!is_its(last)) continue;
    last.high = std::max(last.high, bar.high);
    last.low = std::min(last.low, bar.low);
    last.close = bar.close;
    (void)last.volume.add(bar.volume);  // beyond 10^20 it stays as it is
    last.trades += bar.trades;
    last.whole = last.whole && bar.whole;
    last.last_at = bar.last_at;
    last.last_number = std::max(last.last_number, bar.last_number);
    last.merged = static_cast<int>((bar.end() - last.start) / bar.interval);
    ++merged_;
    return;
  }
  bars_.push_back(std::move(bar));  // at most one of each symbol and interval beyond the room
}

std::vector<Bar> BarQueue::front(std::size_t count) {
  taken_ = std::min(count, bars_.size());
  return {bars_.begin(), bars_.begin() + static_cast<std::ptrdiff_t>(taken_)};
}

void BarQueue::drop(std::size_t count) {
  const auto gone = std::min(count, bars_.size());
  bars_.erase(bars_.begin(), bars_.begin() + static_cast<std::ptrdiff_t>(gone));
  taken_ = 0;
}

}  // namespace vigil::ingress
