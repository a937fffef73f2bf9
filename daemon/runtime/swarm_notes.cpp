#include "daemon/runtime/swarm_notes.hpp"

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "core/log.hpp"
#include "core/timeout.hpp"
#include "daemon/runtime/house.hpp"
#include "storage/planned.hpp"

namespace vigil::runtime {
namespace asio = boost::asio;
namespace {

constexpr std::size_t notes_a_change = 256;  // so that a change stays a matter of milliseconds
constexpr std::size_t result_kept_max = 1 << 20;
constexpr int erased_at_once = 256;
// Many results in one change cost the disk little more than one. Nobody waits for a result before
// its swarm is over, so what is done meanwhile is gathered that long, and starts longer: of a task
// that ends before its start is written, the end says all.
constexpr Duration gather_ends = std::chrono::milliseconds{5};
constexpr Duration gather_starts = std::chrono::milliseconds{500};

}  // namespace

SwarmNotes::SwarmNotes(asio::any_io_executor executor, Clock& clock, storage::Writer& writer)
    : executor_(executor),
      clock_(clock),
      writer_(writer),
      due_(executor),
      stops_(executor),
      writes_(executor) {}

asio::awaitable<void> SwarmNotes::started(SwarmId swarm, std::string task, int attempt,
                                          std::int64_t fence) {
  Note start;
  start.task.swarm = swarm;
  start.task.name = std::move(task);
  start.task.attempt = attempt;
  start.task.fence = fence;
  start.task.started = clock_.now();
  note(std::move(start));
  co_return;
}

asio::awaitable<void> SwarmNotes::ended(SwarmId swarm, swarm::TaskOutcome outcome,
                                        std::int64_t fence) {
  Note end;
  end.task.swarm = swarm;
  end.task.name = outcome.name;
  end.task.state = swarm::to_text(outcome.state);
  end.task.attempt = outcome.attempts;
  end.task.fence = fence;
  end.task.started = outcome.started;
  end.task.took = outcome.took;
  end.task.outcome = swarm::to_json(outcome);
  const bool may_be_kept = outcome.state == swarm::TaskState::done && outcome.saved.count() == 0;
  if (may_be_kept) end.cache_key = std::move(outcome.cache_key);
  end.done = std::make_shared<Bell>(executor_);
  auto done = end.done;
  note(std::move(end));
  co_await done->wait();
  // Without its checkpoint it never was: the run ends here, and goes on after the next start.
  if (lost_) throw boost::system::system_error(asio::error::operation_aborted);
}

void SwarmNotes::planned(SwarmId swarm, std::string task, json::object foreseen) {
  Note plan;
  plan.task.swarm = swarm;
  plan.task.name = std::move(task);
  plan.foreseen = std::move(foreseen);
  note(std::move(plan));
}

void SwarmNotes::note(Note note) {
  if (lost_) {
    if (note.done) note.done->ring();
    return;
  }
  ends_ += note.done ? 1 : 0;
  notes_.push_back(std::move(note));
  if (!std::exchange(writing_, true)) {
    writes_.spawn("write what tasks did", [this] { return write_all(); });
  } else if (is_due() || ends_ == 1) {
    due_.ring();
  }
}

bool SwarmNotes::is_due() const {
  return flushing_ || stopping_ || notes_.size() >= notes_a_change;
}

void SwarmNotes::flush() {
  flushing_ = !notes_.empty();
  if (flushing_) due_.ring();
}

// Until enough is noted, or enough time passed.
asio::awaitable<void> SwarmNotes::gather() {
  auto ring = [](Bell& bell) -> asio::awaitable<bool> {
    co_await bell.wait();
    co_return true;
  };
  auto until = clock_.now() + gather_starts;
  bool had_ends = false;
  while (!is_due()) {
    if (ends_ > 0 && !std::exchange(had_ends, true)) until = clock_.now() + gather_ends;
    auto waiting = with_timeout(clock_, until - clock_.now(), ring(due_));
    Result<bool> rung = co_await std::move(waiting);
    if (!rung) co_return;
  }
}

// In the order they came, whatever happens: what a crash leaves never holds a result without those
// it was made from.
asio::awaitable<void> SwarmNotes::write_all() {
  while (!notes_.empty()) {
    auto gathering = gather();
    co_await std::move(gathering);
    const auto count = std::min(notes_.size(), notes_a_change);
    std::vector<Note> batch(std::make_move_iterator(notes_.begin()),
                            std::make_move_iterator(notes_.begin() + static_cast<long>(count)));
    notes_.erase(notes_.begin(), notes_.begin() + static_cast<long>(count));
    ends_ -= std::ranges::count_if(batch, [](const Note& one) { return one.done != nullptr; });
    if (notes_.empty()) flushing_ = false;
    const Notes notes = std::make_shared<const std::vector<Note>>(std::move(batch));
    auto writing = write(notes);
    const bool written = co_await std::move(writing);
    if (!written) lost_ = true;
    for (const Note& one : *notes) {
      if (one.done) one.done->ring();
    }
    if (!lost_) continue;
    for (const Note& one : std::exchange(notes_, {})) {
      if (one.done) one.done->ring();
    }
  }
  writing_ = false;
}

// False: we stop, and it is not on the disk.
asio::awaitable<bool> SwarmNotes::write(Notes notes) {
  auto change = [notes, kept = kept_, now = clock_.now()](storage::Stores& stores) {
    write_here(stores, *notes, kept, now);
  };
  while (true) {
    auto committing = writer_.commit(change);
    Result<void> written = co_await std::move(committing);
    if (written) co_return true;
    if (written.error().code == ErrorCode::internal) {
      auto apart = write_apart(notes, written.error().message);
      co_return co_await std::move(apart);
    }
    if (stopping_) co_return false;
    log_warn("what tasks did could not be stored, trying again: tasks={} error={}", notes->size(),
             quoted(written.error().message));
    auto pausing = pause();
    co_await std::move(pausing);
    if (stopping_) co_return false;
  }
}

// One of them cannot be stored at all: the others are. After a crash its task runs again, and those
// that took its result.
asio::awaitable<bool> SwarmNotes::write_apart(Notes notes, std::string error) {
  if (notes->size() == 1) {
    const auto& task = notes->front().task;
    log_error("what a task did cannot be stored: swarm={} task={} error={}", task.swarm.value,
              quoted(task.name), quoted(error));
    co_return true;
  }
  for (const Note& one : *notes) {
    auto alone = std::make_shared<const std::vector<Note>>(1, one);
    auto writing = write(std::move(alone));
    const bool written = co_await std::move(writing);
    if (!written) co_return false;
  }
  co_return true;
}

// A start whose end comes after it in the same change would be written for nothing.
std::vector<bool> SwarmNotes::find_starts_in_vain(const std::vector<Note>& notes) {
  std::vector<bool> out(notes.size());
  std::set<std::pair<std::int64_t, std::string_view>> over;
  for (auto i = notes.size(); i-- > 0;) {
    const auto& task = notes[i].task;
    const auto place = std::pair(task.swarm.value, std::string_view(task.name));
    if (notes[i].done) {
      over.insert(place);
    } else {
      out[i] = notes[i].foreseen.is_null() && over.contains(place);
    }
  }
  return out;
}

// On the writer's thread.
void SwarmNotes::write_here(storage::Stores& stores, const std::vector<Note>& notes,
                            const KeptResults& kept, TimePoint now) {
  const auto starts_in_vain = find_starts_in_vain(notes);
  for (std::size_t i = 0; i < notes.size(); ++i) {
    const Note& one = notes[i];
    const auto& task = one.task;
    if (!one.foreseen.is_null()) {
      storage::put_planned(stores.database(), task.swarm, task.name, one.foreseen);
      continue;
    }
    if (!one.done) {
      if (starts_in_vain[i]) continue;
      stores.swarms.task_started(task.swarm, task.name, task.attempt, task.fence, task.started);
      continue;
    }
    const bool is_held = stores.swarms.task_ended(task);
    if (!is_held || one.cache_key.empty() || kept.bytes_max == 0) continue;
    const auto& result = task.outcome.at("result");
    if (to_text(result).size() > result_kept_max) continue;
    *kept.fresh += stores.swarms.keep(one.cache_key, {result, task.took}, now);
  }
  if (*kept.fresh <= kept.bytes_max / 8) return;
  *kept.fresh = 0;
  while (stores.swarms.erase_kept(TimePoint::min(), kept.bytes_max, erased_at_once) > 0) continue;
}

asio::awaitable<void> SwarmNotes::pause() {
  auto stop = [](Bell& stops) -> asio::awaitable<bool> {
    co_await stops.wait();
    co_return true;
  };
  auto waiting = with_timeout(clock_, refused_pause, stop(stops_));
  (void)co_await std::move(waiting);  // late is what we expect
}

void SwarmNotes::stop() {
  stopping_ = true;
  stops_.ring();
  due_.ring();
}

asio::awaitable<void> SwarmNotes::join() { return writes_.join(); }

std::optional<std::pair<json::value, Duration>> SwarmNotes::recall(const std::string& cache_key) {
  if (reader_ == nullptr) return std::nullopt;
  auto kept = reader_->swarms.kept(cache_key);
  if (!kept) return std::nullopt;
  return std::pair{std::move(kept->result), kept->took};
}

}  // namespace vigil::runtime
