#include "daemon/delivery/lanes.hpp"

#include <algorithm>

#include "core/check.hpp"

namespace vigil::delivery {

void Lanes::add(ActionId id, const Place& place, TimePoint not_before) {
  if (!places_.emplace(id, place).second) return;
  lanes_[place].waiting.emplace(id, not_before);
  sinks_.try_emplace(place.sink);
}

bool Lanes::may_start(const Lane& lane, const SinkState& sink) const {
  return !lane.running && !lane.waiting.empty() && sink.running < per_sink_max_;
}

std::vector<ActionId> Lanes::take(TimePoint now) {
  struct Ready {
    ActionId id;
    Lane* lane;
    SinkState* sink;
  };
  std::vector<Ready> ready;
  for (auto& [place, lane] : lanes_) {
    auto& sink = sinks_.at(place.sink);
    if (!may_start(lane, sink) || sink.closed_until > now) continue;
    const auto& [id, not_before] = *lane.waiting.begin();
    if (not_before <= now) ready.push_back({id, &lane, &sink});
  }
  // The oldest first when a sink cannot take all of them.
  std::ranges::sort(ready, {}, &Ready::id);
  std::vector<ActionId> taken;
  for (const auto& one : ready) {
    if (one.sink->running >= per_sink_max_) continue;
    one.lane->running = one.id;
    ++one.sink->running;
    taken.push_back(one.id);
  }
  return taken;
}

void Lanes::ended(ActionId id) {
  const auto place = places_.find(id);
  if (place == places_.end()) return;
  const auto lane = lanes_.find(place->second);
  VIGIL_CHECK(lane != lanes_.end());
  if (lane->second.running == id) {
    lane->second.running = {};
    --sinks_.at(place->second.sink).running;
  }
  lane->second.waiting.erase(id);
  if (lane->second.waiting.empty()) lanes_.erase(lane);
  places_.erase(place);
}

void Lanes::put_off(ActionId id, TimePoint not_before) {
  const auto place = places_.find(id);
  if (place == places_.end()) return;
  auto& lane = lanes_.at(place->second);
  if (lane.running == id) {
    lane.running = {};
    --sinks_.at(place->second.sink).running;
  }
  lane.waiting[id] = not_before;
}

void Lanes::close_sink(const std::string& sink, TimePoint until) {
  sinks_[sink].closed_until = until;
}

void Lanes::open_sinks() {
  for (auto& [name, sink] : sinks_) sink.closed_until = TimePoint{};
}

std::optional<TimePoint> Lanes::next(TimePoint now) const {
  std::optional<TimePoint> out;
  for (const auto& [place, lane] : lanes_) {
    const auto& sink = sinks_.at(place.sink);
    if (!may_start(lane, sink)) continue;  // something ends first
    const auto at = std::max({lane.waiting.begin()->second, sink.closed_until, now});
    out = std::min(out.value_or(TimePoint::max()), at);
  }
  return out;
}

const Lanes::Place* Lanes::find(ActionId id) const {
  const auto place = places_.find(id);
  return place == places_.end() ? nullptr : &place->second;
}

std::size_t Lanes::running() const {
  std::size_t count = 0;
  for (const auto& [name, sink] : sinks_) count += static_cast<std::size_t>(sink.running);
  return count;
}

}  // namespace vigil::delivery
