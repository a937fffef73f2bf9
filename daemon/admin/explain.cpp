#include "daemon/admin/explain.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <map>
#include <set>

#include "daemon/admin/views.hpp"

namespace vigil::admin {
namespace {

constexpr int depth_max = 8;             // decisions that follow from decisions
constexpr int case_entries_max = 1'000;  // ledger rows of one case that are looked through
constexpr int wakes_page = 1'000;
constexpr int wakes_pages_max = 10;

class Chain {
 public:
  explicit Chain(storage::Stores& stores) : stores_(stores) {}

  json::object decision(const storage::Entry& entry, int depth) {
    told_.insert(entry.id);
    auto out = view_of(entry);
    out.erase("asked");
    out["also"] = rest_of(entry);
    out["swarms"] = swarms_of(entry, depth);
    out["actions"] = actions_of(entry, depth);
    return out;
  }

 private:
  // Counts of what was remembered, and what the budget or the autonomy held back.
  static json::object rest_of(const storage::Entry& entry) {
    json::object out;
    for (const auto& member : entry.asked) {
      if (member.key() != "swarms" && member.key() != "actions") {
        out[member.key()] = member.value();
      }
    }
    return out;
  }

  json::array swarms_of(const storage::Entry& entry, int depth) {
    std::vector<storage::Swarm> swarms;
    for (const auto id : asked_ids(entry, "swarms")) {
      if (auto swarm = stores_.swarms.find(SwarmId{id})) swarms.push_back(std::move(*swarm));
    }
    // Reports are decided in the order in which their swarms ended.
    std::ranges::sort(swarms, {}, [](const auto& swarm) {
      return std::pair(swarm.ended == TimePoint{} ? TimePoint::max() : swarm.ended, swarm.id);
    });
    json::array out;
    for (const auto& swarm : swarms) {
      auto view = view_of(swarm);
      if (auto report = swarm::report_from_json(swarm.report)) {
        view["report"] = numbers_of(*report);
      }
      if (swarm.ended != TimePoint{}) {
        view["decision"] = follow_up(entry, "swarm", swarm.id.value, swarm.ended, depth);
      }
      out.push_back(std::move(view));
    }
    return out;
  }

  json::array actions_of(const storage::Entry& entry, int depth) {
    json::array out;
    for (const auto id : asked_ids(entry, "actions")) {
      const auto action = stores_.outbox.find(ActionId{id});
      if (!action) continue;  // past its retention
      auto view = view_of(*action, Detail::brief);
      if (action->settled != TimePoint{}) {
        view["decision"] = follow_up(entry, "action", id, action->settled, depth);
      }
      out.push_back(std::move(view));
    }
    return out;
  }

  // The decision about the outcome: the row that names it, else the first of its kind in the case
  // after the outcome that was not told yet (one wake at a time per case, in order).
  json::value follow_up(const storage::Entry& entry, const std::string& kind, std::int64_t id,
                        TimePoint since, int depth) {
    if (depth >= depth_max) return nullptr;
    const storage::Entry* best = nullptr;
    for (const auto& later : entries_of(entry.case_id)) {
      if (later.id <= entry.id || later.wake_kind != kind || told_.contains(later.id)) continue;
      const json::value asked(later.asked);
      if (const auto named = find_integer(asked, "because." + kind)) {
        if (*named != id) continue;
        best = &later;
        break;
      }
      if (best == nullptr && later.at >= since) best = &later;
    }
    if (best == nullptr) return nullptr;
    return decision(*best, depth + 1);
  }

  const std::vector<storage::Entry>& entries_of(CaseId id) {
    const auto [place, fresh] = of_case_.try_emplace(id);
    if (fresh && id) {
      place->second = stores_.ledger.of_case(id, case_entries_max);
      std::ranges::reverse(place->second);  // oldest first
    }
    return place->second;
  }

  storage::Stores& stores_;
  std::map<CaseId, std::vector<storage::Entry>> of_case_;
  std::set<DecisionId> told_;
};

bool holds(const storage::Wake& wake, EventId id) {
  return std::ranges::find(wake.events, id) != wake.events.end();
}

json::array waiting_for(storage::Stores& stores, const Event& event) {
  json::array out;
  if (event.id.value > stores.cursors.get("router")) {
    out.push_back(json::object{{"state", "unrouted"}, {"why", "the router has not come to it"}});
    return out;
  }
  WakeId after;
  for (int page = 0; page < wakes_pages_max; ++page) {
    const auto wakes = stores.wakes.open(after, wakes_page);
    for (const auto& wake : wakes) {
      after = wake.id;
      if (holds(wake, event.id)) out.push_back(view_of(wake));
    }
    if (static_cast<int>(wakes.size()) < wakes_page) break;
  }
  for (const auto& wake : stores.wakes.dead(wakes_page)) {
    if (holds(wake, event.id)) out.push_back(view_of(wake));
  }
  return out;
}

}  // namespace

std::vector<std::int64_t> asked_ids(const storage::Entry& entry, std::string_view kind) {
  std::vector<std::int64_t> out;
  const auto* ids = entry.asked.if_contains(kind);
  if (ids == nullptr || !ids->is_array()) return out;
  for (const auto& id : ids->get_array()) {
    if (id.is_int64()) out.push_back(id.get_int64());
  }
  return out;
}

json::object explain(storage::Stores& stores, const Event& event) {
  Chain chain(stores);
  json::array decisions;
  for (const auto& entry : stores.ledger.of_event(event.id)) {
    decisions.push_back(chain.decision(entry, 0));
  }
  json::object out;
  out["event"] = view_of(event, Detail::brief);
  out["decisions"] = std::move(decisions);
  out["waiting"] = waiting_for(stores, event);
  return out;
}

}  // namespace vigil::admin
