// What a watch remembers of its past: the latest bars in its state, older ones put away as facts of
// a hundred bars each, and one fact for other watches to compare themselves with.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/market/candles.hpp"
#include "entities/market/watch_course.hpp"

namespace vigil::entities::market {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t chunk_bars = 100;
constexpr std::int64_t chunks_max = 30;

std::string chunk_key(const std::string& watch, std::int64_t number) {
  return fmt::format("bars:{}:{:09}", watch, number);
}

std::string bar_text(Bar bar) {
  Archive archive;
  keep(bar, archive);
  return std::move(archive).written();
}

void read_bars(const json::value& from, std::vector<Bar>& to) {
  if (!from.is_array()) return;
  for (const auto& entry : from.get_array()) {
    if (!entry.is_string()) continue;
    Archive archive(entry.get_string());
    Bar bar;
    keep(bar, archive);
    if (archive.whole() && (to.empty() || to.back().at < bar.at)) to.push_back(std::move(bar));
  }
}

// The close about so long ago: prices are marked down at most every `step`, `count` of them.
std::optional<double> move_since(json::object& state, std::string_view key, const Bar& bar,
                                 Duration step, std::size_t count, Duration ago) {
  auto& value = state[key];
  if (!value.is_array()) value = json::array{};
  auto& marks = value.get_array();  // time and close in turn
  std::optional<double> from;
  for (std::size_t i = 0; i + 1 < marks.size(); i += 2) {
    const auto at = from_unix_us(marks[i].is_int64() ? marks[i].get_int64() : 0);
    if (at > bar.end() - ago) break;
    const auto close =
        marks[i + 1].is_string() ? Decimal::parse(marks[i + 1].get_string()) : Decimal();
    if (close) from = close->number();
  }
  const bool is_time = marks.empty() || !marks[marks.size() - 2].is_int64() ||
                       from_unix_us(marks[marks.size() - 2].get_int64()) + step <= bar.end();
  if (is_time) {
    marks.emplace_back(to_unix_us(bar.end()));
    marks.emplace_back(bar.close.text());
    while (marks.size() > 2 * count) marks.erase(marks.begin(), marks.begin() + 2);
  }
  if (!from || *from <= 0) return std::nullopt;
  return 100 * (bar.close.number() - *from) / *from;
}

}  // namespace

std::vector<Bar> past_bars(const Course& course) {
  std::vector<Bar> out;
  auto chunks = course.memory.facts(fmt::format("bars:{}:", course.watch.name), 100);
  std::ranges::sort(chunks, {}, &Recollection::RememberedFact::key);
  for (const auto& chunk : chunks) read_bars(chunk.value, out);
  if (const auto* recent = course.state.if_contains("recent")) read_bars(*recent, out);
  return out;
}

void put_away(Course& course, const std::vector<Bar>& bars) {
  if (bars.empty()) return;
  auto& kept = course.state["recent"];
  // Taken out while other members are added: those move the ones that are there.
  auto recent = kept.is_array() ? std::move(kept.get_array()) : json::array{};
  const auto& name = course.watch.name;
  std::optional<double> hour, day;
  for (const auto& bar : bars) {
    recent.emplace_back(bar_text(bar));
    hour = move_since(course.state, "minutes", bar, 5min, 15, 1h);
    day = move_since(course.state, "hours", bar, 1h, 26, 24h);
    if (recent.size() < chunk_bars) continue;
    const auto number = find_integer(course.state, "chunk").value_or(0);
    course.decision.facts.push_back({chunk_key(name, number), std::move(recent), 1, "its bars"});
    recent = json::array{};
    if (number >= chunks_max) {
      course.decision.facts.push_back({chunk_key(name, number - chunks_max), nullptr, 1, ""});
    }
    course.state["chunk"] = number + 1;
  }
  course.state["recent"] = std::move(recent);
  json::object last{{"price", bars.back().close.text()}, {"at", to_rfc3339(bars.back().end())}};
  if (hour) last["hour"] = *hour;
  if (day) last["day"] = *day;
  course.decision.facts.push_back({"last:" + name, std::move(last), 1, "its latest bar"});
}

}  // namespace vigil::entities::market
