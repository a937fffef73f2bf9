#pragma once
// The night of a memory: what episodes come to is put beside them as facts and preferences, facts
// that nobody uses fade, and the ledger says what was done. One change of the writer per entity:
// after a crash it was done or was not, and doing it again changes nothing.
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "storage/writer.hpp"

namespace vigil::runtime {

struct Consolidated {
  std::int64_t episodes = 0;  // that were new since the last time
  int facts = 0;              // told or told anew
  int preferences = 0;        // the same
  int halved = 0;             // facts that nobody used
  int forgotten = 0;          // facts too unsure to keep
  DecisionId decision;        // the ledger's row; 0: nothing was changed, so there is none
};

// On the writer's thread, inside one change.
Consolidated commit_consolidation(storage::Stores& stores, const std::string& entity,
                                  const config::MemoryUpkeep& rules, TimePoint now);

// The same from the loop. The settings are looked at once.
boost::asio::awaitable<Result<Consolidated>> consolidate(storage::Writer& writer,
                                                         std::string entity,
                                                         config::MemoryUpkeep rules, TimePoint now);

}  // namespace vigil::runtime
