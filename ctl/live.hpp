#pragma once
// A swarm while it runs, as lines that are drawn again and again. Pure: news in, lines out; each
// costs little, however many tasks there are.
#include <array>
#include <deque>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/json.hpp"
#include "core/time.hpp"
#include "ctl/render.hpp"

namespace vigil::ctl {

class LiveSwarm {
 public:
  explicit LiveSwarm(const json::value& swarm) { take_all(swarm); }

  // As it was fetched, at first and after news were lost.
  void take_all(const json::value& swarm);
  // One item of the topic "task". What is older than what is known changes nothing.
  void take(const json::value& news, TimePoint now);

  // At most `height` lines of at most style.width columns (80 when unknown), without line ends.
  std::vector<std::string> frame(const Style& style, int height) const;

 private:
  LiveSwarm() = default;
  enum State : std::size_t { waiting, running, done, failed, cancelled, skipped };
  struct Row {
    std::string name;
    State state = waiting;
    std::int64_t attempt = 0;
    TimePoint started;
    Duration took{0};
    Duration learned{0};
    double fraction = -1;
    bool has_children = false;
    std::string note;
  };
  // How long those of one kind took so far: names that differ by the number at their end.
  struct Kind {
    Duration sum{0};
    int count = 0;
  };
  struct Columns;

  static State state_from(std::string_view text);
  std::size_t place_of(const std::string& name);
  void become(std::size_t place, State state);
  double estimate(const Row& row, TimePoint now) const;
  std::string header(const Style& style, std::size_t width) const;
  std::string line(const Row& row, const Columns& columns, const Style& style) const;
  std::string rest_line(std::size_t hidden) const;

  std::string title_;
  TimePoint started_;
  std::vector<Row> rows_;
  std::unordered_map<std::string, std::size_t> places_;
  std::array<std::size_t, 6> counts_{};
  std::set<std::pair<TimePoint, std::size_t>> running_;
  std::deque<std::size_t> ended_;  // the newest last
  std::unordered_map<std::string, Kind> kinds_;
  Duration worked_{0};  // by tasks that ended
};

}  // namespace vigil::ctl
