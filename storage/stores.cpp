#include "storage/stores.hpp"

#include <fmt/format.h>

#include "storage/database.hpp"
#include "storage/migrations.hpp"
#include "storage/state_dir.hpp"

namespace vigil::storage {

Result<std::unique_ptr<Stores>> Stores::open_reader(const std::string& state_dir) {
  const auto path = database_path(state_dir);
  try {
    auto database = Database::open(path, Use::read);
    const auto version = check_version(*database, path);
    if (!version) return std::unexpected(version.error());
    if (*version != newest_version()) {
      return fail(ErrorCode::unavailable,
                  fmt::format("{} is not set up yet: start vigild once, then try again", path));
    }
    return std::make_unique<Stores>(std::move(database));
  } catch (const DatabaseError& error) {
    return fail(ErrorCode::unavailable, fmt::format("{} cannot be read: {}", path, error.what()));
  }
}

Stores::Stores(std::unique_ptr<Database> database)
    : database_(std::move(database)),
      journal(*database_),
      wakes(*database_),
      cases(*database_),
      ledger(*database_),
      memory(*database_),
      outbox(*database_),
      proposals(*database_),
      swarms(*database_),
      timers(*database_),
      spend(*database_),
      entities(*database_),
      cursors(*database_),
      seen(*database_),
      audit(*database_) {}

Stores::~Stores() = default;

void Stores::snapshot() { database_->run("BEGIN"); }

void Stores::release() {
  if (database_->in_transaction()) database_->run("COMMIT");
}

}  // namespace vigil::storage
