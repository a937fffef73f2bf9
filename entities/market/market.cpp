#include "entities/market/market.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>

#include "core/log.hpp"
#include "entities/case_key.hpp"
#include "entities/market/tick.hpp"

namespace vigil::entities {
namespace {

using namespace market;

class MarketGuardian final : public Guardian {
 public:
  explicit MarketGuardian(config::Market settings) : settings_(std::move(settings)) {}

  Interest interest(const Event& event) const override {
    if (!event.type.starts_with("market.")) return Interest::none("it is no price");
    const auto symbol = symbol_of(event);
    for (const auto& watch : settings_.watches) {
      if ((watch.symbol.empty() ? watch.name : watch.symbol) != symbol) continue;
      return Interest::in(case_key_of("watch:" + watch.name));
    }
    return Interest::none(fmt::format("no watch has the symbol {}", vigil::quoted(symbol)));
  }

  Decision decide(const Wake& wake, const Recollection&) const override {
    Decision out;
    out.rule = "noted";
    const auto* arrived = std::get_if<EventsArrived>(&wake.because);
    if (arrived == nullptr) {
      out.why = "nothing was asked for";
      return out;
    }
    for (const auto& event : arrived->events) {
      const auto bar = event->type == "market.bar" ? read_bar(*event) : Result<Bar>(Bar{});
      if (!bar) {
        out.why = bar.error().message;
        return out;
      }
    }
    out.verdict = Verdict::noted;
    out.why = fmt::format("{} prices were read", arrived->events.size());
    return out;
  }

 private:
  config::Market settings_;
};

}  // namespace

Result<std::unique_ptr<Guardian>> make_market(const config::Entity& entity) {
  const auto* settings = config::find_kind<config::Market>(entity);
  if (settings == nullptr) {
    return fail(ErrorCode::invalid_input,
                fmt::format("entity {}: kind \"market\" needs a [market] table",
                            vigil::quoted(entity.name)));
  }
  return std::make_unique<MarketGuardian>(*settings);
}

}  // namespace vigil::entities
