#pragma once
// All stores over one connection. The writer has the only writable one; each decision thread and
// the loop have their own read-only one (opened with Stores::open_reader).
#include <memory>
#include <string>

#include "core/error.hpp"
#include "storage/audit.hpp"
#include "storage/cases.hpp"
#include "storage/journal.hpp"
#include "storage/ledger.hpp"
#include "storage/memory.hpp"
#include "storage/outbox.hpp"
#include "storage/proposals.hpp"
#include "storage/registers.hpp"
#include "storage/seen.hpp"
#include "storage/swarms.hpp"
#include "storage/wakes.hpp"

namespace vigil::storage {

class Stores {
 public:
  // Opens <state_dir>/vigil.db read-only; the writer must have opened it before.
  static Result<std::unique_ptr<Stores>> open_reader(const std::string& state_dir);
  explicit Stores(std::unique_ptr<Database> database);
  ~Stores();

  // Everything read between two calls of snapshot()/release() is from one moment. Read connections
  // only.
  void snapshot();
  void release();
  Database& database() { return *database_; }

 private:
  std::unique_ptr<Database> database_;  // first: the stores hold references to it

 public:
  Journal journal;
  Wakes wakes;
  Cases cases;
  Ledger ledger;
  Memory memory;
  Outbox outbox;
  Proposals proposals;
  Swarms swarms;
  Timers timers;
  Spend spend;
  Entities entities;
  Cursors cursors;
  Seen seen;
  Audit audit;
};

}  // namespace vigil::storage
