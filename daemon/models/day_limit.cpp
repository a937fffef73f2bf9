#include "daemon/models/day_limit.hpp"

#include <fmt/format.h>

#include <utility>

namespace vigil::models {
namespace {

constexpr std::int64_t micros_a_cent = 10'000;

std::string name_of_day(TimePoint at) { return to_rfc3339(at).substr(0, 10); }

}  // namespace

bool has_room(std::int64_t limit, std::int64_t used, std::int64_t most) {
  if (limit == 0) return true;
  return most > limit ? used < limit : used + most <= limit;
}

Taken& Taken::operator+=(const Taken& more) {
  requests += more.requests;
  tokens += more.tokens;
  money_micros += more.money_micros;
  return *this;
}

Taken& Taken::operator-=(const Taken& less) {
  requests -= less.requests;
  tokens -= less.tokens;
  money_micros -= less.money_micros;
  return *this;
}

DayLimits::Booking::Booking(DayLimits& of, std::string model, std::string day, const Taken& most)
    : of_(of), model_(std::move(model)), day_(std::move(day)), most_(most) {
  of_.days_[model_].reserved += most_;
}

DayLimits::Booking::~Booking() {
  auto& day = of_.days_[model_];
  if (day.name == day_) {
    day.reserved -= most_;
    day.taken += took;
  }
  const bool any = took.requests > 0 || took.tokens > 0 || took.money_micros > 0;
  if (any && of_.books_.add) of_.books_.add(model_, day_, took);
}

DayLimits::Day& DayLimits::day_of(const std::string& model, TimePoint now) {
  auto& day = days_[model];
  auto name = name_of_day(now);
  if (day.name == name) return day;
  day = Day{std::move(name), {}, {}};
  if (books_.read) day.taken = books_.read(model, day.name);
  return day;
}

std::string DayLimits::refusal(const config::Model& model, const Taken& most, TimePoint now) {
  const auto& day = day_of(model.name, now);
  const auto& budget = model.budget;
  const struct {
    const char* name;
    std::int64_t limit;
    std::int64_t taken;
    std::int64_t reserved;
    std::int64_t most;
    std::int64_t unit;
  } kinds[] = {
      {"requests", budget.requests, day.taken.requests, day.reserved.requests, most.requests, 1},
      {"tokens", budget.tokens, day.taken.tokens, day.reserved.tokens, most.tokens, 1},
      {"money_cents", budget.money_cents * micros_a_cent, day.taken.money_micros,
       day.reserved.money_micros, most.money_micros, micros_a_cent}};
  for (const auto& kind : kinds) {
    if (has_room(kind.limit, kind.taken + kind.reserved, kind.most)) continue;
    const auto shown = [&](std::int64_t amount) { return (amount + kind.unit - 1) / kind.unit; };
    return fmt::format(
        "its {} of the day are spent: model.{}.budget.{} = {}, spent {}, set aside {}, this may "
        "take {}; raise it and reload, or wait until {}",
        kind.name, model.name, kind.name, kind.limit / kind.unit, shown(kind.taken),
        shown(kind.reserved), shown(kind.most),
        to_rfc3339(std::chrono::floor<std::chrono::days>(now) + std::chrono::days{1}));
  }
  return {};
}

std::unique_ptr<DayLimits::Booking> DayLimits::book(const config::Model& model, const Taken& most,
                                                    TimePoint now) {
  auto& day = day_of(model.name, now);
  return std::make_unique<Booking>(*this, model.name, day.name, most);
}

std::map<std::string, Taken> DayLimits::reserved() const {
  std::map<std::string, Taken> out;
  for (const auto& [model, day] : days_) out[model] = day.reserved;
  return out;
}

}  // namespace vigil::models
