#pragma once
// Which approved action may be sent now: in their order within a lane (one case, one sink), lanes
// side by side, a bounded number at once for each sink. An index over the outbox, filled as actions
// become due. Pure; loop thread only.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "core/ids.hpp"
#include "core/time.hpp"

namespace vigil::delivery {

class Lanes {
 public:
  explicit Lanes(int per_sink_max) : per_sink_max_(per_sink_max) {}

  struct Place {
    std::string entity;  // tells actions without a case apart
    CaseId case_id;
    std::string sink;
    auto operator<=>(const Place&) const = default;
  };

  // An approved action; one that is known is left as it is.
  void add(ActionId id, const Place& place, TimePoint not_before);
  // Those that may start now; they count as running until one of the following is said of them.
  std::vector<ActionId> take(TimePoint now);
  void ended(ActionId id);                          // settled, or gone
  void put_off(ActionId id, TimePoint not_before);  // stays at the head of its lane
  // Nothing of that sink starts before then: its limit is reached.
  void close_sink(const std::string& sink, TimePoint until);
  void open_sinks();  // the limits may have changed

  // When take() may find something without any of the above being said; nothing when never.
  std::optional<TimePoint> next(TimePoint now) const;
  const Place* find(ActionId id) const;
  std::size_t size() const { return places_.size(); }
  std::size_t running() const;

 private:
  struct Lane {
    std::map<ActionId, TimePoint> waiting;  // by id: the order they were asked for in
    ActionId running;                       // 0: none
  };
  struct SinkState {
    int running = 0;
    TimePoint closed_until{};
  };
  bool may_start(const Lane& lane, const SinkState& sink) const;

  int per_sink_max_;
  std::map<Place, Lane> lanes_;
  std::map<std::string, SinkState> sinks_;
  std::unordered_map<ActionId, Place> places_;
};

}  // namespace vigil::delivery
