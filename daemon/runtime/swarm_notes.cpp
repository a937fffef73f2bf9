// What the tasks of swarms did, on its way to the disk.
#include <set>

#include "core/bell.hpp"
#include "core/log.hpp"
#include "daemon/runtime/swarm_host.hpp"

namespace vigil::runtime {
namespace asio = boost::asio;
namespace {

constexpr std::size_t notes_a_change = 256;  // so that a change stays a matter of milliseconds
constexpr std::size_t result_kept_max = 1 << 20;

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
}

void SwarmHost::note(Note note) {
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
    const auto notes = std::make_shared<const std::vector<Note>>(std::move(batch));
    auto change = [notes, now = house_.clock.now()](storage::Stores& stores) {
      // A start whose end is here, too, would be written for nothing.
      std::set<std::pair<std::int64_t, std::string_view>> over;
      for (const Note& one : *notes) {
        if (one.done) over.emplace(one.task.swarm.value, one.task.name);
      }
      for (const Note& one : *notes) {
        const auto& task = one.task;
        if (!one.done) {
          if (over.contains({task.swarm.value, task.name})) continue;
          stores.swarms.task_started(task.swarm, task.name, task.attempt, task.fence, task.started);
          continue;
        }
        const bool is_kept = stores.swarms.task_ended(task);
        if (!is_kept || one.cache_key.empty()) continue;
        const auto& result = task.outcome.at("result");
        if (to_text(result).size() > result_kept_max) continue;
        stores.swarms.keep(one.cache_key, {result, task.took}, now);
      }
    };
    while (true) {
      auto committing = house_.writer.commit(change);
      Result<void> written = co_await std::move(committing);
      if (written || stopping_) break;
      log_warn("what tasks did could not be stored, trying again: tasks={} error={}", notes->size(),
               quoted(written.error().message));
      co_await house_.clock.sleep_for(refused_pause);
    }
    for (const Note& one : *notes) {
      if (one.done) one.done->ring();
    }
  }
  writing_ = false;
}

std::optional<std::pair<json::value, Duration>> SwarmHost::recall(const std::string& cache_key) {
  auto kept = house_.reader->swarms.kept(cache_key);
  if (!kept) return std::nullopt;
  return std::pair{std::move(kept->result), kept->took};
}

}  // namespace vigil::runtime
