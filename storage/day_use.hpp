#pragma once
// How much of a UTC day is used: what was spent, and what swarms that have not ended set aside of
// it. The second is read off their own rows, so that whichever way one ends or is lost, nothing of
// it stays. On the thread of the stores it is made over.
#include <string>

#include "core/ids.hpp"
#include "core/time.hpp"

namespace vigil::storage {

class Database;

struct SetAside {
  Duration compute{0};
  std::int64_t tokens = 0;
  std::int64_t money_micros = 0;
};

struct Day {
  std::string name;  // 2026-11-23
  TimePoint from;
  TimePoint until;
};
Day day_at(TimePoint now);

class DayUse {
 public:
  explicit DayUse(Database& database) : database_(database) {}
  // `account` and `kind` as Spend has them.
  std::int64_t spent(const std::string& account, const Day& day, const char* kind);
  // Of swarms that were asked for that day: of all entities, of one, of one of its cases.
  SetAside reserved(const Day& day);
  SetAside reserved(const Day& day, const std::string& entity);
  SetAside reserved(const Day& day, const std::string& entity, CaseId of);
  // Of a swarm that has not ended; replaces what it had.
  void reserve(SwarmId swarm, const SetAside& amounts);

 private:
  Database& database_;
};

}  // namespace vigil::storage
