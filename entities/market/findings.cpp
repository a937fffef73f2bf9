#include "entities/market/findings.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>

#include "core/digest.hpp"
#include "entities/market/candles.hpp"
#include "entities/market/watch_course.hpp"
#include "entities/ops/alert.hpp"

namespace vigil::entities::market {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t news_told = 5;
constexpr std::size_t bars_of_hour_max = 60;

Result<Alert> alert_of(const Request& request) {
  const auto* found = find_path(request.input, "alert");
  if (found == nullptr || !found->is_object()) {
    return fail(ErrorCode::invalid_input,
                "alert is missing: {\"id\", \"rule\", \"at\", \"price\"}");
  }
  return alert_from_json(*found);
}

const json::array& list_at(const json::value& from, std::string_view key) {
  static const json::array none;
  const auto* found = find_path(from, key);
  return found != nullptr && found->is_array() ? found->get_array() : none;
}

Duration duration_at(const json::value& from, std::string_view key, Duration otherwise) {
  const auto text = find_text(from, key);
  const auto parsed = text ? parse_duration(*text) : fail(ErrorCode::invalid_input, "");
  return parsed ? *parsed : otherwise;
}

std::optional<double> number_at(const json::value& from, std::string_view key) {
  const auto* found = find_path(from, key);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  return found->to_number<double>();
}

std::vector<Bar> bars_of(const json::value& input) {
  std::vector<Bar> out;
  for (const auto& entry : list_at(input, "bars")) {
    if (!entry.is_string()) continue;
    Archive archive(entry.get_string());
    Bar bar;
    keep(bar, archive);
    if (archive.whole()) out.push_back(std::move(bar));
  }
  return out;
}

double move_between(const Bar& from, const Bar& to) {
  return 100 * ratio(to.close.number() - from.close.number(), from.close.number());
}

// The bar that ends a day, or so, after another.
const Bar* bar_after(const std::vector<Bar>& bars, std::size_t from, Duration later) {
  for (auto i = from + 1; i < bars.size(); ++i) {
    if (bars[i].end() >= bars[from].end() + later) return &bars[i];
  }
  return nullptr;
}

std::string when_text(std::int64_t minutes) {
  const auto size = std::abs(minutes);
  const auto text = size < 120 ? fmt::format("{} min", size) : fmt::format("{} h", size / 60);
  return text + (minutes < 0 ? " before" : " after");
}

void say_news(std::string& out, const json::value& found) {
  const auto& items = list_at(found, "items");
  if (items.empty()) {
    out += "No news near it.\n";
    return;
  }
  for (std::size_t i = 0; i < items.size() && i < news_told; ++i) {
    const auto title = ops::marked(find_text(items[i], "title").value_or(""));
    const auto link = find_text(items[i], "link").value_or("");
    out += fmt::format("- {}: {}{}{}\n", when_text(find_integer(items[i], "minutes").value_or(0)),
                       title, link.empty() ? "" : " ", link);
  }
}

void say_peers(std::string& out, const json::value& found) {
  std::string peers;
  for (const auto& peer : list_at(found, "peers")) {
    const auto hour = number_at(peer, "hour");
    const auto day = number_at(peer, "day");
    if (!hour && !day) continue;
    peers += fmt::format("{}{} {:+.2f}% in {}", peers.empty() ? "" : ", ",
                         find_text(peer, "name").value_or(""), hour ? *hour : *day,
                         hour ? "an hour" : "a day");
  }
  if (!peers.empty()) out += "Peers: " + peers + ".\n";
}

void say_history(std::string& out, const json::value& found) {
  const auto count = find_integer(found, "count").value_or(0);
  const auto move = number_at(found, "move");
  if (!move) return;
  if (count == 0) {
    out += fmt::format("A move of {:+.2f}% has no like in the {} bars that are known.\n", *move,
                       find_integer(found, "bars").value_or(0));
    return;
  }
  out += fmt::format(
      "{} moves like this one ({:+.2f}%) before: {:+.2f}% on average a day later, {} "
      "of them went on the same way.\n",
      count, *move, number_at(found, "mean_day").value_or(0),
      find_integer(found, "went_on").value_or(0));
}

void say_score(std::string& out, const json::value& input) {
  const auto* kept = find_path(input, "score");
  if (kept == nullptr || !kept->is_object()) return;
  const auto score = score_from_json(*kept);
  if (score.known == 0) return;
  out += fmt::format("This rule so far: {} told, {:.0f}% hits, {:.0f}% noise.\n", score.told,
                     100 * score.hit_rate(), 100 * score.noise_share());
}

}  // namespace

