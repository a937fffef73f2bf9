// The page of a back-test: one SVG drawn here, no script, nothing fetched.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "entities/market/backtest.hpp"
#include "entities/market/candles.hpp"
#include "entities/market/zigzag.hpp"

namespace vigil::entities::market {
namespace {

constexpr double width = 1200, height = 460, left = 70, right = 12, top = 26, bottom = 96;
constexpr double volume_height = 50;
constexpr double body_most = 14;
constexpr std::size_t candles_most = 600;  // beyond, each candle drawn is several bars
constexpr std::size_t rows_most = 500;

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else
      out += c;
  }
  return out;
}

std::string minute_of(TimePoint at) {
  auto text = to_rfc3339(at).substr(0, 16);
  text[10] = ' ';
  return text;
}
// As much of it as tells the marks of an axis from each other.
std::string mark_of(TimePoint at, Duration span) {
  using namespace std::chrono_literals;
  const auto text = minute_of(at);
  if (span == Duration{0}) return text;
  return span < 36h ? text.substr(11) : span < 240h ? text.substr(5) : text.substr(0, 10);
}

std::string price_text(double price, double unit) {
  if (std::abs(price) >= 1e9) return fmt::format("{:.6g}", price);
  const auto digits = std::clamp(-static_cast<int>(std::floor(std::log10(unit))), 0, 12);
  return fmt::format("{:.{}f}", price, digits);
}

