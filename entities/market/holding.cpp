#include "entities/market/holding.hpp"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "entities/series/detector.hpp"

namespace vigil::entities::market {
namespace {

const Decimal hundredth = Decimal::parse("0.01").value();

Decimal magnitude(const Decimal& value) { return value.is_negative() ? -value : value; }

// value + percent % of it; as it is where that does not fit.
Decimal off_by(const Decimal& value, const Decimal& percent) {
  const auto share = percent.times(hundredth);
  const auto part = share ? magnitude(value).times(*share) : std::nullopt;
  auto out = value;
  if (part && !out.add(*part)) return value;
  return out;
}

int sign(std::partial_ordering order) { return order > 0 ? 1 : order < 0 ? -1 : 0; }

std::string percent_text(double percent) { return fmt::format("{:+.2f}%", percent); }

}  // namespace

std::string Value::text() const { return exact ? exact->text() : fmt::format("{:.6g}", number); }

Holding::Holding(const Condition& condition, double clear_percent)
    : condition_(condition),
      clear_(Decimal::parse(fmt::format("{}", clear_percent)).value_or(Decimal())),
      window_(condition.within, condition.form == Form::move ? condition.bars : 1),
      volumes_(condition.form == Form::spike ? static_cast<std::size_t>(condition.bars) : 1) {
  if (condition.form == Form::unusual) detector_ = std::make_unique<series::Detector>();
}

Holding::~Holding() = default;
Holding::Holding(Holding&&) noexcept = default;

Holding::Level Holding::compare(const Value& left, const Value& right) const {
  Level out;
  if (left.exact && right.exact) {
    out.side = sign(*left.exact <=> *right.exact);
    out.is_left_above = *left.exact >= off_by(*right.exact, clear_);
    out.is_left_below = *left.exact <= off_by(*right.exact, -clear_);
    return out;
  }
  const double off = std::abs(right.number) * clear_.number() / 100;
  out.side = sign(left.number <=> right.number);
  out.is_left_above = left.number >= right.number + off;
  out.is_left_below = left.number <= right.number - off;
  return out;
}

Held Holding::take(const Bar& bar, const ValueOf& value_of) {
  switch (condition_.form) {
    case Form::level:
      return take_level(value_of);
    case Form::crossing:
      return take_crossing(value_of);
    case Form::move:
      return take_move(bar);
    case Form::spike:
      return take_spike(bar);
    case Form::unusual:
      return take_unusual(bar);
    default:
      return {};
  }
}

Held Holding::take_level(const ValueOf& value_of) {
  const auto left = value_of(condition_.left);
  const auto right = value_of(condition_.right);
  if (!left.known() || !right.known()) return {};
  const auto level = compare(left, right);
  const bool up = condition_.way == Way::up;
  if (level.side == (up ? 1 : -1))
    on_ = true;
  else if (up ? level.is_left_below : level.is_left_above)
    on_ = false;
  if (!on_) return {};
  return {true, condition_.left.is_exact() ? (up ? 1 : -1) : 0,
          fmt::format("{} {} {} {}", condition_.left.text(), left.text(), up ? "above" : "below",
                      condition_.right.number ? right.text()
                                              : condition_.right.text() + " " + right.text())};
}

// It counts once the value had been on the other side, and as far from the level as `clear` says.
Held Holding::take_crossing(const ValueOf& value_of) {
  const auto left = value_of(condition_.left);
  const auto right = value_of(condition_.right);
  if (!left.known() || !right.known()) return {};
  const auto level = compare(left, right);
  const bool up = level.side > 0 && armed_up_;
  const bool down = level.side < 0 && armed_down_;
  if (level.side > 0) armed_up_ = false;
  if (level.side < 0) armed_down_ = false;
  armed_up_ = armed_up_ || (level.side <= 0 && level.is_left_below);
  armed_down_ = armed_down_ || (level.side >= 0 && level.is_left_above);
  const bool wanted = (up && condition_.way != Way::down) || (down && condition_.way != Way::up);
  if (!wanted) return {};
  return {
      true, condition_.left.is_exact() ? (up ? 1 : -1) : 0,
      fmt::format(
          "{} {} crosses {} {}", condition_.left.text(), left.text(), up ? "above" : "below",
          condition_.right.number ? right.text() : condition_.right.text() + " " + right.text())};
}

Held Holding::take_move(const Bar& bar) {
  const auto now = bar.end();
  window_.forget_before(now);
  const auto lowest = window_.lowest();
  const auto highest = window_.highest();
  window_.add(now, bar.close);
  if (!lowest) return {};
  // Once it holds, it ends when the move has come back by `clear`.
  auto wanted = condition_.amount;
  if (on_ && wanted > clear_) (void)wanted.add(-clear_);  // two percentages: their sum fits
  const bool rises =
      condition_.way != Way::down && bar.close > *lowest && bar.close >= off_by(*lowest, wanted);
  const bool falls =
      condition_.way != Way::up && bar.close < *highest && bar.close <= off_by(*highest, -wanted);
  on_ = rises || falls;
  if (!on_) return {};
  const double from = (rises ? *lowest : *highest).number();
  const double percent = 100 * ratio(bar.close.number() - from, from);
  const auto span = condition_.bars > 0 ? fmt::format("{} bars", condition_.bars)
                                        : vigil::to_text(condition_.within);
  return {true, rises ? 1 : -1,
          fmt::format("close {} is {} from {} within {}", bar.close.text(), percent_text(percent),
                      (rises ? *lowest : *highest).text(), span)};
}

Held Holding::take_spike(const Bar& bar) {
  const double volume = bar.volume.number();
  const double mean = volumes_.full() ? volumes_.mean() : unknown;
  volumes_.push(volume);
  if (!(mean > 0) || volume < condition_.amount.number() * mean) return {};
  const int direction = sign(bar.close <=> bar.open);
  return {true, direction,
          fmt::format("volume {} is {:.1f}x the mean of {} bars", bar.volume.text(), volume / mean,
                      condition_.bars)};
}

Held Holding::take_unusual(const Bar& bar) {
  const double close = bar.close.number();
  const auto finding = detector_->observe(bar.end(), close);
  const double before = std::exchange(close_before_, close);
  if (!finding.is_anomaly) return {};
  return {true,
          close > before   ? 1
          : close < before ? -1
                           : 0,
          fmt::format("close {} is unusual: {}", bar.close.text(), finding.reason)};
}

void Holding::keep(Archive& archive) {
  archive(on_);
  archive(armed_up_);
  archive(armed_down_);
  if (condition_.form == Form::move) window_.keep(archive);
  if (condition_.form == Form::spike) volumes_.keep(archive);
  if (condition_.form != Form::unusual) return;
  archive(close_before_);
  auto bytes = archive.reads() ? std::string() : detector_->save();
  archive.bytes(bytes);
  if (!archive.reads()) return;
  if (auto restored = series::Detector::restore(bytes)) {
    *detector_ = std::move(*restored);
  } else {
    archive.refuse();
  }
}

}  // namespace vigil::entities::market
