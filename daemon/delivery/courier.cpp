#include "daemon/delivery/courier.hpp"

#include <algorithm>
#include <boost/system/system_error.hpp>
#include <filesystem>
#include <map>

#include "core/bell.hpp"
#include "core/deadline.hpp"
#include "core/log.hpp"
#include "core/task_group.hpp"
#include "core/vital.hpp"
#include "daemon/delivery/approval_link.hpp"
#include "daemon/delivery/conclusion.hpp"
#include "daemon/delivery/hourly_limit.hpp"
#include "daemon/delivery/lanes.hpp"
#include "daemon/delivery/sinks.hpp"
#include "daemon/http/client.hpp"

namespace vigil::delivery {
namespace asio = boost::asio;
namespace {

using namespace std::chrono_literals;
constexpr int per_sink_max = 4;          // attempts at once
constexpr int rows_at_once = 256;        // read from the outbox
constexpr std::size_t known_max = 4096;  // beyond, approved actions wait in the outbox alone
constexpr int recovered_at_once = 256;
constexpr Duration refused_pause = 5s;  // after the writer refused a change
// While due actions wait for their turn, the outbox's earliest time says nothing about the others.
constexpr Duration backlog_pause = 30s;

using SinkPtr = std::shared_ptr<Sink>;

struct Began {
  bool ok = false;
  Attempt attempt;
  std::optional<storage::Settled> settled;  // it can never be sent
};

Lanes::Place place_of(const storage::Action& action) {
  return {action.case_id ? std::string() : action.entity, action.case_id, action.sink};
}

asio::awaitable<bool> rung(Bell& bell) {
  co_await bell.wait();
  co_return true;
}

}  // namespace

struct Courier::State {
  State(asio::any_io_executor on, Clock& time, storage::Writer& to,
        std::function<void(storage::Settled)> tell)
      : clock(time),
        writer(to),
        tell_settled(std::move(tell)),
        http(on, time, reach),
        ground{on, time, http, reach},
        bell(on),
        loop(on),
        attempts(on) {}

  asio::awaitable<Result<void>> recover();
  void remember_rates();
  void look();
  void shorten_sleep();
  asio::awaitable<void> expire();
  bool may_start(ActionId id, Sink* sink);
  TimePoint turn();
  asio::awaitable<void> run();
  asio::awaitable<void> attempt(ActionId id, SinkPtr sink);
  asio::awaitable<Outcome> ask(SinkPtr sink, Attempt attempt);
  asio::awaitable<void> conclude_attempt(storage::Action action, Conclusion conclusion);
  void count(const storage::Action& action, const Conclusion& conclusion);
  SinkPtr find_sink(const std::string& name) const;

