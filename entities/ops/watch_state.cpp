#include "entities/ops/watch_state.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>

namespace vigil::entities::ops {
namespace {

void put(json::object& to, std::string_view key, const std::optional<TimePoint>& at) {
  if (at) to[key] = to_unix_us(*at);
}

std::optional<TimePoint> time_in(const json::value& from, std::string_view key) {
  const auto us = find_integer(from, key);
  return us ? std::optional(from_unix_us(*us)) : std::nullopt;
}

const json::object& members_of(const json::value& from, std::string_view key) {
  static const json::object none;
  const auto* found = from.is_object() ? from.get_object().if_contains(key) : nullptr;
  return found != nullptr && found->is_object() ? found->get_object() : none;
}

json::object pending_json(const Pending& one) {
  json::object labels;
  for (const auto& [name, value] : one.labels) labels[name] = value;
  return {{"rule", one.rule},
          {"name", one.name},
          {"labels", std::move(labels)},
          {"since", to_unix_us(one.since)},
          {"last", to_unix_us(one.last)},
          {"firing", one.firing}};
}

Pending pending_from(const json::value& from) {
  Pending out;
  out.rule = find_text(from, "rule").value_or("");
  out.name = find_text(from, "name").value_or("");
  for (const auto& [name, value] : members_of(from, "labels")) {
    if (value.is_string()) out.labels[name] = value.get_string();
  }
  out.since = time_in(from, "since").value_or(TimePoint{});
  out.last = time_in(from, "last").value_or(TimePoint{});
  out.firing = find_bool(from, "firing").value_or(false);
  return out;
}

// Milliseconds since the point before, and the value, in turn.
json::array points_json(const std::vector<series::Point>& points) {
  json::array out;
  out.reserve(points.size() * 2);
  std::int64_t before = 0;
  for (const auto& point : points) {
    const auto ms = to_unix_us(point.at) / 1000;
    out.emplace_back(ms - before);
    before = ms;
    const bool whole = std::trunc(point.value) == point.value && std::abs(point.value) < 1e15;
    if (whole) {
      out.emplace_back(static_cast<std::int64_t>(point.value));
    } else {
      out.emplace_back(point.value);
    }
  }
  return out;
}

std::vector<series::Point> points_from(const json::value& from) {
  std::vector<series::Point> out;
  if (!from.is_array()) return out;
  const auto& list = from.get_array();
  std::int64_t ms = 0;
  for (std::size_t i = 0; i + 1 < list.size(); i += 2) {
    if (!list[i].is_int64() || !list[i + 1].is_number()) break;
    ms += list[i].get_int64();
    out.push_back({from_unix_us(ms * 1000), list[i + 1].to_number<double>()});
  }
  return out;
}

json::object scale_json(const ScaleState& scale) {
  json::object out{{"told", scale.told}};
  put(out, "up_since", scale.up_since);
  put(out, "down_since", scale.down_since);
  put(out, "asked", scale.asked);
  put(out, "quiet_until", scale.quiet_until);
  json::array changes;
  for (const auto at : scale.changes) changes.emplace_back(to_unix_us(at));
  out["changes"] = std::move(changes);
  return out;
}

ScaleState scale_from(const json::value& from) {
  ScaleState out;
  out.told = find_text(from, "told").value_or("");
  out.up_since = time_in(from, "up_since");
  out.down_since = time_in(from, "down_since");
  out.asked = time_in(from, "asked");
  out.quiet_until = time_in(from, "quiet_until");
  if (const auto* list = find_path(from, "changes"); list != nullptr && list->is_array()) {
    for (const auto& at : list->get_array()) {
      if (at.is_int64()) out.changes.push_back(from_unix_us(at.get_int64()));
    }
  }
  return out;
}

}  // namespace

json::object to_json(const WatchState& state) {
  json::object seen;
  json::object pending;
  json::object past;
  json::object scales;
  for (const auto& [rule, at] : state.seen) seen[rule] = to_unix_us(at);
  for (const auto& [fingerprint, one] : state.pending) pending[fingerprint] = pending_json(one);
  for (const auto& [series, points] : state.past) past[series] = points_json(points);
  for (const auto& [name, scale] : state.scales) scales[name] = scale_json(scale);
  json::object out{{"number", state.number},  {"failures", state.failures},
                   {"seen", std::move(seen)}, {"pending", std::move(pending)},
                   {"past", std::move(past)}, {"scales", std::move(scales)},
                   {"notes", state.notes}};
  put(out, "running", state.running);
  put(out, "next", state.next);
  return out;
}

WatchState watch_state_from_json(const json::value& from) {
  WatchState out;
  out.number = find_integer(from, "number").value_or(0);
  out.running = time_in(from, "running");
  out.next = time_in(from, "next");
  out.failures = static_cast<int>(find_integer(from, "failures").value_or(0));
  for (const auto& [rule, at] : members_of(from, "seen")) {
    if (at.is_int64()) out.seen[rule] = from_unix_us(at.get_int64());
  }
  for (const auto& [fingerprint, one] : members_of(from, "pending")) {
    out.pending[fingerprint] = pending_from(one);
  }
  for (const auto& [series, points] : members_of(from, "past")) {
    out.past[series] = points_from(points);
  }
  for (const auto& [name, scale] : members_of(from, "scales")) out.scales[name] = scale_from(scale);
  out.notes = find_text(from, "notes").value_or("");
  return out;
}

}  // namespace vigil::entities::ops
