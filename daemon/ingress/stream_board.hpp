#pragma once
// What an exchange condenses itself: its candles, told once each when they are over, and its
// tickers, of which the latest is told now and then. No clock, no I/O: the caller says what time it
// is. Any one thread.
#include <map>
#include <string>
#include <utility>

#include "daemon/ingress/stream_window.hpp"

namespace vigil::ingress {

class StreamBoard {
 public:
  // `shortest`: of the intervals; a mark speaks of its bars.
  StreamBoard(Duration shortest, Duration quote_every)
      : shortest_(shortest), quote_every_(quote_every) {}

  // Before the first candle: what was told of the symbol by an earlier process.
  void resume(const std::string& symbol, const StreamMark& mark);
  // Takes the bars and quotes of the message. Between two candles that do not touch is a gap.
  void take(StreamMessage& message, TimePoint now, StreamNews& news);
  void disconnected();
  void advance(TimePoint now, StreamNews& news);
  bool has_open() const { return waiting_ > 0; }  // quotes that advance() will tell

 private:
  struct Candles {
    TimePoint told_until;
    GapCause cause = GapCause::numbers;  // of a gap before the next one
  };
  struct Ticker {
    StreamQuote latest;
    TimePoint told{};
    bool waits = false;
  };
  void take(Bar bar, StreamNews& news);
  void take(StreamQuote quote, TimePoint now, StreamNews& news);

  Duration shortest_;
  Duration quote_every_;
  std::map<std::pair<std::string, Duration>, Candles> candles_;
  std::map<std::string, Ticker> tickers_;
  std::size_t waiting_ = 0;
};

}  // namespace vigil::ingress
