#pragma once
// Condenses trades at the door: bars of each symbol, in memory until they are over; what is
// missing, said twice, late or in disorder is noticed. No clock, no I/O: the caller says what time
// it is. Any one thread.
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "daemon/ingress/stream_message.hpp"

namespace vigil::ingress {

enum class GapCause { numbers, connection, restart, reset };

struct Gap {
  std::string symbol;
  GapCause cause = GapCause::numbers;
  std::uint64_t first = 0;  // the first and the last number that is missed; 0: not known
  std::uint64_t last = 0;
  std::uint64_t missed = 0;  // trades; several holes may lie between first and last
  TimePoint from, to;        // of the trades around it
};

// Two gaps of one symbol as one.
void merge(Gap& into, const Gap& other);

struct Crossing {
  Decimal level;
  bool up = true;
  Decimal before;
  Trade trade;
};

struct StreamNews {
  std::vector<Bar> bars;
  std::vector<Gap> gaps;
  std::vector<Crossing> crossings;
  std::vector<StreamQuote> quotes;
  bool empty() const { return bars.empty() && gaps.empty() && crossings.empty() && quotes.empty(); }
};

struct WindowSettings {
  std::vector<Duration> intervals;
  Duration lateness{0};
  std::map<std::string, std::vector<Decimal>> levels;
};

struct StreamCounts {
  std::uint64_t trades = 0;  // that counted
  std::uint64_t duplicates = 0;
  std::uint64_t late = 0;  // their bar was over; or out of their turn and in their bar: disorder
  std::uint64_t disorder = 0;
  std::uint64_t missed = 0;           // by their numbers
  std::uint64_t refused_symbols = 0;  // trades of more symbols than are kept
  std::uint64_t held_crossings = 0;   // too soon after the same one
};

// What survives a restart, by symbol: up to where bars were told.
struct StreamMark {
  std::uint64_t number = 0;
  TimePoint told_until{};
};

class StreamWindow {
 public:
  explicit StreamWindow(WindowSettings settings);

  // Before the first trade: what was told of the symbol by an earlier process.
  void resume(const std::string& symbol, const StreamMark& mark);
  void add(const Trade& trade, TimePoint now, StreamNews& news);
  struct Hole {
    std::string symbol;
    std::uint64_t first = 0;  // 0: trades without numbers
    std::uint64_t last = 0;
    TimePoint from;  // the last trade before it
  };
  // Trades that were asked for because of the hole. What is left of it, where something was filled.
  std::optional<Hole> fill(const Hole& hole, const std::vector<Trade>& trades, TimePoint now);
  // From here on nothing was heard; what was not numbered is said to be missing.
  void disconnected(TimePoint now);
  // Ends bars and gives up on what is missing for too long. Often: each second is enough.
  void advance(TimePoint now, StreamNews& news);
  bool has_open() const;  // bars or holes that advance() will end

  // Those noticed since the last call.
  std::vector<Hole> take_holes();
  const StreamCounts& counts() const { return counts_; }
  std::size_t symbols() const { return symbols_.size(); }

 private:
  struct Missing {
    std::uint64_t first, last;
    TimePoint from, to;
    TimePoint noticed;
    GapCause cause;
  };
  struct Span {
    TimePoint from, to;
  };
  struct Frame {
    Duration interval{0};
    std::map<TimePoint, Bar> open;
    TimePoint over_until{};  // bars before it were told
  };
  struct Symbol {
    std::uint64_t high = 0;  // the largest number heard; 0: none
    std::deque<Missing> missing;
    std::deque<Span> gaps;  // that were given up, for as long as a bar may overlap them
    std::optional<Gap> unsaid;
    std::optional<TimePoint> deaf_since;  // of trades without numbers
    GapCause deaf_cause = GapCause::connection;
    TimePoint heard_from{};  // the first trade: bars that began before it are not whole
    TimePoint latest{};      // by the time of the trades
    TimePoint heard{};       // by the clock
    Decimal price;
    int stale_repeats = 0;  // numbers of before at later times, in a row
    std::vector<Frame> frames;
    std::unordered_set<std::string> ids;
    std::deque<std::string> ids_in_order;
    std::map<std::pair<std::string, bool>, TimePoint> crossed;
  };

  enum class Turn { next, disorder, duplicate };
  Symbol* find_symbol(const std::string& name);
  Turn take_number(Symbol& symbol, const Trade& trade, TimePoint now);
  Turn take_id(Symbol& symbol, const Trade& trade);
  void note_silence(Symbol& symbol, const Trade& trade, TimePoint now);
  void put_late(Symbol& symbol, const Trade& trade);
  void fill_span(Symbol& symbol, const Hole& hole, const std::vector<Trade>& trades);
  bool put(Symbol& symbol, const Trade& trade);
  void cross(Symbol& symbol, const Trade& trade, TimePoint now, StreamNews& news);
  void give_up(const std::string& name, Symbol& symbol, const Missing& missing);
  bool is_whole(const Symbol& symbol, const Bar& bar) const;
  void end_bars(Symbol& symbol, TimePoint now, StreamNews& news);

  WindowSettings settings_;
  std::unordered_map<std::string, Symbol> symbols_;
  std::vector<Hole> holes_;
  StreamCounts counts_;
};

}  // namespace vigil::ingress