std::string counted(std::size_t count, std::string_view what) {
  return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

struct Drawn {
  Candle candle;
  TimePoint at;
};

std::vector<Drawn> thinned(std::span<const Bar> bars) {
  const auto each = (bars.size() + candles_most - 1) / candles_most;
  std::vector<Drawn> out;
  for (std::size_t i = 0; i < bars.size(); ++i) {
    const auto one = to_candle(bars[i]);
    if (i % each == 0) {
      out.push_back({one, bars[i].at});
      continue;
    }
    auto& candle = out.back().candle;
    candle.high = std::max(candle.high, one.high);
    candle.low = std::min(candle.low, one.low);
    candle.close = one.close;
    candle.volume += one.volume;
  }
  return out;
}

class Chart {
 public:
  explicit Chart(std::span<const Bar> bars) : drawn_(thinned(bars)) {
    lowest_ = drawn_.front().candle.low;
    highest_ = drawn_.front().candle.high;
    for (const auto& one : drawn_) {
      lowest_ = std::min(lowest_, one.candle.low);
      highest_ = std::max(highest_, one.candle.high);
      volume_ = std::max(volume_, one.candle.volume);
    }
    if (highest_ <= lowest_) {  // one price all the time: in the middle
      const double around = std::max(std::abs(highest_) / 50, 1e-9);
      highest_ += around;
      lowest_ -= around;
    }
  }

  std::string svg(const Backtest& tried, double worth) const {
    std::string out =
        fmt::format("<svg viewBox=\"0 0 {} {}\" role=\"img\" aria-label=\"candles and alerts\">\n",
                    width, height);
    grid(out);
    for (std::size_t i = 0; i < drawn_.size(); ++i) candle(out, i);
    for (const auto& outcome : tried.outcomes) alert(out, outcome, worth);
    return out + "</svg>\n";
  }

 private:
  double step() const { return (width - left - right) / static_cast<double>(drawn_.size()); }
  double x(std::size_t i) const { return left + step() * (static_cast<double>(i) + 0.5); }
  double y(double price) const {
    return top + (height - top - bottom) * (highest_ - price) / (highest_ - lowest_);
  }

  void grid(std::string& out) const {
    const double raw = (highest_ - lowest_) / 6;
    const double power = std::pow(10, std::floor(std::log10(raw)));
    const double unit = raw / power > 5 ? 10 * power : raw / power > 2 ? 5 * power : 2 * power;
    for (double at = std::ceil(lowest_ / unit) * unit; at <= highest_; at += unit) {
      out += fmt::format(
          "<path class=\"g\" d=\"M{} {:.1f}H{}\"/><text x=\"{}\" y=\"{:.1f}\" "
          "class=\"r\">{}</text>\n",
          left, y(at), width - right, left - 6, y(at) + 4, price_text(at, unit));
    }
    const auto marks = std::min<std::size_t>(8, drawn_.size());
    for (std::size_t i = 0; i < marks; ++i) {
      const auto at = i * (drawn_.size() - 1) / std::max<std::size_t>(1, marks - 1);
      out += fmt::format("<text x=\"{:.1f}\" y=\"{}\" class=\"m\">{}</text>\n",
                         std::clamp(x(at), left + 34, width - right - 34), height - 6,
                         mark_of(drawn_[at].at, drawn_.back().at - drawn_.front().at));
    }
  }

  void candle(std::string& out, std::size_t i) const {
    const auto& one = drawn_[i].candle;
    const auto* kind = one.close >= one.open ? "u" : "d";
    const double body = std::max(0.8, std::abs(y(one.open) - y(one.close)));
    const double wide = std::clamp(0.7 * step(), 0.8, body_most);
    out += fmt::format(
        "<path class=\"{}\" d=\"M{:.1f} {:.1f}V{:.1f}\"/>"
        "<rect class=\"{}\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>",
        kind, x(i), y(one.high), y(one.low), kind, x(i) - wide / 2,
        y(std::max(one.open, one.close)), wide, body);
    if (volume_ > 0) {
      const double tall = volume_height * one.volume / volume_;
      out += fmt::format(
          "<rect class=\"v\" x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\"/>",
          x(i) - wide / 2, height - 24 - tall, wide, tall);
    }
    out += '\n';
  }

  void alert(std::string& out, const Outcome& outcome, double worth) const {
    const auto found = std::ranges::upper_bound(drawn_, outcome.alert.at, {}, &Drawn::at);
    const auto after = static_cast<std::size_t>(found - drawn_.begin());
    const auto i = after == 0 ? 0 : after - 1;
    const auto* kind = outcome.is_hit(worth) ? "hit" : outcome.is_noise(worth) ? "noise" : "wrong";
    const bool below = outcome.alert.direction >= 0;
    const double at = below ? y(drawn_[i].candle.low) + 5 : y(drawn_[i].candle.high) - 5;
    const double end = below ? at + 11 : at - 11;
    out += fmt::format(
        "<path class=\"{}\" d=\"M{:.1f} {:.1f}l-5 {}h10z\"><title>{}: {} ({}), {} after an hour, "
        "{} "
        "after a day</title></path>\n",
        kind, x(i), at, end - at, escaped(outcome.alert.rule), escaped(outcome.alert.what),
        minute_of(outcome.alert.at), move_text(outcome.after_hour), move_text(outcome.after_day));
  }

  std::vector<Drawn> drawn_;
  double lowest_ = 0, highest_ = 0, volume_ = 0;
};

constexpr std::string_view style =
    "body{font:14px/1.5 system-ui,sans-serif;margin:24px auto;max-width:1240px;padding:0 16px;"
    "color:#1c2430;background:#fff}h1{font-size:20px}svg{width:100%;height:auto;border:1px solid "
    "#dde3ea;border-radius:6px}svg text{font-size:11px;fill:#5b6778}.r{text-anchor:end}"
    ".m{text-anchor:middle}.g{stroke:#edf0f4}path.u{stroke:#1a7f55}path.d{stroke:#c0392b}"
    "rect.u{fill:#1a7f55}rect.d{fill:#c0392b}.v{fill:#c9d3df}.hit{fill:#1456c8}.wrong{fill:#e08a00}"
    ".noise{fill:#8a94a3}table{border-collapse:collapse;margin:16px 0;width:100%}th,td{padding:4px "
    "10px;text-align:right;border-bottom:1px solid #e7ebf0}th:first-child,td:first-child,.t{"
    "text-align:left}.key span{margin-right:18px}.key "
    "i{display:inline-block;width:10px;height:10px;"
    "margin-right:6px}@media(prefers-color-scheme:dark){body{background:#12161c;color:#dbe2ea}"
    "svg{border-color:#2a323d}.g{stroke:#222a34}.v{fill:#39424f}th,td{border-color:#29313b}}";

std::string scores_html(const Backtest& tried) {
  std::string out =
      "<table><tr><th>rule</th><th>told</th><th>hit rate</th><th>noise</th><th>mean after 1 h</th>"
      "<th>mean after 1 d</th><th>worst drawdown</th></tr>\n";
  for (const auto& [rule, score] : tried.scores) {
    if (score.known == 0) {
      out += fmt::format("<tr><td>{}</td><td>{}</td>{}</tr>\n", escaped(rule), score.told,
                         "<td>-</td><td>-</td><td>-</td><td>-</td><td>-</td>");
      continue;
    }
    out += fmt::format(
        "<tr><td>{}</td><td>{}</td><td>{:.0f}%</td><td>{:.0f}%</td><td>{}</td>"
        "<td>{}</td><td>{:.2f}%</td></tr>\n",
        escaped(rule), score.told, 100 * score.hit_rate(), 100 * score.noise_share(),
        move_text(score.mean_hour()), move_text(score.mean_day()), score.worst);
  }
  return out + "</table>\n";
}

std::string alerts_html(const Backtest& tried) {
  std::string out =
      "<table><tr><th>when</th><th class=\"t\">rule</th><th class=\"t\">what</th><th>price</th>"
      "<th>after 1 h</th><th>after 1 d</th></tr>\n";
  for (std::size_t i = 0; i < tried.outcomes.size() && i < rows_most; ++i) {
    const auto& one = tried.outcomes[i];
    out += fmt::format(
        "<tr><td>{}</td><td class=\"t\">{}</td><td class=\"t\">{}</td><td>{}</td>"
        "<td>{}</td><td>{}</td></tr>\n",
        minute_of(one.alert.at), escaped(one.alert.rule), escaped(one.alert.what),
        one.alert.price.text(), move_text(one.after_hour), move_text(one.after_day));
  }
  return out + "</table>\n";
}

}  // namespace

