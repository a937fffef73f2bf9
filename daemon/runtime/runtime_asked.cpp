#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "core/log.hpp"
#include "daemon/runtime/answers.hpp"
#include "daemon/runtime/commit.hpp"
#include "daemon/runtime/runtime_state.hpp"

namespace vigil::runtime {
namespace asio = boost::asio;
namespace {

std::unexpected<Error> no_letter(WakeId wake) {
  return fail(ErrorCode::not_found,
              fmt::format("there is no dead letter {}: vigilctl dead list", wake.value));
}

}  // namespace

asio::awaitable<Result<Answered>> Runtime::answer(Answer answer) {
  auto change = [answer, inhabitants = state_->house.inhabitants,
                 now = state_->house.clock.now()](storage::Stores& stores) {
    const auto bounds = inhabitants ? inhabitants->settings().approvals : config::Approvals{};
    return commit_answer(stores, bounds, answer, now);
  };
  auto committing = state_->house.writer.commit(std::move(change));
  Result<Answered> answered = co_await std::move(committing);
  if (!answered || !answered->refused.empty()) co_return answered;
  const auto& action = *answered->action;
  const std::string_view state = answer.approve ? "approved" : "denied";
  log_info("an action was {}: action={} kind={} sink={} by={}", state, action.id.value,
           quoted(action.kind), quoted(action.sink), quoted(answer.by));
  state_->house.bulletin.post("action", [&] {
    return json::object{{"id", action.id.value}, {"entity", action.entity}, {"kind", action.kind},
                        {"sink", action.sink},   {"case", action.case_key}, {"state", state}};
  });
  if (answered->wake) state_->house.deliver({*answered->wake});
  if (state_->house.outbox_changed) state_->house.outbox_changed();
  co_return answered;
}

asio::awaitable<Result<void>> Runtime::feedback(ActionId action, std::string verdict,
                                                std::string note) {
  auto& house = state_->house;
  auto change = [action, verdict = std::move(verdict), note = std::move(note),
                 now = house.clock.now()](storage::Stores& stores) -> std::optional<Waiting> {
    const auto row = stores.outbox.find(action);
    if (!row) return std::nullopt;
    json::value payload =
        json::object{{"action", action.value}, {"verdict", verdict}, {"note", note}};
    return waiting_of(storage::wake_about(stores, *row, "feedback", std::move(payload), now));
  };
  auto committing = house.writer.commit(std::move(change));
  Result<std::optional<Waiting>> waiting = co_await std::move(committing);
  if (!waiting) co_return std::unexpected(std::move(waiting.error()));
  if (!*waiting) {
    co_return fail(ErrorCode::not_found,
                   fmt::format("there is no action {}: vigilctl actions list", action.value));
  }
  house.deliver({std::move(**waiting)});
  co_return Result<void>();
}

Status Runtime::status() const {
  const auto& state = *state_;
  Status out;
  if (state.house.inhabitants) {
    out.entities = static_cast<int>(state.house.inhabitants->all().size());
  }
  out.entities_paused = static_cast<int>(state.paused.size());
  out.unrouted = state.router.unrouted();
  out.wakes_open = static_cast<std::int64_t>(
      state.house.mailboxes.ready() + state.house.mailboxes.waiting() + state.host.deciding());
  out.wakes_dead = state.dead + state.host.buried();
  out.swarms_running = state.swarms.running_swarms();
  out.tasks_running = state.swarms.running_tasks();
  out.events_routed = state.router.routed();
  out.decisions = state.host.decisions();
  out.decisions_failed = state.host.failures();
  return out;
}

storage::Stores& Runtime::reader() { return *state_->house.reader; }

asio::awaitable<Result<void>> Runtime::set_paused(std::string entity, bool paused) {
  auto change = [entity, paused](storage::Stores& stores) {
    return stores.entities.set_paused(entity, paused);
  };
  auto committing = state_->house.writer.commit(std::move(change));
  Result<bool> known = co_await std::move(committing);
  if (!known) co_return std::unexpected(std::move(known.error()));
  if (!*known) {
    co_return fail(ErrorCode::not_found,
                   fmt::format("there is no entity '{}': vigilctl entities list", entity));
  }
  if (paused) {
    state_->paused.insert(entity);
  } else {
    state_->paused.erase(entity);
  }
  state_->hold_absent();
  state_->host.pump();
  co_return Result<void>();
}

asio::awaitable<Result<void>> Runtime::replay(EventId event) {
  auto found = state_->house.reader->journal.find(event);
  if (!found) {
    co_return fail(ErrorCode::not_found,
                   fmt::format("there is no event {}: vigilctl events list", event.value));
  }
  auto replaying = state_->router.replay(std::move(found));
  co_return co_await std::move(replaying);
}

asio::awaitable<Result<void>> Runtime::revive_dead(WakeId wake) {
  auto change =
      [wake, now = state_->house.clock.now()](storage::Stores& stores) -> std::optional<Waiting> {
    if (!stores.wakes.revive(wake, now)) return std::nullopt;
    return waiting_of(*stores.wakes.find(wake));
  };
  auto committing = state_->house.writer.commit(std::move(change));
  Result<std::optional<Waiting>> revived = co_await std::move(committing);
  if (!revived) co_return std::unexpected(std::move(revived.error()));
  if (!*revived) co_return no_letter(wake);
  --state_->dead;
  std::vector<Waiting> wakes;
  wakes.push_back(std::move(**revived));
  state_->house.deliver(std::move(wakes));
  co_return Result<void>();
}

asio::awaitable<Result<void>> Runtime::drop_dead(WakeId wake) {
  auto change = [wake, now = state_->house.clock.now()](storage::Stores& stores) {
    return commit_dropped(stores, wake, now);
  };
  auto committing = state_->house.writer.commit(std::move(change));
  Result<bool> dropped = co_await std::move(committing);
  if (!dropped) co_return std::unexpected(std::move(dropped.error()));
  if (!*dropped) co_return no_letter(wake);
  --state_->dead;
  co_return Result<void>();
}

Result<void> Runtime::cancel_swarm(SwarmId swarm, std::string why) {
  return state_->swarms.cancel(swarm, why);
}
asio::awaitable<Result<void>> Runtime::retry_swarm(SwarmId swarm, std::string by) {
  return state_->swarms.retry(swarm, std::move(by));
}
asio::awaitable<Result<SwarmId>> Runtime::run_plan(std::string entity, PlanRow plan,
                                                   std::string by) {
  return state_->swarms.run_by_hand(std::move(entity), std::move(plan), std::move(by));
}

}  // namespace vigil::runtime
