#include <fmt/format.h>

#include <boost/json/array.hpp>

#include "core/log.hpp"
#include "daemon/admin/handlers.hpp"
#include "daemon/admin/views.hpp"
#include "daemon/runtime/consolidation.hpp"
#include "storage/documents.hpp"
#include "storage/fading.hpp"

namespace vigil::admin {
namespace asio = boost::asio;
namespace {

constexpr std::size_t words_max = 1'000;
constexpr std::size_t provenance_max = 500;

bool is_known(const Desk& desk, const std::string& entity) {
  if (desk.parts.settings().entities.contains(entity)) return true;
  for (const auto& row : desk.reader().entities.all()) {
    if (row.name == entity) return true;
  }
  return false;
}

std::unexpected<Refusal> no_entity(const std::string& name) {
  return refuse(404, fmt::format("there is no entity {}", quoted(name)),
                "vigilctl entities list shows who there is");
}

Checked<storage::Fact> fact_from(const Call& call, TimePoint now) {
  auto body = call.body({"key", "value", "confidence", "provenance"});
  if (!body) return std::unexpected(std::move(body.error()));
  const auto key = text_member(*body, "key", name_bytes_max);
  if (!key) return std::unexpected(key.error());
  const auto provenance = text_member(*body, "provenance", provenance_max);
  if (!provenance) return std::unexpected(provenance.error());
  if (key->empty() || !body->contains("value")) {
    return refuse(400, "a fact needs a key and a value",
                  R"(send {"key": "owner", "value": "octo"}; a null value forgets)");
  }
  storage::Fact fact;
  fact.entity = call.names[0];
  fact.key = *key;
  fact.value = body->at("value");
  if (const auto* confidence = body->if_contains("confidence")) {
    json::error_code error;
    fact.confidence = confidence->to_number<double>(error);
    if (error || !(fact.confidence >= 0 && fact.confidence <= 1)) {
      return refuse(400, "confidence is not a number from 0 to 1", "leave it out for 1");
    }
  }
  fact.provenance = provenance->empty()
                        ? fmt::format("told by a person (uid {})", call.request.peer.uid)
                        : *provenance;
  fact.taint = Taint::trusted;
  fact.updated = now;
  return fact;
}

json::array views_of_facts(storage::Stores& stores, const std::string& entity,
                           const std::string& prefix, int limit) {
  const auto used = storage::last_uses(stores.database(), entity, prefix, limit);
  json::array out;
  for (const auto& fact : stores.memory.facts(entity, prefix, limit)) {
    auto view = view_of(fact);
    const auto found = used.find(fact.key);
    view["used"] = found == used.end() ? json::value() : json::value(to_rfc3339(found->second));
    out.push_back(std::move(view));
  }
  return out;
}

}  // namespace

Answer search_memory(Desk& desk, const Call& call) {
  const auto limit = call.limit();
  if (!limit) return std::unexpected(limit.error());
  const std::string words(call.text("q"));
  if (words.empty() || words.size() > words_max) {
    return refuse(400, "q= holds no words to look for, or too many", "for example q=deploy+failed");
  }
  const auto found = desk.reader().memory.search(std::string(call.text("entity")), words, *limit);
  return json_response(json::object{{"found", views_of(found)}});
}

Answer get_memory(Desk& desk, const Call& call) {
  const auto limit = call.limit();
  if (!limit) return std::unexpected(limit.error());
  const auto& name = call.names[0];
  if (!is_known(desk, name)) return no_entity(name);
  auto& memory = desk.reader().memory;
  const std::string prefix(call.text("prefix"));
  return json_response(
      json::object{{"entity", name},
                   {"facts", views_of_facts(desk.reader(), name, prefix, *limit)},
                   {"preferences", views_of(memory.preferences(name, prefix, *limit))},
                   {"episodes", views_of(memory.episodes(name, CaseId{}, *limit))}});
}

Answer list_documents(Desk& desk, const Call& call) {
  const auto limit = call.limit();
  if (!limit) return std::unexpected(limit.error());
  const auto& name = call.names[0];
  if (!is_known(desk, name)) return no_entity(name);
  json::array views;
  for (const auto& document : storage::headings(desk.reader().database(), name,
                                                std::string(call.text("prefix")), *limit)) {
    views.push_back(json::object{{"key", document.key},
                                 {"title", document.title},
                                 {"updated", to_rfc3339(document.updated)}});
  }
  return json_response(json::object{{"entity", name}, {"documents", std::move(views)}});
}

Answer get_document(Desk& desk, const Call& call) {
  const auto& name = call.names[0];
  if (!is_known(desk, name)) return no_entity(name);
  const std::string key(call.text("key"));
  const auto found = desk.reader().memory.document(name, key);
  if (!found) {
    return refuse(404, fmt::format("{} has no document {}", quoted(name), quoted(key)),
                  "vigilctl memory documents ENTITY lists them");
  }
  return json_response(json::object{{"entity", name},
                                    {"key", found->key},
                                    {"title", found->title},
                                    {"body", found->body},
                                    {"tainted", found->taint != Taint::trusted},
                                    {"updated", to_rfc3339(found->updated)}});
}

asio::awaitable<Answer> set_fact(Desk& desk, Call call) {
  if (!is_known(desk, call.names[0])) co_return no_entity(call.names[0]);
  const auto fact = fact_from(call, desk.parts.clock.now());
  if (!fact) co_return std::unexpected(fact.error());
  auto change = [fact = *fact](storage::Stores& stores) { stores.memory.put(fact); };
  auto committing = desk.parts.writer.commit(std::move(change));
  Result<void> set = co_await std::move(committing);
  if (!set) co_return refuse(set.error());
  json::object out{{"entity", fact->entity}, {"key", fact->key}};
  out["status"] = fact->value.is_null() ? "forgotten" : "set";
  co_return json_response(out);
}

asio::awaitable<Answer> consolidate_memory(Desk& desk, Call call) {
  const auto& name = call.names[0];
  if (!is_known(desk, name)) co_return no_entity(name);
  auto consolidating = runtime::consolidate(desk.parts.writer, desk.parts.runtime, name,
                                            desk.parts.settings().memory, desk.parts.clock.now());
  Result<runtime::Consolidated> done = co_await std::move(consolidating);
  if (!done) co_return refuse(done.error());
  json::object out{{"entity", name}, {"episodes", done->episodes}};
  out["facts"] = done->facts;
  out["preferences"] = done->preferences;
  out["passed_over"] = done->passed_over;
  out["halved"] = done->halved;
  out["forgotten"] = done->forgotten;
  out["asked"] = out["not_asked"] = nullptr;
  if (done->model && done->model->swarm) {
    out["asked"] = json::object{{"swarm", done->model->swarm.value},
                                {"episodes", done->model->shown},
                                {"cut", done->model->cut},
                                {"passed_over", done->model->passed_over}};
  } else if (done->model) {
    out["not_asked"] = done->model->not_asked;
  }
  out["decision"] = done->decision ? json::value(done->decision.value) : json::value();
  co_return json_response(out);
}

asio::awaitable<Answer> forget_memory(Desk& desk, Call call) {
  const auto& name = call.names[0];
  if (!is_known(desk, name)) co_return no_entity(name);
  const std::string prefix(call.text("prefix"));
  if (prefix.empty() && call.text("everything") != "yes") {
    co_return refuse(400, "prefix= is missing",
                     "say which keys to forget with prefix=, or everything=yes for all of them");
  }
  auto change = [name, prefix](storage::Stores& stores) {
    return stores.memory.forget(name, prefix);
  };
  auto committing = desk.parts.writer.commit(std::move(change));
  Result<int> forgotten = co_await std::move(committing);
  if (!forgotten) co_return refuse(forgotten.error());
  log_info("memory was forgotten: entity={} prefix={} entries={} uid={}", quoted(name),
           quoted(prefix), *forgotten, call.request.peer.uid);
  co_return json_response(json::object{{"entity", name}, {"forgotten", *forgotten}});
}

}  // namespace vigil::admin
