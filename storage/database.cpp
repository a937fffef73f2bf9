#include "storage/database.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <filesystem>
#include <mutex>

#include "core/check.hpp"

namespace vigil::storage {
namespace {

constexpr int busy_timeout_ms = 5'000;

Trouble trouble_of(int code) {
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
    case SQLITE_TOOBIG:
      return Trouble::refused;
    case SQLITE_FULL:
      return Trouble::full;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Trouble::busy;
    case SQLITE_IOERR:
      return code == SQLITE_IOERR_NOMEM ? Trouble::other : Trouble::disk;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Trouble::broken;
    case SQLITE_INTERRUPT:
      return Trouble::interrupted;
    default:
      return Trouble::other;
  }
}

// Counting every allocation under one lock costs each thread more than the figure is worth.
void configure_once() {
  static std::once_flag once;
  std::call_once(once, [] { sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); });
}

std::string uri_of(const std::string& path) {
  std::string out = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      out += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

// ---- opening

std::unique_ptr<Database> Database::open(const std::string& path, Use use, Sync sync) {
  configure_once();
  auto uri = uri_of(path);
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE;
  flags |= use == Use::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY;
  // A file at rest has no log beside it: then none is made, so that a copy on a read-only disk or
  // of another owner can be checked.
  if (use == Use::check && !std::filesystem::exists(path + "-wal")) uri += "?immutable=1";
  std::unique_ptr<Database> database(new Database);
  const int code = sqlite3_open_v2(uri.c_str(), &database->handle_, flags, nullptr);
  if (code != SQLITE_OK) database->raise(code, "open");
  database->set_up(use, sync);
  return database;
}

void Database::set_up(Use use, Sync sync) {
  sqlite3_busy_timeout(handle_, busy_timeout_ms);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  // The writer's triggers keep the full-text index, which SQLite allows in a trusted schema only.
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, use == Use::write ? 1 : 0, nullptr);
  sqlite3_db_config(handle_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  // One connection alone writes and checkpoints: SQLite before 3.51.3 may damage the file when one
  // connection commits while another checkpoints. Hence no automatic checkpoint anywhere, and no
  // mapped file, which makes that damage worse.
  script(R"sql(PRAGMA mmap_size = 0; PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY;
               PRAGMA foreign_keys = ON)sql");
  if (use == Use::write) {
    script("PRAGMA page_size = 4096");  // takes effect in a new file only
    auto mode = query("PRAGMA journal_mode = WAL");
    if (!mode.next() || mode.text(0) != "wal") {
      throw DatabaseError(Trouble::other,
                          "the file system cannot keep a write-ahead log (it may be a network "
                          "file system): put state_dir on a local disk");
    }
    // Debian's SQLite overwrites all that is deleted; `fast` does so where it costs no extra write.
    // The caches are what an idle daemon holds for good; the kernel keeps the file's pages besides.
    script("PRAGMA secure_delete = FAST; PRAGMA cache_size = -4096");
    if (sync == Sync::full) {
      script("PRAGMA synchronous = FULL");
    } else {
      script("PRAGMA synchronous = OFF");
    }
    sqlite3_wal_hook(handle_, &Database::on_commit, this);
  } else {
    script("PRAGMA cache_size = -1024");
    if (use == Use::read) script("PRAGMA query_only = ON");
  }
}

std::int64_t Database::reusable_bytes() {
  return number("PRAGMA freelist_count") * number("PRAGMA page_size");
}

Database::~Database() {
  for (auto& [text, statement] : statements_) sqlite3_finalize(statement.handle);
  sqlite3_close_v2(handle_);
}

void Database::raise(int code, const char* doing) const {
  const char* text = handle_ != nullptr ? sqlite3_errmsg(handle_) : sqlite3_errstr(code);
  throw DatabaseError(trouble_of(code),
                      fmt::format("{} (SQLite {}, at {:.200})", text, code, doing));
}

// ---- statements

Statement& Database::prepare(Sql sql) {
  auto& statement = statements_[sql.text()];
  if (statement.handle == nullptr) {
    const int code = sqlite3_prepare_v3(handle_, sql.text(), -1, SQLITE_PREPARE_PERSISTENT,
                                        &statement.handle, nullptr);
    if (code != SQLITE_OK) raise(code, sql.text());
  }
  VIGIL_CHECK(!statement.busy);  // its rows are still being read
  return statement;
}

void Database::script(Sql statements) {
  const int code = sqlite3_exec(handle_, statements.text(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) raise(code, statements.text());
}

int Database::changes() const { return sqlite3_changes(handle_); }
std::int64_t Database::last_id() const { return sqlite3_last_insert_rowid(handle_); }
bool Database::in_transaction() const { return sqlite3_get_autocommit(handle_) == 0; }
void Database::interrupt() { sqlite3_interrupt(handle_); }

void Database::bind_integer(Statement& statement, int at, std::int64_t value) {
  const int code = sqlite3_bind_int64(statement.handle, at, value);
  if (code != SQLITE_OK) raise(code, sqlite3_sql(statement.handle));
}
void Database::bind_real(Statement& statement, int at, double value) {
  const int code = sqlite3_bind_double(statement.handle, at, value);
  if (code != SQLITE_OK) raise(code, sqlite3_sql(statement.handle));
}
void Database::bind_text(Statement& statement, int at, std::string_view value, Keep keep) {
  const char* data = value.data() != nullptr ? value.data() : "";
  const int code =
      sqlite3_bind_text64(statement.handle, at, data, value.size(),
                          keep == Keep::copy ? SQLITE_TRANSIENT : SQLITE_STATIC, SQLITE_UTF8);
  if (code != SQLITE_OK) raise(code, sqlite3_sql(statement.handle));
}
void Database::bind_blob(Statement& statement, int at, std::string_view value, Keep keep) {
  const char* data = value.data() != nullptr ? value.data() : "";
  const int code = sqlite3_bind_blob64(statement.handle, at, data, value.size(),
                                       keep == Keep::copy ? SQLITE_TRANSIENT : SQLITE_STATIC);
  if (code != SQLITE_OK) raise(code, sqlite3_sql(statement.handle));
}

Cursor::Cursor(Database& database, Statement& statement)
    : database_(database), statement_(&statement) {
  statement.busy = true;
}

Cursor::~Cursor() {
  if (statement_ == nullptr) return;
  sqlite3_reset(statement_->handle);  // repeats the error of the step, which was thrown there
  sqlite3_clear_bindings(statement_->handle);
  statement_->busy = false;
}

bool Cursor::next() {
  const int code = sqlite3_step(statement_->handle);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  database_.raise(code, sqlite3_sql(statement_->handle));
}

bool Cursor::is_null(int column) const {
  return sqlite3_column_type(statement_->handle, column) == SQLITE_NULL;
}
std::int64_t Cursor::integer(int column) const {
  return sqlite3_column_int64(statement_->handle, column);
}
double Cursor::real(int column) const { return sqlite3_column_double(statement_->handle, column); }
std::string_view Cursor::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_->handle, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_->handle, column));
  return data != nullptr ? std::string_view(data, size) : std::string_view();
}

