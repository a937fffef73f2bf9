#include "entities/market/prices.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>

#include "entities/market/candles.hpp"

namespace vigil::entities::market {
namespace {

using namespace std::chrono_literals;

constexpr Duration fresh = 10min;  // what another source said counts for so long

std::size_t rank(const std::vector<std::string>& sources, const std::string& source) {
  return static_cast<std::size_t>(std::ranges::find(sources, source) - sources.begin());
}

std::string bar_text(Bar bar) {
  Archive archive;
  keep(bar, archive);
  return std::move(archive).written();
}

std::optional<Bar> bar_from(const json::value& state, std::string_view key) {
  const auto text = find_text(state, key);
  if (!text) return std::nullopt;
  Archive archive(*text);
  Bar bar;
  keep(bar, archive);
  return archive.whole() ? std::optional(bar) : std::nullopt;
}

}  // namespace

bool Prices::leads(const std::string& source, TimePoint now, Believed& out) {
  if (lead_ == source) return true;
  const auto lead = seen_.find(lead_);
  const bool silent =
      lead == seen_.end() || (watch_.stale_after > Duration{0} &&
                              calendar_.open_between(lead->second.at, now) > watch_.stale_after);
  const bool better = rank(watch_.sources, source) < rank(watch_.sources, lead_);
  if (!lead_.empty() && !silent && !better) return false;
  if (!lead_.empty()) out.remarks.push_back(fmt::format("{} leads now, not {}", source, lead_));
  lead_ = source;
  return true;
}

bool Prices::jumps(const Decimal& from, const Decimal& to) const {
  if (watch_.jump_max <= 0 || from.is_zero()) return false;
  const auto share = Decimal::parse(fmt::format("{}", watch_.jump_max / 100));
  const auto most = share ? from.times(*share) : std::nullopt;
  auto way = to;
  if (!most || !way.add(-from)) return false;
  return (way.is_negative() ? -way : way) > *most;
}

bool Prices::is_confirmed(const std::string& source, const Bar& bar) const {
  return std::ranges::any_of(seen_, [&](const auto& entry) {
    return entry.first != source && entry.second.at + fresh >= bar.end() &&
           !jumps(entry.second.price, bar.close);
  });
}

void Prices::accept(const Bar& bar, Believed& out) {
  const auto missing =
      last_ && bar.interval > Duration{0} && bar.at > last_->end()
          ? std::min<std::int64_t>(calendar_.open_between(last_->end(), bar.at) / bar.interval,
                                   1'000'000)
          : 0;
  // A daily bar spans the night: only whole sessions are missing.
  if (missing > 0 && bar.interval < 12h) {
    out.remarks.push_back(
        fmt::format("{} bars are missing before {}", missing, to_rfc3339(bar.at)));
  }
  last_ = bar;
  out.bars.push_back(bar);
}

Believed Prices::judge_lead(const std::string& source, const Bar& bar) {
  Believed out;
  // A bar that follows single prices may have begun before the last of them.
  const bool follows_quote = last_ && last_->interval == Duration{0} && bar.interval > Duration{0};
  if (last_ && (follows_quote ? bar.end() : bar.at) <= last_->at) {
    out.remarks.emplace_back("a bar that is late or was heard before");
    return out;
  }
  if (!last_ || !jumps(last_->close, bar.close)) {
    if (held_) {
      out.remarks.push_back(
          fmt::format("{} was not confirmed and is not counted", held_->bar.close.text()));
    }
    held_.reset();
    accept(bar, out);
    return out;
  }
  if (held_ && !jumps(held_->bar.close, bar.close)) {
    out.remarks.push_back(fmt::format("{} is confirmed by the next price", bar.close.text()));
    const auto before = held_->bar;
    held_.reset();
    if (before.at < bar.at) accept(before, out);
    accept(bar, out);
    return out;
  }
  if (is_confirmed(source, bar)) {
    held_.reset();
    out.remarks.push_back(fmt::format("{} is confirmed by another source", bar.close.text()));
    accept(bar, out);
    return out;
  }
  out.remarks.push_back(fmt::format("{} is more than {}% from {}: held until it is confirmed",
                                    bar.close.text(), watch_.jump_max, last_->close.text()));
  held_ = Waiting{source, bar};
  return out;
}

Believed Prices::take(const std::string& source, const Bar& bar) {
  Believed out;
  if (auto wrong = what_is_wrong(bar); !wrong.empty()) {
    out.remarks.push_back(fmt::format("a bar of {} cannot be: {}", source, wrong));
    return out;
  }
  if (!seen_.contains(source) && seen_.size() >= sources_max) {
    out.remarks.push_back(
        fmt::format("more than {} sources: {} is not heard", sources_max, source));
    return out;
  }
  const bool lead = leads(source, bar.end(), out);
  auto& seen = seen_[source];
  seen.has_bars = seen.has_bars || bar.interval > Duration{0};
  if (seen.at <= bar.end()) {
    seen.at = bar.end();
    seen.price = bar.close;
  }
  if (lead) {
    auto judged = judge_lead(source, bar);
    out.bars = std::move(judged.bars);
    out.remarks.insert(out.remarks.end(), judged.remarks.begin(), judged.remarks.end());
  } else if (held_ && held_->source != source && !jumps(held_->bar.close, bar.close)) {
    out.remarks.push_back(fmt::format("{} is confirmed by {}", held_->bar.close.text(), source));
    const auto confirmed = held_->bar;
    held_.reset();
    accept(confirmed, out);
  }
  return out;
}

Believed Prices::take(const std::string& source, const Quote& quote) {
  const auto price = quote.price();
  const auto seen = seen_.find(source);
  if (!price) return {};
  if (seen != seen_.end() && seen->second.has_bars) {
    if (seen->second.at <= quote.at) seen->second = {*price, quote.at, true};
    return {};
  }
  return take(source, Bar{quote.at, Duration{0}, *price, *price, *price, *price, {}});
}

std::optional<double> Prices::spread(TimePoint now) const {
  std::optional<double> lowest, highest;
  std::size_t count = 0;
  for (const auto& [source, seen] : seen_) {
    if (seen.at + fresh < now) continue;
    const double price = seen.price.number();
    lowest = std::min(lowest.value_or(price), price);
    highest = std::max(highest.value_or(price), price);
    ++count;
  }
  if (count < 2 || *lowest <= 0) return std::nullopt;
  return 100 * (*highest - *lowest) / *lowest;
}

std::optional<TimePoint> Prices::heard() const {
  const auto lead = seen_.find(lead_);
  return lead == seen_.end() ? std::nullopt : std::optional(lead->second.at);
}

void Prices::restore(const json::value& state) {
  lead_ = find_text(state, "lead").value_or("");
  last_ = bar_from(state, "last");
  if (auto bar = bar_from(state, "held")) {
    held_ = Waiting{std::string(find_text(state, "held_source").value_or("")), *bar};
  }
  const auto* seen = find_path(state, "seen");
  if (seen == nullptr || !seen->is_object()) return;
  for (const auto& [source, entry] : seen->get_object()) {
    if (!entry.is_string() || seen_.size() >= sources_max) continue;
    Archive archive(entry.get_string());
    Seen one;
    archive(one.price);
    archive(one.at);
    archive(one.has_bars);
    if (archive.whole()) seen_[source] = one;
  }
}

json::object Prices::state() const {
  json::object seen;
  for (auto [source, one] : seen_) {
    Archive archive;
    archive(one.price);
    archive(one.at);
    archive(one.has_bars);
    seen[source] = std::move(archive).written();
  }
  json::object out{{"lead", lead_}, {"seen", std::move(seen)}};
  if (last_) out["last"] = bar_text(*last_);
  if (held_) {
    out["held"] = bar_text(held_->bar);
    out["held_source"] = held_->source;
  }
  return out;
}

}  // namespace vigil::entities::market
