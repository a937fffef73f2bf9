#pragma once
// What concerns several watches at once: a digest when a session opens or closes, and the value of
// what is held. Each is a case that is always there and sets its own timers; one that comes late,
// because nothing ran, is skipped. Pure.
#include <string>
#include <vector>

#include "entities/guardian.hpp"
#include "entities/market/watcher.hpp"

namespace vigil::entities::market {

constexpr std::string_view digest_prefix = "digest:";  // and the name of the session
constexpr std::string_view holdings_case = "holdings";

std::vector<std::string> digest_cases(const MarketSetup& setup);
Decision decide_on_digest(const MarketSetup& setup, const Wake& wake, const Recollection& memory);
Decision decide_on_holdings(const MarketSetup& setup, const Wake& wake, const Recollection& memory);

}  // namespace vigil::entities::market
