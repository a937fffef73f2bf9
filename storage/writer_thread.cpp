// The writer's thread: groups, commits, checkpoints.
#include <fmt/format.h>

#include <algorithm>

#include "storage/writer_state.hpp"

namespace vigil::storage {
namespace {

// A group is what waits, but not more than what the disk and the loop take without a stall.
constexpr std::size_t group_changes_max = 512;
constexpr auto group_time_max = std::chrono::milliseconds{8};
constexpr auto group_time_slow_disk_max = std::chrono::milliseconds{40};

constexpr int log_frames_kept = 16'384;  // 64 MB; a larger log is cut back once idle
constexpr auto idle_after = std::chrono::milliseconds{500};

Error error_of(const DatabaseError& error) {
  switch (error.trouble()) {
    case Trouble::full:
      return {ErrorCode::full, fmt::format("the disk is full ({}): make room in state_dir; nothing "
                                           "that was acknowledged is lost",
                                           error.what())};
    case Trouble::disk:
    case Trouble::broken:
      return {ErrorCode::unavailable,
              fmt::format("the database cannot be trusted any more: {}", error.what())};
    case Trouble::busy:
      return {ErrorCode::busy, fmt::format("another program holds the database's lock ({}): close "
                                           "it",
                                           error.what())};
    default:
      return {ErrorCode::internal, error.what()};
  }
}

// A commit that fails for anything but room leaves open what is on the disk: nobody guesses.
void commit(Transaction& transaction) {
  try {
    transaction.commit();
  } catch (const DatabaseError& error) {
    if (error.trouble() == Trouble::full) throw;
    throw DatabaseError(Trouble::broken, error.what());
  }
}

// The transaction ended under its changes: all of them are lost, not one.
struct GroupLost {
  DatabaseError why;
};

}  // namespace

void WriterState::run() {
  Group group;
  while (take(group)) {
    run_group(group);
    give_back(group);
  }
}

bool WriterState::take(Group& group) {
  group.clear();
  std::unique_lock guard(lock_);
  while (queue_.empty() && !stopping_) {
    if (!idle_work_) {
      came_.wait(guard);
      continue;
    }
    const bool came =
        came_.wait_for(guard, idle_after, [this] { return !queue_.empty() || stopping_; });
    if (came) continue;
    guard.unlock();
    checkpoint_when_idle();
    guard.lock();
  }
  while (!queue_.empty() && group.size() < group_changes_max) {
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return !group.empty();
}

void WriterState::run_group(Group& group) {
  look_at_disk();
  if (broken) {
    lose(group, {ErrorCode::unavailable, "the database broke: vigild must be started again"});
    return;
  }
  if (!low) full = false;  // there is room again
  try {
    run_all(group);
  } catch (const GroupLost& lost) {
    if (lost.why.trouble() == Trouble::full) out_of_room();
    lose(group, error_of(lost.why));
    if (lost.why.is_beyond_trust()) break_down(lost.why.what());
    return;
  }
  queued -= static_cast<std::int64_t>(group.size());
  after_commit(group);
}

void WriterState::run_all(Group& group) {
  // On a slow disk more goes into each of the few commits: twice as long as the last one took.
  const auto until = Steady::now() + std::clamp<Steady::duration>(2 * last_commit_, group_time_max,
                                                                  group_time_slow_disk_max);
  std::size_t ran = 0;
  std::uint64_t good = 0;
  try {
    Transaction transaction(database_);
    for (; ran < group.size() && (ran == 0 || Steady::now() < until); ++ran) {
      run_item(group[ran]);
      if (group[ran].result) ++good;
    }
    const auto begun = Steady::now();
    commit(transaction);
    last_commit_ = Steady::now() - begun;
  } catch (const DatabaseError& error) {
    throw GroupLost{error};
  }
  if (ran < group.size()) {  // the rest goes first into the next group
    const std::lock_guard guard(lock_);
    for (auto at = group.size(); at > ran; --at) queue_.push_front(std::move(group[at - 1]));
    group.resize(ran);
  }
  changes += good;
  failed += ran - good;
  if (good > 0) ++commits;
}

// What the change itself does wrong stays with it; what the disk or the file does wrong ends the
// group.
void WriterState::run_item(Item& item) {
  if (full && item.kind == Kind::change) {
    item.result = fail(ErrorCode::full,
                       "the disk is full: make room in state_dir; writing goes on "
                       "by itself then");
    return;
  }
  try {
    Savepoint savepoint(database_);
    item.change(*stores_);
    savepoint.release();
  } catch (const DatabaseError& error) {
    const bool fatal = error.trouble() == Trouble::full || error.is_beyond_trust();
    if (fatal || !database_.in_transaction()) throw;
    item.result = fail(ErrorCode::internal, error.what());
  } catch (const std::exception& error) {
    item.result = fail(ErrorCode::internal, error.what());
  }
  if (!database_.in_transaction()) {
    throw DatabaseError(Trouble::other, "a change ended the transaction it was part of");
  }
}

void WriterState::lose(Group& group, const Error& error) {
  failed += group.size();
  queued -= static_cast<std::int64_t>(group.size());
  for (auto& item : group) item.result = std::unexpected(error);
}

void WriterState::after_commit(const Group& group) {
  const auto log = database_.log();
  log_peak_ = std::max(log_peak_, log.frames);
  idle_work_ = true;
  if (log.frames < tried_frames_) tried_frames_ = 0;
  bool made_room = false;
  for (const auto& item : group) made_room = made_room || item.kind == Kind::maintenance;
  if (made_room) {
    checkpoint(full ? Database::Checkpoint::truncate : Database::Checkpoint::passive);
    tend([this] { reusable_ = database_.reusable_bytes(); });
    return;
  }
  const int waiting = log.frames - std::max(log.copied, tried_frames_);
  const int enough = queued > 0 ? log_frames_busy_ : log_frames_;
  if (waiting >= enough) checkpoint(Database::Checkpoint::passive);
}

// What is done beside the changes: nobody waits for its answer, so what goes wrong is noted here.
void WriterState::tend(const std::function<void()>& work) {
  if (broken) return;
  try {
    work();
  } catch (const DatabaseError& error) {
    if (error.trouble() == Trouble::full) out_of_room();
    if (error.is_beyond_trust()) break_down(error.what());
  }
}

void WriterState::checkpoint(Database::Checkpoint how) {
  tend([this, how] {
    database_.checkpoint(how);
    ++checkpoints;
  });
  const auto log = database_.log();
  tried_frames_ = log.frames;
  if (how == Database::Checkpoint::truncate) log_peak_ = log.frames;
}

// Once after the last of a run of commits; then the thread sleeps until somebody comes.
void WriterState::checkpoint_when_idle() {
  idle_work_ = false;
  if (broken) return;
  const auto log = database_.log();
  if (log_peak_ > log_frames_kept) {
    checkpoint(Database::Checkpoint::truncate);
  } else if (log.frames > log.copied) {
    checkpoint(Database::Checkpoint::passive);
  }
  if (!full) lay_in_ballast();
}

}  // namespace vigil::storage
