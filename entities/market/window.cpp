#include "entities/market/window.hpp"

namespace vigil::entities::market {

void Window::forget_before(TimePoint now) {
  forget(lows_, now);
  forget(highs_, now);
}

void Window::forget(Points& points, TimePoint now) const {
  const auto is_old = [&](const Point& point) {
    if (bars_ > 0) return point.bar + static_cast<std::size_t>(bars_) < count_ + 1;
    return point.at + within_ < now;
  };
  while (!points.empty() && is_old(points.front())) points.pop_front();
}

std::optional<Decimal> Window::lowest() const {
  return lows_.empty() ? std::nullopt : std::optional(lows_.front().close);
}

std::optional<Decimal> Window::highest() const {
  return highs_.empty() ? std::nullopt : std::optional(highs_.front().close);
}

void Window::add(TimePoint now, const Decimal& close) {
  ++count_;
  while (!lows_.empty() && lows_.back().close >= close) lows_.pop_back();
  while (!highs_.empty() && highs_.back().close <= close) highs_.pop_back();
  for (auto* points : {&lows_, &highs_}) {
    points->push_back({now, count_, close});
    thin(*points);
  }
}

// The first is the extreme and stays.
void Window::thin(Points& points) {
  if (points.size() <= points_max) return;
  Points kept;
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (i % 2 == 0 || i + 1 == points.size()) kept.push_back(points[i]);
  }
  points = std::move(kept);
}

void Window::keep(Points& points, Archive& archive) {
  auto size = points.size();
  archive(size);
  if (archive.reads()) points.assign(std::min(size, points_max), {});
  for (auto& point : points) {
    archive(point.at);
    archive(point.bar);
    archive(point.close);
  }
}

void Window::keep(Archive& archive) {
  archive(count_);
  keep(lows_, archive);
  keep(highs_, archive);
}

}  // namespace vigil::entities::market
