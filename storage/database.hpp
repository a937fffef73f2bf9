#pragma once
// One connection to SQLite: opened and set up in one way, statements prepared once, rows read
// through cursors. A connection is used by one thread at a time. Failures throw DatabaseError.
#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/event.hpp"
#include "core/ids.hpp"
#include "core/time.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace vigil::storage {

class Database;

// The text of a statement. Only a literal becomes one: values are bound, never pasted in.
class Sql {
 public:
  consteval Sql(const char* text) : text_(text) {}  // NOLINT: made from a literal in passing
  const char* text() const { return text_; }

 private:
  const char* text_;
};

struct Blob {  // bytes to bind, not text
  std::string_view bytes;
};

enum class Trouble {
  refused,      // a constraint says no: the change is wrong
  full,         // no room on the disk, or beyond what the file may hold
  busy,         // somebody else holds the lock
  disk,         // the disk does not read or write: nothing of this connection can be trusted
  broken,       // a damaged file: neither
  interrupted,  // by interrupt()
  other,
};

class DatabaseError : public std::runtime_error {
 public:
  DatabaseError(Trouble trouble, const std::string& text)
      : std::runtime_error(text), trouble_(trouble) {}
  Trouble trouble() const { return trouble_; }
  bool is_beyond_trust() const { return trouble_ == Trouble::disk || trouble_ == Trouble::broken; }

 private:
  Trouble trouble_;
};

struct Statement {
  sqlite3_stmt* handle = nullptr;
  bool busy = false;  // a cursor reads it
};

// The rows of one running statement; resets it when it goes.
class Cursor {
 public:
  Cursor(Database& database, Statement& statement);
  Cursor(Cursor&& other) noexcept : database_(other.database_), statement_(other.statement_) {
    other.statement_ = nullptr;
  }
  Cursor& operator=(Cursor&&) = delete;
  ~Cursor();

  bool next();  // false: no further row
  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  int small(int column) const { return static_cast<int>(integer(column)); }
  double real(int column) const;
  std::string_view bytes(int column) const;  // text or blob; until the next next()
  std::string text(int column) const { return std::string(bytes(column)); }
  TimePoint time(int column) const { return from_unix_us(integer(column)); }
  Taint taint(int column) const { return integer(column) == 0 ? Taint::trusted : Taint::untrusted; }
  template <class Which>
  Which id(int column) const {
    return Which{integer(column)};  // NULL reads as 0
  }

 private:
  Database& database_;
  Statement* statement_;
};

enum class Use {
  write,  // the writer's: made when missing
  read,   // a live database beside its writer
  check,  // a file at rest, or a live one: no daemon needed
};
enum class Sync { full, off };

class Database {
 public:
  static std::unique_ptr<Database> open(const std::string& path, Use use, Sync sync = Sync::full);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  // Ids and times bind as integers; an id of 0 and an empty optional as NULL.
  template <class... Values>
  Cursor query(Sql sql, const Values&... values) {
    auto& statement = prepare(sql);
    Cursor cursor(*this, statement);
    int at = 0;
    (bind(statement, ++at, values, Keep::copy), ...);
    return cursor;
  }
  // Runs to the end; the number of rows changed.
  template <class... Values>
  int run(Sql sql, const Values&... values) {
    auto& statement = prepare(sql);
    Cursor cursor(*this, statement);
    int at = 0;
    (bind(statement, ++at, values, Keep::borrow), ...);
    while (cursor.next()) continue;  // a pragma may answer with rows nobody needs
    return changes();
  }
  // The first column of the first row; 0 without one.
  template <class... Values>
  std::int64_t number(Sql sql, const Values&... values) {
    auto cursor = query(sql, values...);
    return cursor.next() ? cursor.integer(0) : 0;
  }
  void script(Sql statements);  // several statements, nothing bound
  std::int64_t last_id() const;

  bool in_transaction() const;
  void interrupt();               // any thread: what runs ends with Trouble::interrupted
  std::int64_t reusable_bytes();  // of erased rows: the next ones take them

  // The write-ahead log. `frames` is how many pages it holds since it began anew.
  struct Log {
    int frames = 0;
    int copied = 0;  // of them are in the database file already
  };
  Log log() const { return log_; }
  enum class Checkpoint { passive, truncate };
  // Copies what no reader hinders. False: readers hindered all or part of it. Throws when full or
  // broken.
  bool checkpoint(Checkpoint how);

 private:
  friend class Cursor;
  friend class Transaction;
  friend class Savepoint;
  enum class Keep { copy, borrow };
  Database() = default;
  void set_up(Use use, Sync sync);
  Statement& prepare(Sql sql);
  void roll_back(const char* statements) noexcept;
  int changes() const;
  [[noreturn]] void raise(int code, const char* doing) const;
  static int on_commit(void* self, sqlite3* handle, const char* name, int frames);

  void bind_integer(Statement& statement, int at, std::int64_t value);
  void bind_real(Statement& statement, int at, double value);
  void bind_text(Statement& statement, int at, std::string_view value, Keep keep);
  void bind_blob(Statement& statement, int at, std::string_view value, Keep keep);

  template <class Tag>
  void bind(Statement& statement, int at, Id<Tag> id, Keep) {
    if (id) bind_integer(statement, at, id.value);
  }
  void bind(Statement& statement, int at, TimePoint time, Keep) {
    bind_integer(statement, at, to_unix_us(time));
  }
  void bind(Statement& statement, int at, Taint taint, Keep) {
    bind_integer(statement, at, taint == Taint::trusted ? 0 : 1);
  }
  template <std::integral Number>
  void bind(Statement& statement, int at, Number value, Keep) {
    bind_integer(statement, at, static_cast<std::int64_t>(value));
  }
  void bind(Statement& statement, int at, double value, Keep) { bind_real(statement, at, value); }
  void bind(Statement& statement, int at, std::string_view value, Keep keep) {
    bind_text(statement, at, value, keep);
  }
  void bind(Statement& statement, int at, Blob blob, Keep keep) {
    bind_blob(statement, at, blob.bytes, keep);
  }
  template <class Value>
  void bind(Statement& statement, int at, const std::optional<Value>& value, Keep keep) {
    if (value) bind(statement, at, *value, keep);
  }

  sqlite3* handle_ = nullptr;
  std::unordered_map<const char*, Statement> statements_;  // by the address of their literal
  Log log_;
};

// Rolls back in its destructor unless commit() was called.
class Transaction {
 public:
  explicit Transaction(Database& database);  // begins immediate
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  void commit();

 private:
  Database& database_;
  bool open_ = true;
};

// The same inside a transaction: what fails in it leaves the rest alone.
class Savepoint {
 public:
  explicit Savepoint(Database& database);
  ~Savepoint();
  Savepoint(const Savepoint&) = delete;
  Savepoint& operator=(const Savepoint&) = delete;
  void release();

 private:
  Database& database_;
  bool open_ = true;
};

}  // namespace vigil::storage
