#pragma once
// The only writer. Its thread owns the writable connection, groups the changes of everybody into
// one commit (they gather while the previous one reaches the disk), and alone checkpoints. What a
// crash loses was never acknowledged.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>

#include "core/error.hpp"
#include "storage/stores.hpp"

namespace vigil::storage {

struct WriterOptions {
  std::string state_dir;  // made (0700) when missing
  std::size_t free_bytes_min = 64 * 1024 * 1024;
  std::size_t ballast_bytes = 16 * 1024 * 1024;
  int queue_max = 65'536;  // changes waiting; beyond: ErrorCode::busy
  bool sync = true;        // false only to measure what durability costs
};

struct WriterStats {
  std::uint64_t changes = 0;  // committed
  std::uint64_t commits = 0;  // groups they came in
  std::uint64_t checkpoints = 0;
  std::uint64_t failed = 0;
  bool full = false;  // the disk is full: changes are refused until there is room
};

class Writer {
 public:
  // Opens or creates the database: lock file, WAL, quick check after an unclean end, migrations
  // (with a backup first). An error says what to do; the daemon then does not start.
  static Result<std::unique_ptr<Writer>> open(WriterOptions options);
  ~Writer();  // stop() first

  // Starts the thread. Results come back on `loop`. `on_broken` is called on the loop, once, when a
  // commit failed in a way that cannot be trusted (I/O error, corruption): the daemon must exit.
  void start(boost::asio::any_io_executor loop, std::function<void(std::string)> on_broken);
  // Runs what is queued, checkpoints, closes. Blocks; call it once nothing will be submitted.
  void stop();

  // Runs `change` on the writer thread inside a savepoint of the next group; returns what it
  // returned once the group is on disk. It may throw: then its savepoint alone is rolled back and
  // the error is ErrorCode::internal with the text. Errors: full, busy, unavailable (broken or
  // stopping). Not cancellable: once submitted it happens. Call by name, then await alone.
  template <class Change>
  auto commit(Change change)
      -> boost::asio::awaitable<Result<std::invoke_result_t<Change&, Stores&>>>;

  // Would a change be taken now? Cheap, any thread: doors ask it before they read a body.
  bool accepting() const;
  // Did the run before this one end without stop()? Known once open() returned.
  bool was_unclean() const;
  WriterStats stats() const;  // any thread
  std::int64_t queued() const;

  // Maintenance, awaited from the loop. Retention runs on the writer's thread, also on a full disk;
  // a backup on a thread and a connection of its own.
  // Erases what is older than its keep time, in small steps with a checkpoint after each.
  struct Retention {
    std::optional<TimePoint> events_before, ledger_before, swarms_before, episodes_before;
    std::optional<TimePoint> results_before;  // of tasks, kept to be taken again
    std::optional<std::int64_t> results_bytes_max;
  };
  boost::asio::awaitable<Result<std::int64_t>> retain(Retention retention);
  // A consistent copy while everything goes on (VACUUM INTO), 0600. Refuses to overwrite.
  boost::asio::awaitable<Result<void>> backup(std::string path);

 private:
  explicit Writer(std::unique_ptr<struct WriterState> state);
  boost::asio::awaitable<Result<void>> submit(std::move_only_function<void(Stores&)> change);
  std::unique_ptr<struct WriterState> state_;
};

// Is the file a whole vigild database: integrity_check, schema version, counts per table. No daemon
// needed. Blocks.
struct Verified {
  int schema_version = 0;
  std::int64_t events = 0, decisions = 0, cases = 0;
  std::string last_event_at;
};
Result<Verified> verify(const std::string& path);
// Puts a backup in place of the database of a stopped daemon; the old file is kept beside it.
// Blocks.
Result<void> restore(const std::string& backup, const std::string& state_dir);

template <class Change>
auto Writer::commit(Change change)
    -> boost::asio::awaitable<Result<std::invoke_result_t<Change&, Stores&>>> {
  using Value = std::invoke_result_t<Change&, Stores&>;
  if constexpr (std::is_void_v<Value>) {
    auto submitted = submit(std::move(change));
    co_return co_await std::move(submitted);
  } else {
    auto value = std::make_shared<std::optional<Value>>();
    auto run = [value, change = std::move(change)](Stores& stores) mutable {
      value->emplace(change(stores));
    };
    auto submitted = submit(std::move(run));
    Result<void> done = co_await std::move(submitted);
    if (!done) co_return std::unexpected(std::move(done.error()));
    co_return std::move(**value);
  }
}

}  // namespace vigil::storage
