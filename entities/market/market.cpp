#include "entities/market/market.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>

#include "core/log.hpp"
#include "entities/case_key.hpp"
#include "entities/market/digest.hpp"
#include "entities/market/news.hpp"
#include "entities/market/watch_course.hpp"

namespace vigil::entities {
namespace {

using namespace market;

class MarketGuardian final : public Guardian {
 public:
  explicit MarketGuardian(MarketSetup setup) : setup_(std::move(setup)) {}

  Interest interest(const Event& event) const override {
    if (event.type == "feed.item") return interest_in_news(event);
    if (!event.type.starts_with("market.")) return Interest::none("neither a price nor news");
    const auto symbol = symbol_of(event);
    const auto interval = interval_of(event);
    for (const auto& watch : setup_.settings.watches) {
      if (!means_symbol(watch.symbol.empty() ? watch.name : watch.symbol, symbol)) continue;
      const bool heard = watch.sources.empty() || event.type == "market.signal" ||
                         std::ranges::find(watch.sources, event.source) != watch.sources.end();
      const bool counts = event.type != "market.bar" || watch.interval.empty() ||
                          is_of_interval(event, watch.interval);
      if (heard && counts) return Interest::in(case_key_of(std::string(watch_prefix) + watch.name));
    }
    return Interest::none(fmt::format("no watch has the symbol {} of {}{}", vigil::quoted(symbol),
                                      event.source, interval.empty() ? "" : " at " + interval));
  }

  std::vector<std::string> standing_cases() const override {
    std::vector<std::string> out;
    for (const auto& watch : setup_.settings.watches) {
      out.push_back(case_key_of(std::string(watch_prefix) + watch.name));
    }
    for (auto& key : digest_cases(setup_)) out.push_back(std::move(key));
    if (setup_.settings.holdings) out.emplace_back(holdings_case);
    return out;
  }

  Decision decide(const Wake& wake, const Recollection& memory) const override {
    if (wake.case_key == news_case) return decide_on_news(setup_, wake, memory);
    if (wake.case_key == holdings_case) return decide_on_holdings(setup_, wake, memory);
    if (wake.case_key.starts_with(digest_prefix)) return decide_on_digest(setup_, wake, memory);
    if (const auto* watch = watch_of(setup_, wake.case_key)) {
      return decide_on_watch(setup_, *watch, wake, memory);
    }
    Decision out;
    out.verdict = Verdict::noted;
    out.rule = "removed";
    out.why = "it is not watched any more";
    out.close_case = true;
    return out;
  }

 private:
  Interest interest_in_news(const Event& event) const {
    const auto item = read_news(event);
    if (!item) return Interest::none(item.error().message);
    const auto about = [&](const auto& watch) { return is_about(watch, *item); };
    if (std::ranges::none_of(setup_.settings.watches, about)) {
      return Interest::none("news that names nothing that is watched");
    }
    return Interest::in(std::string(news_case));
  }

  MarketSetup setup_;
};

}  // namespace

Result<std::unique_ptr<Guardian>> make_market(const config::Entity& entity) {
  const auto* settings = config::find_kind<config::Market>(entity);
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::invalid_input,
                fmt::format("entity {}: {}", vigil::quoted(entity.name), why));
  };
  if (settings == nullptr) return refuse("kind \"market\" needs a [market] table");
  auto setup = setup_of(*settings);
  if (!setup) return refuse(setup.error().message);
  setup->advice = *entity.advice;
  return std::make_unique<MarketGuardian>(std::move(*setup));
}

}  // namespace vigil::entities