// ---- the log

int Database::on_commit(void* self, sqlite3*, const char*, int frames) {
  auto& log = static_cast<Database*>(self)->log_;
  if (frames < log.frames) log.copied = 0;  // it began anew
  log.frames = frames;
  return SQLITE_OK;
}

bool Database::checkpoint(Checkpoint how) {
  int frames = 0;
  int copied = 0;
  sqlite3_busy_timeout(handle_, 0);  // a reader is never waited for
  const int code = sqlite3_wal_checkpoint_v2(
      handle_, "main",
      how == Checkpoint::passive ? SQLITE_CHECKPOINT_PASSIVE : SQLITE_CHECKPOINT_TRUNCATE, &frames,
      &copied);
  sqlite3_busy_timeout(handle_, busy_timeout_ms);
  if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY) raise(code, "checkpoint");
  if (frames >= 0) log_ = {frames, copied};
  return code == SQLITE_OK && frames == copied;
}

// ---- transactions

// In a destructor nothing can be thrown, and nothing needs to be: a rollback fails only when SQLite
// rolled back by itself before, as it does after a full disk or an I/O error.
void Database::roll_back(const char* statements) noexcept {
  if (in_transaction()) sqlite3_exec(handle_, statements, nullptr, nullptr, nullptr);
}

Transaction::Transaction(Database& database) : database_(database) {
  database_.run("BEGIN IMMEDIATE");
}
Transaction::~Transaction() {
  if (open_) database_.roll_back("ROLLBACK");
}
void Transaction::commit() {
  database_.run("COMMIT");
  open_ = false;
}

Savepoint::Savepoint(Database& database) : database_(database) {
  database_.run("SAVEPOINT change");
}
Savepoint::~Savepoint() {
  if (open_) database_.roll_back("ROLLBACK TO change; RELEASE change");
}
void Savepoint::release() {
  database_.run("RELEASE change");
  open_ = false;
}

}  // namespace vigil::storage
