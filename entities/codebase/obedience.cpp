#include "entities/codebase/obedience.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "entities/codebase/finding.hpp"
#include "entities/codebase/verdict.hpp"

namespace vigil::entities::codebase {
namespace {

void add(std::string& why, const std::string& more) { why += (why.empty() ? "" : "; ") + more; }

// Told again at once what was kept back meanwhile.
void speak_again(CaseState& state, Obeyed& out) {
  state.held = false;
  if (state.quiet_until != TimePoint{})
    out.timers.push_back({std::string(snooze_timer), std::nullopt, nullptr});
  state.quiet_until = TimePoint{};
  if (state.untold) out.again = true;
}

void obey_one(const Order& order, const std::string& sender, CaseState& state, TimePoint now,
              Obeyed& out) {
  switch (order.verb) {
    case Verb::retest:
      out.again = true;
      break;
    case Verb::hold:
      state.held = true;
      break;
    case Verb::unhold:
      speak_again(state, out);
      break;
    case Verb::mute:
      out.preferences.push_back({std::string(muted_prefix) + order.rule, json::value(sender),
                                 fmt::format("{} muted it in {}", sender, state.name())});
      break;
    case Verb::unmute:
      out.preferences.push_back({std::string(muted_prefix) + order.rule, nullptr,
                                 fmt::format("{} wants it again, in {}", sender, state.name())});
      break;
    case Verb::snooze:
      state.quiet_until = now + order.wait;
      out.timers.push_back({std::string(snooze_timer), state.quiet_until,
                            json::value(json::object{{"by", sender}})});
      break;
  }
  add(out.why, fmt::format("{} said {}", sender, order.spoken));
}

}  // namespace

Obeyed obey(const std::vector<Orders>& comments, CaseState& state, TimePoint now) {
  Obeyed out;
  for (const auto& orders : comments) {
    if (!orders.may) {
      add(out.why, fmt::format("{} may give no orders here: the forge does not call them owner, "
                               "member or collaborator, and codebase.orders_from does not name "
                               "them",
                               orders.sender.empty() ? "somebody without a name" : orders.sender));
      continue;
    }
    for (const auto& order : orders.all) obey_one(order, orders.sender, state, now, out);
    for (const auto& line : orders.not_understood) add(out.why, line);
    if (!orders.all.empty()) {
      out.episodes.push_back({"order", out.why + ".", json::object{{"by", orders.sender}}});
    }
  }
  return out;
}

}  // namespace vigil::entities::codebase
