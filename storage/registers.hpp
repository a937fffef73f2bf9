#pragma once
// The small tables: timers, budgets, entities, cursors.
#include <optional>
#include <string>
#include <vector>

#include "core/ids.hpp"
#include "core/json.hpp"
#include "core/time.hpp"

namespace vigil::storage {

class Database;

struct Timer {
  TimerId id;
  std::string entity;
  CaseId case_id;
  std::string case_key;  // read only
  std::string name;      // unique per case
  TimePoint due;
  json::value note;
};

class Timers {
 public:
  explicit Timers(Database& database) : database_(database) {}
  TimerId set(const Timer& timer);  // replaces one of the same name
  bool clear(CaseId case_id, const std::string& name);
  bool erase(TimerId id);  // false: already fired or cleared
  std::vector<Timer> due(TimePoint now, int limit);
  std::optional<TimePoint> earliest();
  std::vector<Timer> list(int limit);  // by due

 private:
  Database& database_;
};

// Budgets are reservations: reserve before, settle with what it really was.
class Spend {
 public:
  explicit Spend(Database& database) : database_(database) {}
  // Adds `amount` to the day's sum unless that would pass `limit` (0: no limit). False: over
  // budget.
  bool reserve(const std::string& entity, const std::string& day, const std::string& kind,
               std::int64_t amount, std::int64_t limit);
  void settle(const std::string& entity, const std::string& day, const std::string& kind,
              std::int64_t reserved, std::int64_t real);
  struct Row {
    std::string entity;
    std::string day;   // 2026-11-23, UTC
    std::string kind;  // tokens money_micros compute_us notifications swarms
    std::int64_t amount = 0;
  };
  std::vector<Row> of_day(const std::string& day);

 private:
  Database& database_;
};

class Entities {
 public:
  explicit Entities(Database& database) : database_(database) {}
  void seen(const std::string& name, const std::string& kind,
            TimePoint now);                               // in the configuration
  bool set_paused(const std::string& name, bool paused);  // false: no such entity
  struct Row {
    std::string name;
    std::string kind;
    bool paused = false;
    TimePoint first_seen;
    std::int64_t open_cases = 0;
    std::int64_t decisions = 0;
    TimePoint last_decision;
  };
  std::vector<Row> all();

 private:
  Database& database_;
};

class Cursors {
 public:
  explicit Cursors(Database& database) : database_(database) {}
  std::int64_t get(const std::string& name);  // 0 when never set
  void set(const std::string& name, std::int64_t value);

 private:
  Database& database_;
};

}  // namespace vigil::storage
