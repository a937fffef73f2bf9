#include "storage/writer.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <filesystem>

#include "storage/backup.hpp"
#include "storage/migrations.hpp"
#include "storage/passages.hpp"
#include "storage/retention.hpp"
#include "storage/writer_state.hpp"

namespace vigil::storage {
namespace asio = boost::asio;
namespace {

constexpr std::uintmax_t quickly_checked_bytes = 512 << 20;  // about two seconds

using Done = std::move_only_function<void(Result<void>)>;
using Waiting = asio::awaitable<Result<void>>;

// An operation of the loop out of a function that takes what to call when it is done. `begin` must
// not call it from inside. There is no way to cancel it.
template <class Begin>
Waiting until_done(Begin begin) {
  auto initiate = [begin = std::move(begin)](auto handler) mutable {
    // The guard keeps the loop from ending while the writer works for somebody on it.
    auto guard = asio::make_work_guard(handler);
    begin(Done([guard = std::move(guard), handler = std::move(handler)](
                   Result<void> result) mutable { handler(std::move(result)); }));
  };
  return asio::async_initiate<const asio::use_awaitable_t<>, void(Result<void>)>(
      std::move(initiate), asio::use_awaitable);
}

Error damaged(const std::string& path, const std::string& how) {
  return {ErrorCode::unavailable,
          fmt::format("{} is damaged ({}): put a backup in its place with `vigilctl backup restore "
                      "FILE`; the damaged file is kept beside it",
                      path, how)};
}

// SQLite would make it readable for everybody.
void make_private(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0) ::close(fd);
}

Result<std::unique_ptr<Database>> open_database(const WriterOptions& options, LastEnd last) {
  const auto path = database_path(options.state_dir);
  if (last == LastEnd::restoring) {
    return fail(ErrorCode::unavailable,
                fmt::format("a restore into {} did not end: run `vigilctl backup restore FILE` "
                            "again",
                            options.state_dir));
  }
  make_private(path);
  try {
    auto database = Database::open(path, Use::write, options.sync ? Sync::full : Sync::off);
    if (last != LastEnd::clean) {
      // After a mere kill a large file is not read whole before anybody is served again.
      const bool large = std::filesystem::file_size(path) > quickly_checked_bytes;
      const auto depth = last == LastEnd::unclean && large ? Depth::brief : Depth::quick;
      if (const auto how = damage_of(*database, depth); !how.empty()) {
        return std::unexpected(damaged(path, how));
      }
    }
    if (auto migrated = migrate(*database, path); !migrated) {
      return std::unexpected(std::move(migrated.error()));
    }
    (void)Passages(*database).catch_up();  // how many there were tells nobody anything
    return database;
  } catch (const DatabaseError& error) {
    switch (error.trouble()) {
      case Trouble::disk:
        return fail(
            ErrorCode::unavailable,
            fmt::format("the disk under {} does not read or write ({}): the kernel's log "
                        "(dmesg) says why. Mend that, then start again; the database itself "
                        "may be whole",
                        path, error.what()));
      case Trouble::broken:
        return std::unexpected(damaged(path, error.what()));
      case Trouble::busy:
        return fail(ErrorCode::conflict,
                    fmt::format("{} is locked by another program ({}): close it, then start again",
                                path, error.what()));
      case Trouble::full:
        return fail(ErrorCode::full, fmt::format("there is no room to open {} ({}): make some in "
                                                 "{}, then start again",
                                                 path, error.what(), options.state_dir));
      default:
        return fail(ErrorCode::unavailable,
                    fmt::format("{} cannot be opened: {}; it must be writable by the user who "
                                "runs vigild",
                                path, error.what()));
    }
  }
}

}  // namespace

Writer::Writer(std::unique_ptr<WriterState> state) : state_(std::move(state)) {}
Writer::~Writer() = default;

Result<std::unique_ptr<Writer>> Writer::open(WriterOptions options) {
  auto dir = StateDir::lock(options.state_dir);
  if (!dir) return std::unexpected(std::move(dir.error()));
  auto database = open_database(options, (*dir)->last_end());
  if (!database) return std::unexpected(std::move(database.error()));
  sync_directory(options.state_dir);
  (*dir)->mark(LastEnd::unclean);
  auto stores = std::make_unique<Stores>(std::move(*database));
  auto state =
      std::make_unique<WriterState>(std::move(options), std::move(*dir), std::move(stores));
  state->lay_in_ballast();
  return std::unique_ptr<Writer>(new Writer(std::move(state)));
}

void Writer::start(asio::any_io_executor loop, std::function<void(std::string)> on_broken) {
  state_->start(std::move(loop), std::move(on_broken));
}

void Writer::stop() { state_->stop(); }
bool Writer::accepting() const { return state_->accepting(); }
bool Writer::was_unclean() const { return state_->dir->last_end() != LastEnd::clean; }
std::int64_t Writer::queued() const { return state_->queued; }

WriterStats Writer::stats() const {
  return {.changes = state_->changes,
          .commits = state_->commits,
          .checkpoints = state_->checkpoints,
          .failed = state_->failed,
          .full = state_->full || state_->low};
}

Waiting Writer::submit(std::move_only_function<void(Stores&)> change) {
  return until_done([state = state_.get(), change = std::move(change)](Done done) mutable {
    state->submit({Kind::change, std::move(change), std::move(done), {}});
  });
}

Waiting Writer::backup(std::string path) {
  return until_done([state = state_.get(), path = std::move(path)](Done done) mutable {
    state->copy(std::move(path), std::move(done));
  });
}

asio::awaitable<Result<std::int64_t>> Writer::retain(Retention retention) {
  auto walk = std::make_shared<Walk>();
  while (!walk->done) {
    auto change = [walk, retention](Stores& stores) {
      *walk = step(stores.database(), retention, *walk);
    };
    auto stepping = until_done([state = state_.get(), change](Done done) {
      state->submit({Kind::maintenance, change, std::move(done), {}});
    });
    Result<void> stepped = co_await std::move(stepping);
    if (!stepped) co_return std::unexpected(std::move(stepped.error()));
  }
  co_return walk->erased;
}

}  // namespace vigil::storage
