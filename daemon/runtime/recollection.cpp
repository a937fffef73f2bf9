#include "daemon/runtime/recollection.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace vigil::runtime {

std::optional<entities::Recollection::RememberedFact> StoredRecollection::fact(
    const std::string& key) const {
  auto found = stores_.memory.fact(case_.entity, key);
  if (!found) return std::nullopt;
  note(found->taint);
  read_.emplace(found->key, found->updated);
  return RememberedFact{found->key, found->value, found->confidence, found->provenance};
}

std::vector<entities::Recollection::RememberedFact> StoredRecollection::facts(
    const std::string& prefix, int limit) const {
  std::vector<RememberedFact> out;
  for (auto& fact : stores_.memory.facts(case_.entity, prefix, limit)) {
    note(fact.taint);
    read_.emplace(fact.key, fact.updated);
    out.push_back({fact.key, std::move(fact.value), fact.confidence, fact.provenance});
  }
  return out;
}

std::vector<entities::Recollection::RememberedEpisode> StoredRecollection::episodes(
    int limit) const {
  std::vector<RememberedEpisode> out;
  for (auto& episode : stores_.memory.episodes(case_.entity, case_.id, limit)) {
    note(episode.taint);
    out.push_back({episode.at, episode.kind, episode.text, std::move(episode.data)});
  }
  return out;
}

std::vector<entities::Recollection::Found> StoredRecollection::search(const std::string& words,
                                                                      int limit) const {
  std::vector<Found> out;
  for (auto& found : stores_.memory.search(case_.entity, words, limit)) {
    note(Taint::untrusted);  // an excerpt does not say who wrote it
    out.push_back({found.key, found.title, found.excerpt});
  }
  return out;
}

std::vector<entities::Library::Answer> StoredRecollection::answers(const std::string& question,
                                                                   int limit) const {
  std::vector<Answer> out;
  for (auto& hit : stores_.memory.passages.find(case_.entity, question, limit)) {
    note(Taint::untrusted);
    auto place = hit.heading.empty() ? hit.place : hit.heading + ", " + hit.place;
    out.push_back({std::move(hit.key), std::move(hit.title), std::move(place), std::move(hit.quote),
                   hit.coverage});
  }
  return out;
}

std::optional<json::value> StoredRecollection::preference(const std::string& key) const {
  auto found = stores_.memory.preference(case_.entity, key);
  if (!found) return std::nullopt;
  note(found->taint);
  return found->value;
}

std::vector<entities::Recollection::RememberedFact> StoredRecollection::preferences(
    const std::string& prefix, int limit) const {
  std::vector<RememberedFact> out;
  for (auto& preference : stores_.memory.preferences(case_.entity, prefix, limit)) {
    note(preference.taint);
    out.push_back({preference.key, std::move(preference.value), 1.0, preference.why});
  }
  return out;
}

std::vector<std::string> StoredRecollection::used(TimePoint now) const {
  std::vector<std::string> out;
  for (const auto& [key, told] : read_) {
    if (told <= now - std::chrono::hours{24}) out.push_back(key);
  }
  return out;
}

json::object to_json(const StoredRecollection& memory) {
  constexpr int told_max = 100;
  json::object facts;
  for (auto& fact : memory.facts("", told_max)) facts[fact.key] = std::move(fact.value);
  json::object preferences;
  for (auto& one : memory.preferences("", told_max)) preferences[one.key] = std::move(one.value);
  json::array episodes;
  for (auto& episode : memory.episodes(20)) {
    json::object told;
    told["at"] = to_rfc3339(episode.at);
    told["kind"] = episode.kind;
    told["text"] = episode.text;
    told["data"] = std::move(episode.data);
    episodes.push_back(std::move(told));
  }
  json::object out;
  out["state"] = memory.case_state();
  out["facts"] = std::move(facts);
  out["preferences"] = std::move(preferences);
  out["episodes"] = std::move(episodes);
  return out;
}

}  // namespace vigil::runtime
