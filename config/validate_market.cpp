#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "config/validate_entity.hpp"
#include "config/words.hpp"

namespace vigil::config {
namespace {

// Their rules are in entities/market/calendar.cpp.
constexpr std::array<std::string_view, 4> calendars{"24x7", "XNYS", "XETR", "XLON"};

template <class Thing>
std::vector<std::string> names_in(const std::string& key, const std::vector<Thing>& things,
                                  Violations& found) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < things.size(); ++i) {
    if (std::ranges::find(names, things[i].name) != names.end()) {
      found.add(fmt::format("{}[{}].name", key, i),
                fmt::format("\"{}\" stands here twice; names are unique", things[i].name));
    }
    names.push_back(things[i].name);
  }
  return names;
}

void check_known(const std::string& key, const std::vector<std::string>& wanted,
                 const std::vector<std::string>& known, std::string_view what, Violations& found) {
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (std::ranges::find(known, wanted[i]) != known.end()) continue;
    found.add(fmt::format("{}[{}]", key, i), fmt::format("there is no {} \"{}\"{}", what, wanted[i],
                                                         suggestion(wanted[i], known)));
  }
}

void check_percent(const std::string& key, double value, double most, Violations& found) {
  if (value >= 0 && value <= most) return;
  found.add(key, fmt::format("is a percentage from 0 to {}", most));
}

bool is_date(std::string_view text) {
  return text.size() == 10 && parse_rfc3339(std::string(text) + "T00:00:00Z").has_value();
}

bool is_date_and_clock(std::string_view text) {
  return text.size() == 16 && text[10] == ' ' &&
         parse_rfc3339(std::string(text.substr(0, 10)) + "T" + std::string(text.substr(11)) +
                       ":00Z")
             .has_value();
}

void check_session(const std::string& key, const MarketSession& session, Violations& found) {
  for (std::size_t i = 0; i < session.holidays.size(); ++i) {
    if (is_date(session.holidays[i])) continue;
    found.add(fmt::format("{}.holidays[{}]", key, i), "expected a day like \"2026-12-25\"");
  }
  for (std::size_t i = 0; i < session.half_days.size(); ++i) {
    if (is_date_and_clock(session.half_days[i])) continue;
    found.add(fmt::format("{}.half_days[{}]", key, i),
              "expected a day and when it closes, like \"2026-12-24 13:00\"");
  }
}

}  // namespace

void check_market(const std::string& key, const Market& market, const Settings& settings,
                  Violations& found) {
  if (!market.report_sink.empty() && !settings.sinks.contains(market.report_sink)) {
    found.add(key + ".report_sink", fmt::format("there is no sink \"{}\": define [sink.{}]",
                                                market.report_sink, market.report_sink));
  }
  const auto watches = names_in(key + ".watch", market.watches, found);
  names_in(key + ".rule", market.rules, found);
  auto sessions = names_in(key + ".session", market.sessions, found);
  sessions.insert(sessions.end(), calendars.begin(), calendars.end());
  std::vector<std::string> sources;
  for (const auto& [name, source] : settings.sources) sources.push_back(name);
  sources.emplace_back(admin_source);
  for (std::size_t i = 0; i < market.watches.size(); ++i) {
    const auto& watch = market.watches[i];
    const auto at = fmt::format("{}.watch[{}]", key, i);
    check_known(at + ".peers", watch.peers, watches, "watch", found);
    check_known(at + ".sources", watch.sources, sources, "source", found);
    check_percent(at + ".jump_max", watch.jump_max, 1000, found);
    if (std::ranges::find(sessions, watch.session) == sessions.end()) {
      found.add(at + ".session", fmt::format("there is no session \"{}\"{}", watch.session,
                                             suggestion(watch.session, sessions)));
    }
  }
  for (std::size_t i = 0; i < market.rules.size(); ++i) {
    const auto at = fmt::format("{}.rule[{}]", key, i);
    check_known(at + ".watch", market.rules[i].watches, watches, "watch", found);
    check_percent(at + ".clear", market.rules[i].clear, 100, found);
  }
  for (std::size_t i = 0; i < market.sessions.size(); ++i) {
    check_session(fmt::format("{}.session[{}]", key, i), market.sessions[i], found);
  }
  if (!market.holdings) return;
  check_percent(key + ".holdings.drawdown_above", market.holdings->drawdown_above, 100, found);
  check_percent(key + ".holdings.clear", market.holdings->clear, 100, found);
}

}  // namespace vigil::config
