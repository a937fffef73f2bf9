#pragma once
// Who asked the daemon to do what: a row for each request that changes something, written before it
// is done, and for each that was refused for want of a role. Append-only, chained (chain.hpp).
#include <string>
#include <vector>

#include "core/time.hpp"

namespace vigil::storage {

class Database;

struct AuditEntry {
  std::int64_t id = 0;
  TimePoint at;
  int uid = -1;
  int pid = -1;
  std::string who;     // the name of the user, when it has one
  std::string role;    // read | operate | admin; "refused" when it was not enough
  std::string what;    // POST /v1/config/reload
  std::string detail;  // the body's beginning
};

class Audit {
 public:
  explicit Audit(Database& database) : database_(database) {}
  void append(const AuditEntry& entry);
  std::vector<AuditEntry> list(std::int64_t before, int limit);  // newest first; 0: from the newest

 private:
  Database& database_;
};

}  // namespace vigil::storage
