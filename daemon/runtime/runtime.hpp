#pragma once
// The heart: routes events to cases, keeps their mailboxes, has guardians decide, commits
// decisions, runs what they asked for and brings the outcomes back as wakes (docs/design.md parts 1
// and 4). Loop thread only; decisions run on its own pool. After a crash start() goes on from what
// was committed.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <string>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "core/event.hpp"
#include "daemon/runtime/bulletin.hpp"
#include "storage/settling.hpp"
#include "storage/writer.hpp"

namespace vigil::swarm {
class Runner;
}

namespace vigil::runtime {

struct PlanRow;   // swarm_rows.hpp
struct Answer;    // answers.hpp
struct Answered;  // answers.hpp

struct Places {
  std::string state_dir;     // vigil.db, work/
  std::string programs_dir;  // vigil-task
  // Who runs tasks that are no processes, in front of the runner of those; without it nobody does.
  std::function<std::unique_ptr<swarm::Runner>(swarm::Runner& processes)> runner_over = {};
};

struct Status {
  int entities = 0;
  int entities_paused = 0;
  std::int64_t unrouted = 0;    // events accepted and not yet routed
  std::int64_t wakes_open = 0;  // routed and not yet decided
  std::int64_t wakes_dead = 0;
  int swarms_running = 0;
  int tasks_running = 0;
  std::uint64_t events_routed = 0;  // since the start
  std::uint64_t decisions = 0;
  std::uint64_t decisions_failed = 0;
};

class Runtime {
 public:
  // The references must outlive it. `writer` is started.
  Runtime(boost::asio::any_io_executor executor, Clock& clock, storage::Writer& writer,
          Bulletin& bulletin, Places places);
  ~Runtime();

  // Takes the settings in: compiles filters and guardians. Nothing changes when it fails. At start
  // and at each reload.
  Result<void> apply(std::shared_ptr<const config::Settings> settings);
  Result<void> apply(const config::Settings& settings) {
    return apply(std::make_shared<const config::Settings>(settings));
  }
  // What start() does first: reader() can be asked. Alone where nothing is to be decided.
  Result<void> open_reader();
  // Recovery, then work: routes what the cursor has not seen, wakes open cases, resumes swarms.
  boost::asio::awaitable<Result<void>> start();
  // Lets running decisions finish, stops swarms (their checkpoints stay). Nothing is lost.
  boost::asio::awaitable<void> stop(TimePoint deadline);

  // An event was committed to the journal. Cheap; in order of ids.
  void accepted(EventPtr event);
  // An action reached its end, and the wake that tells its case was committed with that.
  void settled(const storage::Settled& settled);
  // A person's answer to a proposal, from wherever; what came of it.
  boost::asio::awaitable<Result<Answered>> answer(Answer answer);
  // Called after each commit that put actions into the outbox: wakes the courier.
  void on_actions(std::function<void()> tell);
  // Called when a decision or a swarm is over: buffered schedule firings may go.
  void on_work_ended(std::function<void()> tell);
  // Called for each event an entity cares about, once it is routed.
  void on_heard(std::function<void(const std::string& entity)> tell);
  // Is an event of this source still being worked on: not routed, not decided, or its swarm runs?
  bool busy_with(const std::string& source) const;
  // Ends the swarms that events of this source asked for, and drops its wakes that are not decided
  // yet; the ledger says so (overlap = "cancel_other").
  void cancel_work_of(const std::string& source);

  // ---- for the admin API
  // --------------------------------------------------------------------------
  Status status() const;
  storage::Stores& reader();  // the loop's own read connection: only what is indexed and small
  boost::asio::awaitable<Result<void>> set_paused(std::string entity, bool paused);
  // Routes a journalled event once more, as a new wake (the ledger says "replayed").
  boost::asio::awaitable<Result<void>> replay(EventId event);
  boost::asio::awaitable<Result<void>> feedback(ActionId action, std::string verdict,
                                                std::string note);
  boost::asio::awaitable<Result<void>> revive_dead(WakeId wake);
  boost::asio::awaitable<Result<void>> drop_dead(WakeId wake);
  Result<void> cancel_swarm(SwarmId swarm, std::string why);
  boost::asio::awaitable<Result<void>> retry_swarm(SwarmId swarm, std::string by);
  // A plan by hand, within the entity's budgets and limits; its end is a wake of the case
  // `by-hand`.
  boost::asio::awaitable<Result<SwarmId>> run_plan(std::string entity, PlanRow plan,
                                                   std::string by);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::runtime
