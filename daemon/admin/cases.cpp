#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <tuple>

#include "core/log.hpp"
#include "daemon/admin/explain.hpp"
#include "daemon/admin/handlers.hpp"
#include "daemon/admin/views.hpp"

namespace vigil::admin {
namespace {

// One thing that happened in a case, placed in time.
struct Moment {
  TimePoint at;
  int order = 0;  // of what happens in one instant: decided before what it asked for
  std::size_t number = 0;
  json::object view;
};

void add(std::vector<Moment>& moments, TimePoint at, int order, std::string_view what,
         json::object view) {
  view["what"] = what;
  view["at"] = time_or_null(at);
  moments.push_back({at, order, moments.size(), std::move(view)});
}

json::array timeline_of(storage::Stores& stores, const storage::Case& of, int limit) {
  std::vector<Moment> moments;
  for (const auto& episode : stores.memory.episodes(of.entity, of.id, limit)) {
    add(moments, episode.at, 1, "episode", view_of(episode));
  }
  for (const auto& entry : stores.ledger.of_case(of.id, limit)) {
    for (const auto id : asked_ids(entry, "swarms")) {
      const auto swarm = stores.swarms.find(SwarmId{id});
      if (swarm) add(moments, swarm->created, 2, "swarm", view_of(*swarm));
    }
    for (const auto id : asked_ids(entry, "actions")) {
      const auto action = stores.outbox.find(ActionId{id});
      if (action) add(moments, action->created, 3, "action", view_of(*action, Detail::brief));
    }
    add(moments, entry.at, 0, "decision", view_of(entry));
  }
  std::ranges::sort(moments, [](const Moment& a, const Moment& b) {
    return std::tie(a.at, a.order, a.number) < std::tie(b.at, b.order, b.number);
  });
  const auto first = moments.size() > static_cast<std::size_t>(limit)
                         ? moments.size() - static_cast<std::size_t>(limit)
                         : 0;  // the newest ones count
  json::array out;
  for (auto i = first; i < moments.size(); ++i) out.push_back(std::move(moments[i].view));
  return out;
}

json::array timers_of(storage::Stores& stores, CaseId id) {
  json::array out;
  for (const auto& timer : stores.timers.list(limit_max)) {
    if (timer.case_id == id) out.push_back(view_of(timer));
  }
  return out;
}

Answer one_case(storage::Stores& stores, const Call& call) {
  const std::string entity(call.text("entity"));
  const std::string key(call.text("key"));
  if (entity.empty()) {
    return refuse(400, "key= needs entity=", "a key is unique within its entity only");
  }
  const auto found = stores.cases.find(entity, key);
  json::array views;
  if (found) views.push_back(view_of(*found, Detail::brief));
  return json_response(json::object{{"cases", std::move(views)}, {"next_before", nullptr}});
}

}  // namespace

Answer list_cases(Desk& desk, const Call& call) {
  const auto limit = call.limit();
  if (!limit) return std::unexpected(limit.error());
  const auto before = call.before();
  if (!before) return std::unexpected(before.error());
  const auto state = call.text("state");
  if (!state.empty() && state != "open" && state != "closed") {
    return refuse(400, fmt::format("state={} is no state of a case", quoted(state)),
                  "a case is open or closed");
  }
  auto& stores = desk.reader();
  if (call.has("key")) return one_case(stores, call);
  const auto rows = stores.cases.list(std::string(call.text("entity")), CaseId{*before}, *limit);
  json::array views;
  for (const auto& row : rows) {
    if (!state.empty() && row.closed != (state == "closed")) continue;
    views.push_back(view_of(row, Detail::brief));
  }
  return json_response(page_of("cases", std::move(views), rows, *limit));
}

Answer get_case(Desk& desk, const Call& call) {
  const auto id = call.id<CaseId>();
  if (!id) return std::unexpected(id.error());
  const auto limit = call.limit();
  if (!limit) return std::unexpected(limit.error());
  auto& stores = desk.reader();
  const auto found = stores.cases.find(*id);
  if (!found) {
    return refuse(404, fmt::format("there is no case {}", id->value),
                  "vigilctl cases list shows the newest");
  }
  auto out = view_of(*found, Detail::full);
  out["timeline"] = timeline_of(stores, *found, *limit);
  out["timers"] = timers_of(stores, *id);
  const auto wake = stores.wakes.oldest_of(*id);
  out["waiting"] = wake ? json::value(view_of(*wake)) : json::value();
  return json_response(out);
}

Answer list_decisions(Desk& desk, const Call& call) {
  const auto limit = call.limit();
  if (!limit) return std::unexpected(limit.error());
  const auto before = call.before();
  if (!before) return std::unexpected(before.error());
  const auto rows =
      desk.reader().ledger.list(std::string(call.text("entity")), DecisionId{*before}, *limit);
  return json_response(page_of("decisions", views_of(rows), rows, *limit));
}

Answer get_decision(Desk& desk, const Call& call) {
  const auto id = call.id<DecisionId>();
  if (!id) return std::unexpected(id.error());
  const auto entry = desk.reader().ledger.find(*id);
  if (!entry) {
    return refuse(404, fmt::format("there is no decision {}", id->value),
                  "GET /v1/decisions shows the newest");
  }
  return json_response(view_of(*entry));
}

}  // namespace vigil::admin
