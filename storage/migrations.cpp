#include "storage/migrations.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <filesystem>

namespace vigil::storage {
namespace {

constexpr std::int64_t application_id = 1'447'642'956;

Result<void> keep_a_copy(Database& database, const std::string& path, int version) {
  const auto copy = fmt::format("{}.before-v{}", path, version);
  std::error_code ignored;  // a copy that is absent need not be removed
  std::filesystem::remove(copy, ignored);
  try {
    database.run("VACUUM INTO ?", copy);
  } catch (const DatabaseError& error) {
    return fail(ErrorCode::unavailable,
                fmt::format("the database could not be copied to {} before it is changed for this "
                            "version: {}; make room there and start again",
                            copy, error.what()));
  }
  ::chmod(copy.c_str(), 0600);
  return {};
}

}  // namespace

int newest_version() { return migrations().back().version; }

Result<int> check_version(Database& database, const std::string& path) {
  const auto version = static_cast<int>(database.number("PRAGMA user_version"));
  const auto tables = database.number("SELECT count(*) FROM sqlite_schema");
  if (version == 0 && tables == 0) return 0;
  if (database.number("PRAGMA application_id") != application_id) {
    return fail(ErrorCode::conflict,
                fmt::format("{} is no database of vigild: point state_dir at another directory, or "
                            "move this file away",
                            path));
  }
  if (version > newest_version()) {
    return fail(ErrorCode::conflict,
                fmt::format("{} was written by a newer vigild (schema {}, this program knows {}): "
                            "install that version again, or restore an older backup with "
                            "`vigilctl backup restore FILE`",
                            path, version, newest_version()));
  }
  return version;
}

Result<void> migrate(Database& database, const std::string& path) {
  const auto version = check_version(database, path);
  if (!version) return std::unexpected(version.error());
  if (*version == newest_version()) return {};
  if (*version > 0) {
    if (auto kept = keep_a_copy(database, path, newest_version()); !kept) return kept;
  }
  for (const auto& step : migrations()) {
    if (step.version <= *version) continue;
    Transaction transaction(database);
    database.script(step.statements);
    transaction.commit();
  }
  return {};
}

}  // namespace vigil::storage