  Clock& clock;
  storage::Writer& writer;
  std::function<void(storage::Settled)> tell_settled;
  http::Reach reach;
  http::Client http;
  SinkGround ground;
  std::map<std::string, SinkPtr> sinks;
  ApprovalLinks links;
  std::map<std::string, HourlyLimit> starts;  // of the sinks that have one
  storage::Stores* reader = nullptr;
  Lanes lanes{per_sink_max};
  TimePoint look_at{};       // when the outbox may hold something new
  bool more = false;         // it held more that was due than we took
  bool has_backlog = false;  // what it calls its earliest is due, and waits for its turn
  CourierStats stats;
  Bell bell;
  TaskGroup loop;      // the one sleeper
  TaskGroup attempts;  // each holds one action
};

Courier::Courier(asio::any_io_executor executor, Clock& clock, storage::Writer& writer,
                 std::function<void(storage::Settled)> settled)
    : state_(std::make_unique<State>(std::move(executor), clock, writer, std::move(settled))) {}
Courier::~Courier() = default;

Result<void> Courier::apply(const config::Settings& settings) {
  std::map<std::string, SinkPtr> wanted;
  for (const auto& [name, sink] : settings.sinks) {
    auto made = make_sink(sink, state_->ground);
    if (!made) return std::unexpected(std::move(made.error()));
    wanted[name] = std::move(*made);
  }
  if (auto read = state_->links.apply(settings.approvals); !read) return read;
  state_->sinks.swap(wanted);
  state_->reach = http::Reach(settings.outgoing.allow);
  state_->lanes.open_sinks();
  state_->bell.ring();
  return {};
}

asio::awaitable<Result<void>> Courier::start(storage::Stores& reader) {
  auto& state = *state_;
  state.reader = &reader;
  auto recovering = state.recover();
  Result<void> recovered = co_await std::move(recovering);
  if (!recovered) co_return recovered;
  state.remember_rates();
  // Those that wait for another attempt hold their lanes, so that nothing overtakes them.
  for (const auto& row : reader.outbox.in_state("approved", static_cast<int>(known_max))) {
    state.lanes.add(row.id, place_of(row), row.not_before);
  }
  state.loop.spawn("courier", [&state] { return vital("courier", state.run()); });
  co_return Result<void>();
}

SinkPtr Courier::State::find_sink(const std::string& name) const {
  const auto found = sinks.find(name);
  return found == sinks.end() ? nullptr : found->second;
}

asio::awaitable<Result<void>> Courier::State::recover() {
  while (true) {
    const auto rows = reader->outbox.in_state("sending", recovered_at_once);
    if (rows.empty()) co_return Result<void>();
    std::vector<std::pair<storage::Action, Conclusion>> all;
    const auto now = clock.now();
    for (const auto& row : rows) {
      const auto sink = find_sink(row.sink);
      const auto repeat = sink ? sink->repeat(row) : Repeat::dangerous;
      all.emplace_back(row, conclude_interrupted(row, repeat, now));
    }
    auto change = [all, now](storage::Stores& stores) {
      std::vector<storage::Settled> settled;
      for (const auto& [row, conclusion] : all) {
        if (const auto one = write(stores, row.id, conclusion, now)) settled.push_back(*one);
      }
      return settled;
    };
    auto committing = writer.commit(std::move(change));
    Result<std::vector<storage::Settled>> settled = co_await std::move(committing);
    if (!settled) co_return std::unexpected(std::move(settled.error()));
    for (const auto& [row, conclusion] : all) count(row, conclusion);
    for (const auto& one : *settled) tell_settled(one);
  }
}

// A restart does not give a limited sink its hour anew.
void Courier::State::remember_rates() {
  const auto since = clock.now() - HourlyLimit::hour;
  for (const auto& row : reader->outbox.list("", ActionId{}, rows_at_once)) {
    const auto sink = find_sink(row.sink);
    if (!sink || sink->per_hour_max() == 0 || row.attempts == 0) continue;
    if (row.settled > since) starts[row.sink].remember(row.settled);
  }
}

// Takes in what became due.
void Courier::State::look() {
  const auto now = clock.now();
  if (more && lanes.size() < rows_at_once / 2) look_at = now;
  if (look_at > now) {
    shorten_sleep();
    return;
  }
  if (lanes.size() >= known_max) {
    look_at = now + backlog_pause;
    return;
  }
  const auto limit = rows_at_once + static_cast<int>(lanes.size());
  const auto rows = reader->outbox.due(now, limit);
  for (const auto& row : rows) lanes.add(row.id, place_of(row), row.not_before);
  more = static_cast<int>(rows.size()) == limit;
  look_at = now + backlog_pause;
  has_backlog = true;
  shorten_sleep();
}

// Once nothing that is due waits, the outbox says when something will be.
void Courier::State::shorten_sleep() {
  if (!has_backlog) return;
  const auto earliest = reader->outbox.earliest().value_or(TimePoint::max());
  if (earliest <= clock.now()) return;
  look_at = earliest;
  has_backlog = false;
}

asio::awaitable<void> Courier::State::expire() {
  while (look_at <= clock.now()) {
    const auto now = clock.now();
    const auto rows = reader->outbox.expired(now, rows_at_once);
    if (rows.empty()) co_return;
    std::vector<ActionId> ids;
    for (const auto& row : rows) ids.push_back(row.id);
    auto change = [ids, now](storage::Stores& stores) {
      std::vector<storage::Settled> settled;
      for (const auto id : ids) {
        const auto one = storage::settle_and_wake(stores, id, "expired", nullptr,
                                                  "nobody answered before it expired", now);
        if (one) settled.push_back(*one);
      }
      return settled;
    };
    auto committing = writer.commit(std::move(change));
    Result<std::vector<storage::Settled>> settled = co_await std::move(committing);
    if (!settled) {
      log_warn("expired proposals could not be settled, trying again in {}: {}",
               to_text(refused_pause), vigil::quoted(settled.error().message));
      co_await clock.sleep_for(refused_pause);
      continue;
    }
    for (const auto& one : *settled) tell_settled(one);
  }
}

bool Courier::State::may_start(ActionId id, Sink* sink) {
  const int limit = sink == nullptr ? 0 : sink->per_hour_max();
  const auto now = clock.now();
  const auto name = lanes.find(id)->sink;
  if (limit == 0 || starts[name].take(now, limit)) return true;
  const auto free = starts[name].free_at(limit);
  log_warn("a sink has reached its limit, actions wait: sink={} per_hour_max={} until={}", name,
           limit, to_rfc3339(free));
  lanes.put_off(id, now);
  lanes.close_sink(name, free);
  return false;
}

// Starts what may start; when to look again.
TimePoint Courier::State::turn() {
  look();
  for (const auto id : lanes.take(clock.now())) {
    const auto sink = find_sink(lanes.find(id)->sink);
    if (!may_start(id, sink.get())) continue;
    attempts.spawn("delivery", [this, id, sink] { return vital("delivery", attempt(id, sink)); });
  }
  return std::min(look_at, lanes.next(clock.now()).value_or(TimePoint::max()));
}

asio::awaitable<void> Courier::State::run() {
  while (true) {
    auto expiring = expire();
    co_await std::move(expiring);
    const auto next = turn();
    if (next == TimePoint::max()) {
      co_await bell.wait();
      continue;
    }
    auto waiting = with_deadline(clock, next, rung(bell));
    Result<bool> early = co_await std::move(waiting);
    (void)early;  // rung or due: either way the next turn looks at everything
  }
}

asio::awaitable<void> Courier::State::attempt(ActionId id, SinkPtr sink) {
  const auto now = clock.now();
  auto change = [id, now, known = sink != nullptr](storage::Stores& stores) {
    Began out;
    auto row = stores.outbox.find(id);
    if (!row) return out;
    if (known) {
      out.ok = stores.outbox.begin(id);
    } else {
      out.settled = write(stores, id, conclude_sinkless(*row), now);
      out.ok = out.settled.has_value();
    }
    ++row->attempts;
    out.attempt = attempt_at(stores, std::move(*row));
    return out;
  };
  auto committing = writer.commit(std::move(change));
  Result<Began> began = co_await std::move(committing);
  if (!began) {
    log_warn("an action could not be begun, trying again in {}: action={} error={}",
             to_text(refused_pause), id.value, vigil::quoted(began.error().message));
    lanes.put_off(id, clock.now() + refused_pause);
  } else if (!began->ok) {
    lanes.ended(id);  // denied, superseded or gone
  } else if (sink == nullptr) {
    count(began->attempt.action, conclude_sinkless(began->attempt.action));
    lanes.ended(id);
    tell_settled(*began->settled);
  } else {
    auto action = began->attempt.action;
    auto asking = ask(sink, std::move(began->attempt));
    Outcome outcome = co_await std::move(asking);
    if (outcome.not_for) {  // it means all of ours, not this one alone
      lanes.close_sink(action.sink, clock.now() + std::min(*outcome.not_for, pause_most));
    }
    auto conclusion = conclude(action, sink->repeat(action), outcome, clock.now());
    auto concluding = conclude_attempt(std::move(action), std::move(conclusion));
    co_await std::move(concluding);
  }
  bell.ring();
}

// One attempt is a boundary: what it throws, other than cancellation, says nothing about what
// happened outside.
asio::awaitable<Outcome> Courier::State::ask(SinkPtr sink, Attempt attempt) {
  std::string thrown;
  links.add_to(attempt.action, clock.now());
  try {
    auto attempting = sink->attempt(std::move(attempt));
    co_return co_await std::move(attempting);
  } catch (const boost::system::system_error& error) {
    if (error.code() == asio::error::operation_aborted) throw;
    thrown = error.what();
  } catch (const std::exception& error) {
    thrown = error.what();
  }
  co_return unanswered("the attempt broke off: " + thrown);
}

// Until it is stored: an answer that is forgotten would be asked for twice.
asio::awaitable<void> Courier::State::conclude_attempt(storage::Action action,
                                                       Conclusion conclusion) {
  std::optional<storage::Settled> settled;
  Duration pause = pause_least;
  while (true) {
    auto change = [id = action.id, conclusion, now = clock.now()](storage::Stores& stores) {
      return write(stores, id, conclusion, now);
    };
    auto committing = writer.commit(std::move(change));
    Result<std::optional<storage::Settled>> written = co_await std::move(committing);
    if (written) {
      settled = *written;
      break;
    }
    log_warn("what became of an action could not be stored, trying again in {}: action={} error={}",
             to_text(pause), action.id.value, vigil::quoted(written.error().message));
    co_await clock.sleep_for(pause);
    pause = std::min<Duration>(2 * pause, 1min);
  }
  count(action, conclusion);
  if (conclusion.state.empty()) {
    lanes.put_off(action.id, conclusion.not_before);
  } else {
    lanes.ended(action.id);
    if (settled) tell_settled(*settled);
  }
}

void Courier::State::count(const storage::Action& action, const Conclusion& conclusion) {
  if (conclusion.state == "delivered") {
    ++stats.delivered;
    log_debug("delivered: action={} sink={} attempts={}", action.id.value, action.sink,
              action.attempts);
  } else if (conclusion.state.empty()) {
    ++stats.retried;
    log_warn(
        "an action was not delivered, trying again at {}: action={} sink={} attempts={} "
        "error={}",
        to_rfc3339(conclusion.not_before), action.id.value, action.sink, action.attempts,
        vigil::quoted(conclusion.error));
  } else {
    ++(conclusion.state == "unknown" ? stats.unknown : stats.failed);
    log_warn("an action was not delivered: action={} sink={} state={} attempts={} error={}",
             action.id.value, action.sink, conclusion.state, action.attempts,
             vigil::quoted(conclusion.error));
  }
}

void Courier::nudge() {
  state_->look_at = TimePoint{};
  state_->bell.ring();
}

// What is on its way may end until the deadline; what does not is found in `sending` next time.
asio::awaitable<void> Courier::stop(TimePoint deadline) {
  auto& state = *state_;
  state.loop.cancel();
  co_await state.loop.join();
  state.loop.spawn("courier's last call", [&state, deadline]() -> asio::awaitable<void> {
    co_await state.clock.sleep_until(deadline);
    state.attempts.cancel();
  });
  co_await state.attempts.join();
  state.loop.cancel();
  co_await state.loop.join();
}

CourierStats Courier::stats() const { return state_->stats; }

}  // namespace vigil::delivery
