// What is held, valued by the latest prices: its highest value is remembered, and how far it is
// below it is told once.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/market/digest.hpp"

namespace vigil::entities::market {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view value_timer = "value";

struct Valued {
  Decimal value;
  std::size_t count = 0;
  std::string missing;  // what has no price yet
  std::string error;
};

const config::MarketWatch* watch_named(const MarketSetup& setup, std::string_view symbol) {
  const auto found = std::ranges::find_if(setup.settings.watches, [&](const auto& watch) {
    return watch.symbol == symbol || watch.name == symbol;
  });
  return found == setup.settings.watches.end() ? nullptr : &*found;
}

Valued value_of(const MarketSetup& setup, const json::value& positions,
                const Recollection& memory) {
  Valued out;
  if (!positions.is_array()) return out;
  for (const auto& position : positions.get_array()) {
    const auto symbol = find_text(position, "symbol").value_or("");
    const auto quantity = Decimal::parse(find_text(position, "quantity").value_or(""));
    const auto* watch = watch_named(setup, symbol);
    const auto last = watch == nullptr ? std::nullopt : memory.fact("last:" + watch->name);
    const auto price =
        last ? Decimal::parse(find_text(last->value, "price").value_or("")) : Decimal::parse("");
    if (!price || !quantity) {
      out.missing += (out.missing.empty() ? "" : ", ") + std::string(symbol);
      continue;
    }
    const auto worth = quantity->times(*price);
    if (!worth || !out.value.add(*worth)) out.error = "the value is beyond all bounds";
    ++out.count;
  }
  return out;
}

// So many percent below it, exactly.
Decimal below(const Decimal& value, double percent) {
  const auto share = Decimal::parse(fmt::format("{}", std::max(0.0, percent)))
                         .value_or(Decimal())
                         .times(Decimal::parse("0.01").value());
  const auto part = share ? value.times(*share) : std::nullopt;
  auto out = value;
  if (part) (void)out.add(-*part);  // smaller than the value: it fits
  return out;
}

void judge(const config::MarketHoldings& holdings, const Valued& valued, json::object& state,
           Decision& out, const std::string& sink) {
  auto highest = Decimal::parse(find_text(state, "highest").value_or("0")).value_or(Decimal());
  if (valued.value > highest) highest = valued.value;
  state["highest"] = highest.text();
  state["value"] = valued.value.text();
  const double high = highest.number();
  const double down = high > 0 ? 100 * (high - valued.value.number()) / high : 0;  // to be read
  const bool told = find_bool(state, "told").value_or(false);
  out.why = fmt::format("{} positions are worth {}, {:.2f}% below the highest", valued.count,
                        valued.value.text(), down);
  if (told && valued.value >= below(highest, holdings.drawdown_above - holdings.clear)) {
    state["told"] = false;
  }
  if (told || valued.value >= below(highest, holdings.drawdown_above)) return;
  state["told"] = true;
  const auto text = fmt::format("holdings: {} is {:.2f}% below the highest value {}",
                                valued.value.text(), down, highest.text());
  out.rule = "drawdown";
  out.episodes.push_back({"alert", text, state});
  if (sink.empty()) return;
  out.verdict = Verdict::acted;
  out.actions.push_back({"notify",
                         sink,
                         {{"text", text}, {"severity", holdings.severity}},
                         "holdings/" + highest.text(),
                         {}});
}

}  // namespace

Decision decide_on_holdings(const MarketSetup& setup, const Wake& wake,
                            const Recollection& memory) {
  Decision out;
  out.rule = "holdings";
  out.verdict = Verdict::noted;
  out.why = "nothing was asked for";
  const auto& holdings = setup.settings.holdings;
  if (!holdings) {
    out.why = "nothing is held any more";
    out.close_case = true;
    out.timers.push_back({std::string(value_timer), std::nullopt, {}});
    return out;
  }
  auto state = memory.case_state();
  if (std::get_if<TimerDue>(&wake.because) != nullptr) {
    out.timers.push_back({std::string(value_timer), wake.now + holdings->every, {}});
    swarm::Task task;
    task.name = "holdings";
    task.builtin = "market.holdings";
    task.input = {{"files", json::array{holdings->file}}};
    task.read_paths = {holdings->file};
    task.timeout = 20s;
    swarm::Plan plan;
    plan.title = "holdings";
    plan.tasks.push_back(std::move(task));
    out.plans.push_back(std::move(plan));
    out.verdict = Verdict::acted;
    out.why = "its file is read";
  } else if (const auto* ended = std::get_if<SwarmEnded>(&wake.because)) {
    const auto* task = ended->report.tasks.empty() ? nullptr : &ended->report.tasks.front();
    const auto* positions = task == nullptr ? nullptr : find_path(task->result, "positions");
    const auto valued = value_of(setup, positions == nullptr ? json::value() : *positions, memory);
    if (positions == nullptr) {
      out.why =
          "its file could not be read: " + (task == nullptr ? ended->report.error : task->error);
    } else if (!valued.missing.empty() || !valued.error.empty() || valued.count == 0) {
      // A part of it is no value to compare with the whole.
      out.why = !valued.error.empty() ? valued.error
                : valued.count == 0 && valued.missing.empty()
                    ? "its file holds no position"
                    : "not valued: no price is known of " + valued.missing;
    } else {
      judge(*holdings, valued, state, out, setup.settings.report_sink);
    }
  }
  out.state = std::move(state);
  return out;
}

}  // namespace vigil::entities::market
