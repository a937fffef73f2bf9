#include "entities/market/digest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <set>

namespace vigil::entities::market {
namespace {

using namespace std::chrono_literals;

constexpr Duration late_most = 15min;

struct Next {
  std::string name;  // open or close
  TimePoint due;
};

// A market that never closes has the day of UTC for its session.
std::vector<Next> next_moments(const Calendar& calendar, const std::vector<std::string>& wanted,
                               TimePoint now) {
  std::vector<Next> out;
  for (const auto& name : wanted) {
    if (calendar.always_open()) {
      out.push_back({name, std::chrono::floor<std::chrono::days>(now) + 24h});
      continue;
    }
    auto span = calendar.session_at_or_after(now);
    while (span && (name == "open" ? span->open : span->close) <= now) {
      span = calendar.session_at_or_after(span->close);
    }
    if (span) out.push_back({name, name == "open" ? span->open : span->close});
  }
  return out;
}

std::string since_text(const json::value& last, std::string_view key) {
  const auto* found = find_path(last, key);
  if (found == nullptr || !found->is_number()) return "n/a";
  return fmt::format("{:+.2f}%", found->to_number<double>());
}

std::string digest_text(const MarketSetup& setup, const std::string& session,
                        const std::string& moment, const Recollection& memory, TimePoint now) {
  std::string out = fmt::format("{} {} {}\n", session, moment == "open" ? "opens" : "closes",
                                to_rfc3339(now).substr(0, 16) + "Z");
  for (const auto& watch : setup.settings.watches) {
    if (watch.session != session) continue;
    const auto last = memory.fact("last:" + watch.name);
    if (!last) {
      out += fmt::format("- {}: nothing was heard yet\n", watch.name);
      continue;
    }
    const auto news = memory.fact("news:" + watch.name);
    std::size_t fresh = 0;
    if (news && news->value.is_array()) {
      for (const auto& item : news->value.get_array()) {
        const auto at = parse_rfc3339(find_text(item, "at").value_or(""));
        fresh += at && *at >= now - 24h ? 1 : 0;
      }
    }
    out += fmt::format("- {}: {}, {} in an hour, {} in a day, {} news\n", watch.name,
                       find_text(last->value, "price").value_or("?"),
                       since_text(last->value, "hour"), since_text(last->value, "day"), fresh);
  }
  return out;
}

}  // namespace

std::vector<std::string> digest_cases(const MarketSetup& setup) {
  std::set<std::string> sessions;
  if (!setup.settings.digest.empty()) {
    for (const auto& watch : setup.settings.watches) {
      sessions.insert(std::string(digest_prefix) + watch.session);
    }
  }
  return {sessions.begin(), sessions.end()};
}

Decision decide_on_digest(const MarketSetup& setup, const Wake& wake, const Recollection& memory) {
  Decision out;
  out.rule = "digest";
  out.verdict = Verdict::noted;
  const auto session = wake.case_key.substr(digest_prefix.size());
  const auto calendar = setup.calendars.find(session);
  const auto* due = std::get_if<TimerDue>(&wake.because);
  if (calendar == setup.calendars.end() || setup.settings.digest.empty()) {
    out.why = "no digest is wanted any more";
    out.close_case = true;
    for (const auto* name : {"open", "close"}) out.timers.push_back({name, std::nullopt, {}});
    return out;
  }
  if (due == nullptr) {
    out.why = "its message was taken note of";
    return out;
  }
  for (const auto& next : next_moments(calendar->second, setup.settings.digest, wake.now)) {
    out.timers.push_back({next.name, next.due, {}});
  }
  if (due->name == settings_timer) {
    out.why = fmt::format("{} digests are due", out.timers.size());
    return out;
  }
  if (wake.now > due->due + late_most) {
    out.why = fmt::format("the digest of {} is skipped: it is {} late", to_rfc3339(due->due),
                          vigil::to_text(wake.now - due->due));
    return out;
  }
  const auto text = digest_text(setup, session, due->name, memory, due->due);
  out.why = fmt::format("{} of {} is summed up", due->name, session);
  out.episodes.push_back({"digest", text, {}});
  if (setup.settings.report_sink.empty()) return out;
  out.verdict = Verdict::acted;
  out.actions.push_back({"notify",
                         setup.settings.report_sink,
                         {{"text", text}, {"session", session}, {"moment", due->name}},
                         fmt::format("digest/{}/{}", due->name, to_rfc3339(due->due)),
                         {}});
  return out;
}

}  // namespace vigil::entities::market
