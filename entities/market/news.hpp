#pragma once
// News about what is watched: which item is about which watch, kept for when an alert asks, and
// told itself where a rule wants that. One case for all news. Pure.
#include "entities/guardian.hpp"
#include "entities/market/watcher.hpp"

namespace vigil::entities::market {

constexpr std::string_view news_case = "news";

// Whole words, whatever their case; a company's filings by its number at the SEC.
bool is_about(const config::MarketWatch& watch, const NewsItem& item);
Decision decide_on_news(const MarketSetup& setup, const Wake& wake, const Recollection& memory);

}  // namespace vigil::entities::market
