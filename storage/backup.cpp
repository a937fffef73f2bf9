#include "storage/backup.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "core/time.hpp"
#include "storage/chain.hpp"
#include "storage/database.hpp"
#include "storage/migrations.hpp"
#include "storage/state_dir.hpp"
#include "storage/writer.hpp"

namespace vigil::storage {
namespace fs = std::filesystem;
namespace {

constexpr int chained_since = 7;  // schema version

Result<void> sync_file(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool done = fd >= 0 && ::fsync(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (done) return {};
  return fail(ErrorCode::unavailable,
              fmt::format("{} did not reach the disk: {}", path, std::strerror(error)));
}

std::string parent_of(const std::string& path) {
  const auto parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

// What may be in the old log goes into its file, so that one file is all of it.
void settle_log(const std::string& path) {
  try {
    auto old = Database::open(path, Use::write);
    old->checkpoint(Database::Checkpoint::truncate);
  } catch (const DatabaseError&) {
    return;  // it is damaged, which is why it is replaced: file and log are kept as they are
  }
}

// The old database gets another name without ever leaving the directory empty of a database: a
// daemon started in between would make a new one.
Result<std::string> put_aside(const std::string& path) {
  if (!fs::exists(path)) return std::string();
  const auto stamp = std::chrono::duration_cast<std::chrono::seconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
  auto kept = fmt::format("{}.replaced-{}", path, stamp);
  for (int more = 2; fs::exists(kept); ++more) {
    kept = fmt::format("{}.replaced-{}-{}", path, stamp, more);
  }
  settle_log(path);
  std::error_code error;
  fs::create_hard_link(path, kept, error);
  if (error) {
    return fail(ErrorCode::unavailable,
                fmt::format("the present database cannot be kept as {}: {}; nothing was changed",
                            kept, error.message()));
  }
  const auto log_bytes = fs::file_size(path + "-wal", error);
  if (!error && log_bytes > 0) {
    fs::rename(path + "-wal", kept + "-wal", error);
  } else {
    fs::remove(path + "-wal", error);
  }
  fs::remove(path + "-shm", error);
  return kept;
}

}  // namespace

std::string damage_of(Database& database, Depth depth) {
  static constexpr Sql tables[] = {"PRAGMA quick_check(cursor)", "PRAGMA quick_check(entity)",
                                   "PRAGMA quick_check(timer)",  "PRAGMA quick_check(wake)",
                                   "PRAGMA quick_check(case_)",  "PRAGMA quick_check(action)",
                                   "PRAGMA quick_check(swarm)",  "PRAGMA quick_check(task)",
                                   "PRAGMA quick_check(fact)",   "PRAGMA quick_check(preference)",
                                   "PRAGMA quick_check(seen)",   "PRAGMA quick_check(proposal)"};
  std::string found;
  const auto look = [&found](Cursor row) {
    while (row.next()) {
      const auto line = row.text(0);
      if (line == "ok") continue;
      if (!found.empty()) found += "; ";
      found += line;
    }
  };
  if (depth == Depth::whole) look(database.query("PRAGMA integrity_check(5)"));
  if (depth == Depth::quick) look(database.query("PRAGMA quick_check(5)"));
  if (depth == Depth::brief) {
    for (const auto table : tables) look(database.query(table));
  }
  return found;
}

Result<void> copy_to(Database& database, const std::string& path) {
  if (fs::exists(path)) {
    return fail(ErrorCode::conflict,
                fmt::format("{} exists already: choose another name, or remove it", path));
  }
  const auto partial = path + ".partial";
  ::unlink(partial.c_str());
  const int fd = ::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) {
    return fail(ErrorCode::unavailable,
                fmt::format("{} cannot be written: {}", path, std::strerror(errno)));
  }
  ::close(fd);
  try {
    database.run("VACUUM INTO ?", partial);
  } catch (const DatabaseError& error) {
    ::unlink(partial.c_str());
    const auto code = error.trouble() == Trouble::full ? ErrorCode::full : ErrorCode::unavailable;
    return fail(code, fmt::format("the copy to {} failed: {}", path, error.what()));
  }
  if (auto synced = sync_file(partial); !synced) return synced;
  // link, not rename: it refuses to take the place of a file that came in the meantime.
  const bool named = ::link(partial.c_str(), path.c_str()) == 0;
  const int error = errno;
  ::unlink(partial.c_str());
  if (!named) {
    return fail(ErrorCode::conflict,
                fmt::format("{} cannot be made: {}", path, std::strerror(error)));
  }
  sync_directory(parent_of(path));
  return {};
}

Result<Verified> verify(const std::string& path) {
  if (!fs::exists(path)) return fail(ErrorCode::not_found, fmt::format("there is no {}", path));
  try {
    auto database = Database::open(path, Use::check);
    const auto version = check_version(*database, path);
    if (!version) return std::unexpected(version.error());
    if (*version == 0) {
      return fail(ErrorCode::invalid_input, fmt::format("{} is an empty database", path));
    }
    if (const auto damage = damage_of(*database, Depth::whole); !damage.empty()) {
      return fail(ErrorCode::internal, fmt::format("{} is damaged: {}", path, damage));
    }
    if (*version >= chained_since) {
      for (const auto chain : {Chain::ledger, Chain::audit}) {
        const auto look = look_at_chain(*database, chain);
        if (!look.broken_at) continue;
        return fail(
            ErrorCode::internal,
            fmt::format("{} was tampered with: row {} of the {} is not what was written", path,
                        *look.broken_at, chain == Chain::ledger ? "ledger" : "audit"));
      }
    }
    Verified out;
    out.schema_version = *version;
    out.events = database->number("SELECT count(*) FROM event");
    out.decisions = database->number("SELECT count(*) FROM decision");
    out.cases = database->number("SELECT count(*) FROM case_");
    auto last = database->query("SELECT received_at FROM event ORDER BY id DESC LIMIT 1");
    if (last.next()) out.last_event_at = to_rfc3339(last.time(0));
    return out;
  } catch (const DatabaseError& error) {
    return fail(ErrorCode::internal, fmt::format("{} is damaged: {}", path, error.what()));
  }
}

Result<void> restore(const std::string& backup, const std::string& state_dir) {
  auto checked = verify(backup);
  if (!checked) return std::unexpected(std::move(checked.error()));
  auto dir = StateDir::lock(state_dir);
  if (!dir) return std::unexpected(std::move(dir.error()));
  const auto path = database_path(state_dir);
  const auto fresh = path + ".restoring";
  ::unlink(fresh.c_str());
  {
    auto from = Database::open(backup, Use::check);
    if (auto copied = copy_to(*from, fresh); !copied) return copied;
  }
  (*dir)->mark(LastEnd::restoring);
  auto kept = put_aside(path);
  if (!kept) {
    (*dir)->mark((*dir)->last_end());
    ::unlink(fresh.c_str());
    return std::unexpected(std::move(kept.error()));
  }
  std::error_code error;
  fs::rename(fresh, path, error);
  if (error) {
    return fail(
        ErrorCode::unavailable,
        fmt::format("{} cannot take its place: {}; run the restore again", fresh, error.message()));
  }
  sync_directory(state_dir);
  (*dir)->mark(LastEnd::clean);
  return {};
}

}  // namespace vigil::storage