Result<json::value> find_news(const Request& request) {
  const auto alert = alert_of(request);
  if (!alert) return std::unexpected(alert.error());
  const auto before = duration_at(request.input, "before", 6h);
  const auto after = duration_at(request.input, "after", 1h);
  struct Near {
    std::int64_t minutes;
    json::object item;
  };
  std::vector<Near> near;
  for (const auto& item : list_at(request.input, "items")) {
    const auto at = parse_rfc3339(find_text(item, "at").value_or(""));
    if (!at || !item.is_object()) continue;
    if (*at < alert->at - before || *at > alert->at + after) continue;
    const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(*at - alert->at).count();
    auto kept = item.get_object();
    kept["minutes"] = minutes;
    near.push_back({minutes, std::move(kept)});
  }
  // What came before may be the reason; what came after is a report of it, at best.
  std::ranges::sort(near, {}, [](const Near& one) {
    return std::pair(one.minutes <= 0 ? -one.minutes : 2 * one.minutes,
                     std::string(find_text(one.item, "id").value_or("")));
  });
  json::array items;
  for (auto& one : near) items.emplace_back(std::move(one.item));
  const auto summary = fmt::format("{} items of news near it", items.size());
  return json::value{{"items", std::move(items)}, {"summary", summary}};
}

Result<json::value> compare_peers(const Request& request) {
  const auto alert = alert_of(request);
  if (!alert) return std::unexpected(alert.error());
  json::array peers;
  std::size_t same = 0;
  for (const auto& peer : list_at(request.input, "peers")) {
    const auto move = number_at(peer, "hour");
    if (!peer.is_object()) continue;
    if (move && alert->direction != 0 && *move * alert->direction > 0) ++same;
    peers.push_back(peer);
  }
  const auto summary = fmt::format("{} of {} peers went the same way", same, peers.size());
  return json::value{{"peers", std::move(peers)}, {"same_way", same}, {"summary", summary}};
}

Result<json::value> recall_moves(const Request& request) {
  const auto alert = alert_of(request);
  if (!alert) return std::unexpected(alert.error());
  const auto bars = bars_of(request.input);
  json::object out{{"bars", bars.size()}, {"count", 0}, {"summary", "too few bars are known"}};
  std::size_t last = bars.size();
  while (last > 0 && bars[last - 1].end() > alert->at) --last;
  // An hour of bars, or one bar where they are longer.
  std::size_t span = 1;
  if (last > 0 && bars[last - 1].interval > Duration{0}) {
    span = std::clamp<std::size_t>(static_cast<std::size_t>(1h / bars[last - 1].interval), 1,
                                   bars_of_hour_max);
  }
  if (last < span + 2) return json::value(std::move(out));
  const double move = move_between(bars[last - 1 - span], bars[last - 1]);
  std::int64_t count = 0;
  std::int64_t went_on = 0;
  double sum = 0;
  for (std::size_t i = span; i + span < last - 1; ++i) {
    const double one = move_between(bars[i - span], bars[i]);
    if (one * move <= 0 || std::abs(one) < 0.8 * std::abs(move)) continue;
    const auto* later = bar_after(bars, i, 24h);
    if (later == nullptr || later->at >= alert->at) continue;
    const double followed = move_between(bars[i], *later);
    ++count;
    went_on += followed * move > 0 ? 1 : 0;
    sum += followed;
    i += span;  // the same move is not counted twice
  }
  out["move"] = move;
  out["count"] = count;
  out["went_on"] = went_on;
  if (count > 0) out["mean_day"] = sum / static_cast<double>(count);
  out["summary"] = fmt::format("{} moves like {:+.2f}% in {} bars", count, move, bars.size());
  return json::value(std::move(out));
}

Result<json::value> make_report(const Request& request) {
  const auto alert = alert_of(request);
  if (!alert) return std::unexpected(alert.error());
  const auto watch = find_text(request.input, "alert.watch").value_or("");
  const auto part = [&](std::string_view name) {
    const auto* found = request.inputs.if_contains(name);
    return found == nullptr ? json::value() : *found;
  };
  const auto news = part("news");
  std::string others;
  say_peers(others, part("peers"));
  say_history(others, part("history"));
  say_score(others, request.input);
  const bool nothing = others.empty() && list_at(news, "items").empty();
  auto text = headline(std::string(watch), *alert) + "\n";
  say_news(text, news);
  text += others;
  std::string links;
  for (const auto& item : list_at(news, "items")) links += find_text(item, "id").value_or("");
  return json::value{{"text", text},
                     {"nothing", nothing},
                     {"alert", to_json(*alert)},
                     {"news", list_at(news, "items")},
                     {"digest", to_hex(as_bytes(sha256(links))).substr(0, 16)},
                     {"summary", alert->id}};
}

}  // namespace vigil::entities::market
