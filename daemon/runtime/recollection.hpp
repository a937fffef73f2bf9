#pragma once
// What a decision may remember, read from one snapshot of a decision thread's own connection, and
// which facts it did read.
#include <map>
#include <string>
#include <vector>

#include "entities/guardian.hpp"
#include "entities/library.hpp"
#include "storage/stores.hpp"

namespace vigil::runtime {

class StoredRecollection final : public entities::Recollection, public entities::Library {
 public:
  // The stores must outlive it, inside one snapshot.
  StoredRecollection(storage::Stores& stores, storage::Case of)
      : stores_(stores), case_(std::move(of)) {}

  json::object case_state() const override { return case_.state; }
  std::optional<RememberedFact> fact(const std::string& key) const override;
  std::vector<RememberedFact> facts(const std::string& prefix, int limit) const override;
  std::vector<RememberedEpisode> episodes(int limit) const override;
  std::vector<Found> search(const std::string& words, int limit) const override;
  std::vector<Answer> answers(const std::string& question, int limit) const override;
  std::optional<json::value> preference(const std::string& key) const override;
  std::vector<RememberedFact> preferences(const std::string& prefix, int limit) const override;

  // Keys of the facts that were read and were not told within the last day of `now`: those told
  // lately are not forgotten anyway.
  std::vector<std::string> used(TimePoint now) const;
  // Was anything that a stranger may have written read so far?
  Taint taint() const { return taint_; }

 private:
  void note(Taint read) const {
    if (read == Taint::untrusted) taint_ = Taint::untrusted;
  }
  storage::Stores& stores_;
  storage::Case case_;
  mutable std::map<std::string, TimePoint> read_;  // facts, and when each was told
  mutable Taint taint_ = Taint::trusted;
};

// The part of it that a child process is told: {"state","facts","preferences","episodes"}.
json::object to_json(const StoredRecollection& memory);

}  // namespace vigil::runtime
