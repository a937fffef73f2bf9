#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <map>

#include "core/log.hpp"
#include "daemon/admin/handlers.hpp"
#include "daemon/admin/views.hpp"

namespace vigil::admin {
namespace asio = boost::asio;
namespace {

constexpr int shown_of_each = 100;  // facts, preferences, open cases of one entity

// What the configuration says and what the database knows; an entity may be in only one of them.
json::object joined(const Desk& desk, const std::string& name, const storage::Entities::Row* row) {
  const auto& entities = desk.parts.settings().entities;
  const auto settings = entities.find(name);
  json::object out =
      row != nullptr ? view_of(*row) : json::object{{"name", name}, {"state", "awake"}};
  if (settings == entities.end()) {
    out["state"] = "absent";  // remembered, but not in the configuration any more
    return out;
  }
  out["kind"] = settings->second.kind;
  out["role"] = settings->second.role;
  out["autonomy"] = name_of(settings->second.autonomy);
  return out;
}

json::array subscriptions_of(const config::Entity& entity) {
  json::array out;
  for (const auto& on : entity.on) {
    json::array types;
    for (const auto& type : on.types) types.push_back(json::value(type));
    out.push_back(json::object{{"source", on.source},
                               {"types", std::move(types)},
                               {"filtered", !on.match.empty() || !on.when.empty()}});
  }
  return out;
}

std::optional<storage::Entities::Row> row_of(storage::Stores& stores, const std::string& name) {
  for (auto& row : stores.entities.all()) {
    if (row.name == name) return row;
  }
  return std::nullopt;
}

}  // namespace

Answer list_entities(Desk& desk, const Call&) {
  std::map<std::string, json::object> all;
  for (const auto& row : desk.reader().entities.all()) {
    all[row.name] = joined(desk, row.name, &row);
  }
  for (const auto& [name, entity] : desk.parts.settings().entities) {
    if (!all.contains(name)) all[name] = joined(desk, name, nullptr);
  }
  json::array out;
  for (auto& [name, view] : all) out.push_back(std::move(view));
  return json_response(json::object{{"entities", std::move(out)}});
}

Answer get_entity(Desk& desk, const Call& call) {
  const auto& name = call.names[0];
  auto& stores = desk.reader();
  const auto row = row_of(stores, name);
  const auto& entities = desk.parts.settings().entities;
  const auto settings = entities.find(name);
  if (!row && settings == entities.end()) {
    return refuse(404, fmt::format("there is no entity {}", quoted(name)),
                  "vigilctl entities list shows who there is");
  }
  auto out = joined(desk, name, row ? &*row : nullptr);
  if (settings != entities.end()) out["on"] = subscriptions_of(settings->second);
  out["budget"] = budget_view(stores, name, desk.parts.settings(), desk.parts.clock.now());
  out["facts"] = views_of(stores.memory.facts(name, "", shown_of_each));
  out["preferences"] = views_of(stores.memory.preferences(name, "", shown_of_each));
  json::array open;
  for (const auto& one : stores.cases.list(name, CaseId{}, limit_max)) {
    if (one.closed || open.size() >= shown_of_each) continue;
    open.push_back(view_of(one, Detail::brief));
  }
  out["cases"] = std::move(open);
  return json_response(out);
}

asio::awaitable<Answer> set_paused(Desk& desk, Call call, bool paused) {
  auto setting = desk.parts.runtime.set_paused(call.names[0], paused);
  Result<void> set = co_await std::move(setting);
  if (!set) co_return refuse(set.error(), "vigilctl entities list shows who there is");
  log_info("an entity was {} by a person: entity={} uid={}", paused ? "paused" : "resumed",
           quoted(call.names[0]), call.request.peer.uid);
  json::object out{{"name", call.names[0]}, {"state", paused ? "paused" : "awake"}};
  co_return json_response(out);
}

asio::awaitable<Answer> pause_entity(Desk& desk, Call call) {
  auto pausing = set_paused(desk, std::move(call), true);
  co_return co_await std::move(pausing);
}

asio::awaitable<Answer> resume_entity(Desk& desk, Call call) {
  auto resuming = set_paused(desk, std::move(call), false);
  co_return co_await std::move(resuming);
}

asio::awaitable<Answer> poke_source(Desk& desk, Call call) {
  const auto& name = call.names[0];
  if (!desk.parts.poke || !desk.parts.poke(name)) {
    co_return refuse(
        404, fmt::format("there is no source {} that is looked at", quoted(name)),
        "sources of kind \"repository\", \"poll\" and \"file\" are; the others are told");
  }
  co_return json_response(json::object{{"source", name}, {"state", "poked"}});
}

}  // namespace vigil::admin