std::string to_html(const std::string& title, std::span<const Bar> bars, const Backtest& tried,
                    double worth) {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
      "content=\"width=device-width\"><title>{0}</title><style>{1}</style></head>\n<body><h1>{0}"
      "</h1>\n",
      escaped(title), style);
  if (bars.empty()) return out + "<p>There are no bars.</p></body></html>\n";
  out += fmt::format(
      "<p>{} from {} to {}. An alert counts as a hit when the price went {}% its way within an "
      "hour or a day, as noise when it went nowhere.</p>\n",
      counted(bars.size(), "bar"), minute_of(bars.front().at), minute_of(bars.back().at), worth);
  out += Chart(bars).svg(tried, worth);
  if (!tried.outcomes.empty()) {
    out +=
        "<p class=\"key\"><span><i style=\"background:#1456c8\"></i>hit</span><span><i "
        "style=\"background:#e08a00\"></i>went the other way</span><span><i "
        "style=\"background:#8a94a3\"></i>noise</span><span>\u25b2 told of a rise, or of neither"
        "</span><span>\u25bc of a fall</span></p>\n";
  }
  out += scores_html(tried);
  if (tried.outcomes.empty()) {
    return out + "<p>No alert: no rule held in these bars.</p></body></html>\n";
  }
  out += alerts_html(tried);
  if (tried.outcomes.size() > rows_most) {
    out += fmt::format("<p>and {} more</p>\n", tried.outcomes.size() - rows_most);
  }
  return out + "</body></html>\n";
}

}  // namespace vigil::entities::market
