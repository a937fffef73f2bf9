#pragma once
// Cases: the units of continuity, with their state and what reactivity must remember about them.
#include <optional>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/json.hpp"
#include "core/time.hpp"

namespace vigil::storage {

class Database;

struct Case {
  CaseId id;
  std::string entity;
  std::string key;
  json::object state;
  bool closed = false;
  TimePoint opened;
  TimePoint updated;
  std::int64_t decisions = 0;
  TimePoint last_acted;    // 1970 when never: cooldown
  TimePoint window_start;  // throttle: start of the current window
  int window_count = 0;    // and wakes let through in it
};

class Cases {
 public:
  explicit Cases(Database& database) : database_(database) {}
  // Finds or creates; a closed case opens again.
  Case open(const std::string& entity, const std::string& key, TimePoint now);
  std::optional<Case> find(CaseId id);
  std::optional<Case> find(const std::string& entity, const std::string& key);
  // One decision was taken: the new state if there is one, and whether it acted.
  void decided(CaseId id, const json::object* state, bool acted, bool close, TimePoint now);
  void set_window(CaseId id, TimePoint start, int count);
  std::vector<Case> list(const std::string& entity, CaseId before,
                         int limit);  // newest first; "" all
  std::int64_t count();

 private:
  Database& database_;
};

}  // namespace vigil::storage
