#pragma once
// The night of a memory: what episodes come to is put beside them as facts and preferences, facts
// that nobody uses fade, and the ledger says what was done. One change of the writer per entity:
// after a crash it was done or was not, and doing it again changes nothing. Then a model may be
// asked what else the new episodes show, in a swarm of the entity; what stands of the answer is
// remembered in the change that ends it.
#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "config/minds.hpp"
#include "daemon/runtime/swarm_rows.hpp"
#include "storage/writer.hpp"

namespace vigil::runtime {

class Runtime;

// Who asks for such a swarm, and the kind of its lines in the ledger. It has no case, and a line
// also when it is over budget.
constexpr const char* memory_wake = "memory";

// Of a model about a night.
struct Question {
  PlanRow row;          // until it was asked
  int shown = 0;        // episodes
  int cut = 0;          // of these only the beginning
  int passed_over = 0;  // for which there was no room
  SwarmId swarm;
  std::string not_asked;  // why, when there is no swarm
};

struct Consolidated {
  std::int64_t episodes = 0;      // that were new since the last time, and looked at
  std::int64_t passed_over = 0;   // new ones that were not: there were more than episodes_max
  int facts = 0;                  // told or told anew
  int preferences = 0;            // the same
  int halved = 0;                 // facts that nobody used
  int forgotten = 0;              // facts too unsure to keep
  DecisionId decision;            // the ledger's row; 0: nothing was changed, so there is none
  std::optional<Question> model;  // [memory] model is to be asked, or was
};

// On the writer's thread, inside one change. What it counts does not depend on the model.
Consolidated commit_consolidation(storage::Stores& stores, const std::string& entity,
                                  const config::MemoryUpkeep& rules, TimePoint now);

// The same from the loop, and then the question, within the budgets of the entity; it is not waited
// for. The references must outlive it.
boost::asio::awaitable<Result<Consolidated>> consolidate(storage::Writer& writer, Runtime& runtime,
                                                         std::string entity,
                                                         config::MemoryUpkeep rules, TimePoint now);

// Whether a swarm asks on behalf of a memory: no guardian is to hear of its end.
bool is_of_memory(storage::Stores& stores, const storage::Swarm& swarm);
// What of the answer stands is remembered, and the ledger says what was dropped. On the writer's
// thread.
void commit_answer_of_night(storage::Stores& stores, SwarmId swarm, const swarm::Report& report,
                            TimePoint now);

}  // namespace vigil::runtime
