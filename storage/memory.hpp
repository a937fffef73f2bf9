#pragma once
// What entities remember: episodes, facts, preferences, documents. All by entity.
#include <optional>
#include <string>
#include <vector>

#include "core/event.hpp"
#include "core/ids.hpp"
#include "core/json.hpp"
#include "core/time.hpp"
#include "storage/passages.hpp"

namespace vigil::storage {

class Database;

struct Episode {
  std::int64_t id = 0;
  std::string entity;
  CaseId case_id;
  TimePoint at;
  std::string kind;
  std::string text;
  json::value data;
  Taint taint = Taint::untrusted;
};
struct Fact {
  std::string entity;
  std::string key;
  json::value value;
  double confidence = 1.0;
  std::string provenance;
  Taint taint = Taint::untrusted;
  TimePoint updated;
};
struct Preference {
  std::string entity;
  std::string key;
  json::value value;
  std::string why;
  TimePoint updated;
  Taint taint = Taint::untrusted;
};
struct Document {
  std::string entity;
  std::string key;
  std::string title;
  std::string body;
  Taint taint = Taint::untrusted;
  TimePoint updated;
};
struct Found {
  std::string entity;
  std::string kind;  // document | episode
  std::string key;   // of a document; the id of an episode
  std::string title;
  std::string excerpt;  // with the words found in [brackets]
};

class Memory {
 public:
  explicit Memory(Database& database) : passages(database), database_(database) {}
  Passages passages;                         // of documents; kept with them
  std::int64_t add(const Episode& episode);  // its text is searchable
  void put(const Fact& fact);                // a null value forgets
  void put(const Preference& preference);
  void put(const Document& document);  // an empty body forgets
  std::optional<Fact> fact(const std::string& entity, const std::string& key);
  std::vector<Fact> facts(const std::string& entity, const std::string& prefix, int limit);
  std::optional<Preference> preference(const std::string& entity, const std::string& key);
  std::vector<Preference> preferences(const std::string& entity, const std::string& prefix,
                                      int limit);
  std::optional<Document> document(const std::string& entity, const std::string& key);
  std::vector<Episode> episodes(const std::string& entity, CaseId case_id,
                                int limit);  // newest first; 0 all
  // Words in any order, in any of their forms: passages of documents as passages.hpp ranks them,
  // one of each document, and episodes. What has every word, if anything has. entity "" all.
  std::vector<Found> search(const std::string& entity, const std::string& words, int limit);
  // Forgets everything of an entity whose key starts with `prefix` (facts, preferences, documents).
  int forget(const std::string& entity, const std::string& prefix);

 private:
  void forget_passages(const std::string& entity, const std::string& from, const std::string& to);
  Database& database_;
};

}  // namespace vigil::storage
