#pragma once
// Actions that wait for a person, what makes them alike, and what people answered. A row lives as
// long as its action. Writes on the writer's connection.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.hpp"
#include "core/time.hpp"

namespace vigil::storage {

class Database;

struct Proposal {
  ActionId action;
  std::string entity;
  std::string alike;   // the same for all that differ only in what they say
  std::string held;    // why it does not leave by itself: autonomy | untrusted | asked
  std::string answer;  // approved | denied; empty: nobody answered
  std::string by;      // who answered
};

class Proposals {
 public:
  explicit Proposals(Database& database) : database_(database) {}
  void add(const Proposal& proposal);
  std::optional<Proposal> find(ActionId action);
  // False when there is no such proposal. A later answer replaces an earlier one.
  bool answer(ActionId action, std::string_view answer, const std::string& by, TimePoint now);
  // The newest answers to proposals of an entity that are alike.
  std::vector<std::string> answers(const std::string& entity, const std::string& alike, int limit);

 private:
  Database& database_;
};

}  // namespace vigil::storage
