#pragma once
// What a stream came to, as events: bars, gaps, crossings, quotes. Forms: docs/streams.md. Pure.
#include <string>
#include <vector>

#include "core/json.hpp"
#include "daemon/ingress/stream_window.hpp"
#include "storage/journal.hpp"

namespace vigil::ingress {

struct StreamEvent {
  storage::NewEvent event;
  json::value payload;
  // What of the symbol is told with it (bars of the shortest interval only).
  std::string symbol;
  std::optional<StreamMark> mark;
};

StreamEvent event_of(const std::string& source, Taint taint, const Bar& bar, TimePoint now);
StreamEvent event_of(const std::string& source, Taint taint, const Gap& gap, TimePoint now);
StreamEvent event_of(const std::string& source, Taint taint, const Crossing& crossing,
                     TimePoint now);
StreamEvent event_of(const std::string& source, Taint taint, const StreamQuote& quote,
                     TimePoint now);

// As it is kept: "number told_until_us".
std::string mark_text(const StreamMark& mark);
std::optional<StreamMark> parse_stream_mark(const std::string& text);

// Bars that wait to be stored. Where there is no room, a bar is put together with the last one of
// its symbol and interval that waits: a longer bar is less exact, and nothing of it is lost.
class BarQueue {
 public:
  explicit BarQueue(std::size_t room) : room_(room) {}
  void push(Bar bar);
  bool empty() const { return bars_.empty(); }
  std::size_t size() const { return bars_.size(); }
  std::uint64_t merged() const { return merged_; }
  // Up to so many from the front; they stay until drop() says they are stored. What arrives
  // meanwhile is not put together with them.
  std::vector<Bar> front(std::size_t count);
  void drop(std::size_t count);

 private:
  std::size_t room_;
  std::size_t taken_ = 0;
  std::uint64_t merged_ = 0;
  std::deque<Bar> bars_;
};

}  // namespace vigil::ingress
