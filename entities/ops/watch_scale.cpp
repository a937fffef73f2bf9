#include "entities/ops/watch_scale.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <cmath>

namespace vigil::entities::ops {
namespace {

using namespace std::chrono_literals;

constexpr Duration asked_lasts = 1h;  // an answer to an old wish would do harm

std::optional<double> largest(const Selector& selector, const Look& look) {
  std::optional<double> out;
  for (const auto& reading : look.readings) {
    if (!selector.matches(reading.name, reading.labels)) continue;
    out = std::max(out.value_or(reading.value), reading.value);
  }
  return out;
}

std::optional<int> whole(std::optional<double> number) {
  if (!number || std::abs(*number) > 1e9 || *number < 0) return std::nullopt;
  return static_cast<int>(std::lround(*number));
}

std::optional<int> size_of(const Scale& scale, const Look& look, const json::value& printed) {
  if (scale.size) return whole(largest(*scale.size, look));
  return printed.is_number() ? whole(printed.to_number<double>()) : std::nullopt;
}

// Said once, until something else is to be said.
std::vector<std::string> once(ScaleState& state, std::string why) {
  if (state.told == why) return {};
  state.told = why;
  if (why.empty()) return {};
  return {std::move(why)};
}

void heed_the_clock(ScaleState& state, TimePoint now) {
  std::erase_if(state.changes, [&](TimePoint at) { return at <= now - 1h || at > now; });
  for (auto* since : {&state.up_since, &state.down_since, &state.asked}) {
    if (*since && **since > now) *since = now;
  }
  // Its action has expired by then, or was only observed.
  if (state.asked && now - *state.asked > asked_lasts + 5min) state.asked.reset();
}

enum class Way { none, up, down };

Way way_of(const Scale& scale, std::optional<double> value, ScaleState& state, TimePoint now) {
  const bool up = value && *value > scale.settings.up_above;
  const bool down = value && *value < scale.settings.down_below;
  if (!up) state.up_since.reset();
  if (!down) state.down_since.reset();
  if (up && !state.up_since) state.up_since = now;
  if (down && !state.down_since) state.down_since = now;
  const auto lasts = scale.settings.lasts;
  if (up && now - *state.up_since >= lasts) return Way::up;
  if (down && now - *state.down_since >= lasts) return Way::down;
  return Way::none;
}

Action wish(const Scale& scale, double value, int from, int to, TimePoint now) {
  const auto& settings = scale.settings;
  const auto text = fmt::format("scale {} {} from {} to {}: {} is {:.6g}, {} {:.6g}", settings.name,
                                to > from ? "up" : "down", from, to, settings.reading, value,
                                to > from ? "above" : "below",
                                to > from ? settings.up_above : settings.down_below);
  Action action;
  action.kind = scale_kind;
  action.sink = settings.sink;
  action.expires = now + asked_lasts;
  action.payload = {{"scale", settings.name},
                    {"direction", to > from ? "up" : "down"},
                    {"from", from},
                    {"to", to},
                    {"reading", settings.reading},
                    {"value", value},
                    {"text", text}};
  return action;
}

}  // namespace

std::vector<std::string> rescale(const Scale& scale, const Look& look, const json::value& printed,
                                 WatchState& all, TimePoint now, Decision& decision) {
  const auto& settings = scale.settings;
  auto& state = all.scales[settings.name];
  heed_the_clock(state, now);
  const auto value = largest(scale.reading, look);
  const auto way = way_of(scale, value, state, now);
  if (way == Way::none) return once(state, "");
  const bool waits = std::ranges::any_of(
      all.scales, [](const auto& entry) { return entry.second.asked.has_value(); });
  if (waits) return {};  // one at a time, so that an answer is to a known question
  if (state.quiet_until && *state.quiet_until > now &&
      *state.quiet_until <= now + settings.cooldown) {
    return {};
  }
  const auto size = size_of(scale, look, printed);
  const auto name = "scale " + settings.name;
  if (!size) return once(state, name + ": its present size is not known, so nothing is changed");
  const auto step = way == Way::up ? settings.step : -settings.step;
  const int to = std::clamp(*size + step, settings.min, settings.max);
  if (to == *size || (to > *size) != (way == Way::up)) {
    return once(state, fmt::format("{}: it stays at {}, its {}", name, *size,
                                   way == Way::up ? "largest" : "smallest"));
  }
  if (state.changes.size() >= static_cast<std::size_t>(settings.per_hour_max)) {
    return once(state, fmt::format("{}: it was changed {} times within an hour", name,
                                   state.changes.size()));
  }
  decision.actions.push_back(wish(scale, *value, *size, to, now));
  state.asked = now;
  state.told.clear();
  return {std::string(decision.actions.back().payload["text"].as_string())};
}

std::string scale_settled(const ActionSettled& settled, const std::vector<Scale>& all,
                          WatchState& state, TimePoint now) {
  for (auto& [name, scale] : state.scales) {
    if (!scale.asked) continue;
    scale.asked.reset();
    const auto found = std::ranges::find(
        all, name, [](const auto& one) -> const std::string& { return one.settings.name; });
    if (found == all.end()) continue;
    scale.quiet_until = now + found->settings.cooldown;
    scale.up_since.reset();
    scale.down_since.reset();
    // Whether it reached anybody is not known: it counts, so that it is not done twice.
    const bool done = settled.outcome == "delivered" || settled.outcome == "unknown";
    if (done) scale.changes.push_back(now);
    return fmt::format("scale {} was {}{}{}; nothing is changed for {}", name, settled.outcome,
                       settled.error.empty() ? "" : ": ", plain(settled.error, 200),
                       vigil::to_text(found->settings.cooldown));
  }
  return {};
}

}  // namespace vigil::entities::ops
