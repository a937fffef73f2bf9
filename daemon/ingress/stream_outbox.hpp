#pragma once
// What of a stream waits to be stored. Bounded: bars without room are put together (BarQueue), gaps
// of a symbol become one, of its quotes the latest waits, crossings beyond the bound are counted
// and left out. Loop thread only.
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "daemon/ingress/noticed.hpp"
#include "daemon/ingress/stream_events.hpp"

namespace vigil::ingress {

class StreamOutbox {
 public:
  // `shortest`: of the intervals; its bars say how far a symbol was told.
  StreamOutbox(std::string source, Duration shortest);

  void push(StreamNews news);
  std::size_t waiting() const {
    return bars_.size() + gaps_.size() + crossings_.size() + quotes_.size();
  }
  std::uint64_t merged() const { return bars_.merged(); }
  std::uint64_t left_out() const { return left_out_; }

  // Some of what waits, as events with what is to be remembered of them; they wait on until
  // stored() or failed() is called. `begins`: nothing of this form was stored before.
  Noticed next(Taint taint, const std::string& form, bool begins, TimePoint now);
  void stored();
  void failed();

 private:
  std::string source_;
  Duration shortest_;
  BarQueue bars_;
  std::map<std::string, Gap> gaps_;
  std::deque<Crossing> crossings_;
  std::map<std::string, StreamQuote> quotes_;
  std::uint64_t left_out_ = 0;
  std::size_t bars_taken_ = 0;
  std::size_t crossings_taken_ = 0;
  std::vector<Gap> gaps_taken_;
  std::vector<StreamQuote> quotes_taken_;
};

inline constexpr std::string_view stream_form_key = "form";
inline constexpr std::string_view stream_mark_start = "s:";  // and the symbol

}  // namespace vigil::ingress
