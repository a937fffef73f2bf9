#include "storage/writer_state.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "core/check.hpp"
#include "storage/backup.hpp"

namespace vigil::storage {
namespace asio = boost::asio;
namespace {

constexpr auto look_every = std::chrono::seconds{1};

// How many pages wait in the log before they are copied. Rare is better than small, for a
// checkpoint costs two fsyncs, and commits wait for it (measured: p99 at 300 commits a second, on a
// disk of 4 ms per fsync, is 9 ms with 4,000 pages, 12 with 1,000 and 16 with 250). But on a full
// disk there must be room to copy them, and all there is then is the ballast.
int log_frames_of(const WriterOptions& options) {
  constexpr std::size_t page = 4096;
  constexpr int most = 4'000;
  if (options.ballast_bytes == 0) return most;
  const auto pages = options.ballast_bytes / page;
  return static_cast<int>(std::clamp<std::size_t>(pages - pages / 8, 100, most));
}

}  // namespace

WriterState::WriterState(WriterOptions with, std::unique_ptr<StateDir> where,
                         std::unique_ptr<Stores> stores)
    : options(std::move(with)),
      dir(std::move(where)),
      stores_(std::move(stores)),
      database_(stores_->database()),
      log_frames_busy_(log_frames_of(options)),
      log_frames_(log_frames_busy_ * 3 / 4) {}

WriterState::~WriterState() { stop(); }

void WriterState::start(asio::any_io_executor loop, std::function<void(std::string)> on_broken) {
  VIGIL_CHECK(!started_);
  loop_ = std::move(loop);
  on_broken_ = std::move(on_broken);
  started_ = true;
  thread_ = std::thread([this] { run(); });
}

void WriterState::submit(Item item) {
  VIGIL_CHECK(loop_);  // start() comes first
  Error refused;
  {
    const std::lock_guard guard(lock_);
    if (broken || stopping_) {
      refused = {ErrorCode::unavailable,
                 broken ? "the database broke: vigild must be started again"
                        : "the database is being closed: nothing more is written"};
    } else if (item.kind == Kind::change && queued >= options.queue_max) {
      refused = {ErrorCode::busy, fmt::format("{} changes wait for the disk already: try again "
                                              "later",
                                              queued.load())};
    } else {
      ++queued;
      queue_.push_back(std::move(item));
    }
  }
  if (refused.message.empty()) {
    came_.notify_one();
    return;
  }
  ++failed;
  item.result = std::unexpected(std::move(refused));
  Group one;
  one.push_back(std::move(item));
  give_back(one);
}

// One turn of the loop for all of a group. What changes hold is freed there too: it was made there.
void WriterState::give_back(Group& group) {
  if (group.empty()) return;
  asio::post(loop_, [group = std::move(group)]() mutable {
    for (auto& item : group) item.done(std::move(item.result));
  });
  group.clear();
}

bool WriterState::accepting() const {
  if (broken || stopping_ || queued >= options.queue_max) return false;
  if (!low) return true;
  look_at_disk();
  return !low;  // full or not: the next change finds out
}

// Rarely, from the thread that asks: a door that stays closed would never learn of new room.
void WriterState::look_at_disk() const {
  const auto now = Steady::now().time_since_epoch();
  auto last = looked_.load();
  const auto every = std::chrono::duration_cast<Steady::duration>(look_every).count();
  if (last != 0 && now.count() - last < every) return;
  if (!looked_.compare_exchange_strong(last, now.count())) return;
  const auto free = dir->free_bytes();
  if (free >= 0) low = std::cmp_less(free + reusable_, options.free_bytes_min);
}

void WriterState::lay_in_ballast() {
  const auto free = dir->free_bytes();
  const auto enough = options.free_bytes_min + 2 * options.ballast_bytes;
  if (free >= 0 && std::cmp_greater(free, enough)) dir->make_ballast(options.ballast_bytes);
}

void WriterState::out_of_room() {
  full = true;
  low = true;
  dir->drop_ballast();
}

void WriterState::break_down(const std::string& why) {
  if (broken.exchange(true)) return;
  dir->mark(LastEnd::broken);
  asio::post(loop_, [tell = on_broken_, why] {
    if (tell) tell(why);
  });
}

// ---- copies

void WriterState::copy(std::string path, std::move_only_function<void(Result<void>)> done) {
  const auto answer = [this](auto&& tell, Result<void> result) {
    asio::post(loop_, [tell = std::move(tell), result = std::move(result)]() mutable {
      tell(std::move(result));
    });
  };
  VIGIL_CHECK(loop_);
  if (stopping_ || broken) {
    answer(std::move(done), fail(ErrorCode::unavailable, "the database is being closed"));
    return;
  }
  if (copying_.exchange(true)) {
    answer(std::move(done), fail(ErrorCode::busy, "another copy is being made: try again later"));
    return;
  }
  if (copier_.joinable()) copier_.join();  // it has ended: it cleared the flag
  auto work = [this, answer, path = std::move(path), done = std::move(done)]() mutable {
    Result<void> result;
    try {
      auto source = Database::open(database_path(options.state_dir), Use::check);
      {
        const std::lock_guard guard(copy_lock_);
        copy_source_ = source.get();
      }
      result = stopping_ ? fail(ErrorCode::unavailable, "the database is being closed")
                         : copy_to(*source, path);
      const std::lock_guard guard(copy_lock_);
      copy_source_ = nullptr;
    } catch (const std::exception& error) {
      result = fail(ErrorCode::unavailable, fmt::format("no copy was made: {}", error.what()));
    }
    copying_ = false;
    answer(std::move(done), std::move(result));
  };
  copier_ = std::thread(std::move(work));
}

void WriterState::stop() {
  {
    const std::lock_guard guard(lock_);
    if (stopping_.exchange(true)) return;
  }
  came_.notify_one();
  {
    const std::lock_guard guard(copy_lock_);
    if (copy_source_ != nullptr) copy_source_->interrupt();
  }
  if (copier_.joinable()) copier_.join();
  if (thread_.joinable()) thread_.join();
  finish();
}

void WriterState::finish() {
  if (!broken) {
    try {
      database_.checkpoint(Database::Checkpoint::truncate);
    } catch (const DatabaseError&) {
      broken = true;  // the log keeps what the file lacks; the next start looks at both
    }
  }
  stores_.reset();
  if (!broken) dir->mark(LastEnd::clean);
  dir->unlock();
}

}  // namespace vigil::storage
