// What the tasks of swarms did, on its way to the disk.
#include "core/bell.hpp"
#include "core/deadline.hpp"
#include "core/log.hpp"
#include "daemon/runtime/swarm_host.hpp"

namespace vigil::runtime {
namespace asio = boost::asio;
namespace {

constexpr std::size_t notes_a_change = 256;  // so that a change stays a matter of milliseconds
constexpr std::size_t result_kept_max = 1 << 20;
constexpr int erased_at_once = 256;

}  // namespace

asio::awaitable<void> SwarmHost::started(SwarmId swarm, std::string task, int attempt,
                                         std::int64_t fence) {
  Note start;
  start.task.swarm = swarm;
  start.task.name = std::move(task);
  start.task.attempt = attempt;
  start.task.fence = fence;
  start.task.started = house_.clock.now();
  note(std::move(start));
  co_return;
}

asio::awaitable<void> SwarmHost::ended(SwarmId swarm, swarm::TaskOutcome outcome,
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
  end.done = std::make_shared<Bell>(house_.executor);
  auto done = end.done;
  note(std::move(end));
  co_await done->wait();
  // Without its checkpoint it never was: the run ends here, and goes on after the next start.
  if (lost_) throw boost::system::system_error(asio::error::operation_aborted);
}

void SwarmHost::note(Note note) {
  if (lost_) {
    if (note.done) note.done->ring();
    return;
  }
  notes_.push_back(std::move(note));
  if (std::exchange(writing_, true)) return;
  writes_.spawn("write what tasks did", [this] { return write_notes(); });
}

// In the order they came, whatever happens: what a crash leaves never holds a result without those
// it was made from.
asio::awaitable<void> SwarmHost::write_notes() {
  while (!notes_.empty()) {
    const auto count = std::min(notes_.size(), notes_a_change);
    std::vector<Note> batch(std::make_move_iterator(notes_.begin()),
                            std::make_move_iterator(notes_.begin() + static_cast<long>(count)));
    notes_.erase(notes_.begin(), notes_.begin() + static_cast<long>(count));
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
asio::awaitable<bool> SwarmHost::write(Notes notes) {
  auto change = [notes, kept = kept_, now = house_.clock.now()](storage::Stores& stores) {
    write_here(stores, *notes, kept, now);
  };
  while (true) {
    auto committing = house_.writer.commit(change);
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
asio::awaitable<bool> SwarmHost::write_apart(Notes notes, std::string error) {
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
std::vector<bool> SwarmHost::find_starts_in_vain(const std::vector<Note>& notes) {
  std::vector<bool> out(notes.size());
  std::set<std::pair<std::int64_t, std::string_view>> over;
  for (auto i = notes.size(); i-- > 0;) {
    const auto& task = notes[i].task;
    const auto place = std::pair(task.swarm.value, std::string_view(task.name));
    if (notes[i].done) {
      over.insert(place);
    } else {
      out[i] = over.contains(place);
    }
  }
  return out;
}

// On the writer's thread.
void SwarmHost::write_here(storage::Stores& stores, const std::vector<Note>& notes,
                           const KeptResults& kept, TimePoint now) {
  const auto starts_in_vain = find_starts_in_vain(notes);
  for (std::size_t i = 0; i < notes.size(); ++i) {
    const Note& one = notes[i];
    const auto& task = one.task;
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

asio::awaitable<void> SwarmHost::pause() {
  auto stop = [](Bell& stops) -> asio::awaitable<bool> {
    co_await stops.wait();
    co_return true;
  };
  auto waiting = with_deadline(house_.clock, house_.clock.now() + refused_pause, stop(stops_));
  (void)co_await std::move(waiting);  // late is what we expect
}

std::optional<std::pair<json::value, Duration>> SwarmHost::recall(const std::string& cache_key) {
  auto kept = house_.reader->swarms.kept(cache_key);
  if (!kept) return std::nullopt;
  return std::pair{std::move(kept->result), kept->took};
}

}  // namespace vigil::runtime
