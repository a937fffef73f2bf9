#pragma once
// What lies around the database in state_dir: the lock that keeps a second daemon out, the mark
// that tells a clean end from a crash, and the ballast that keeps room to clean up in. Blocking
// calls; the writer's thread, or before it starts.
#include <cstdint>
#include <memory>
#include <string>

#include "core/error.hpp"

namespace vigil::storage {

std::string database_path(const std::string& state_dir);

enum class LastEnd {
  clean,
  unclean,    // killed, or the power went: the log brings back what was acknowledged
  broken,     // the disk or the file failed: nothing is sure before all of it was looked at
  restoring,  // in the middle of a restore
};

class StateDir {
 public:
  // Makes the directory (0700) when missing and takes the lock; refuses when somebody has it.
  static Result<std::unique_ptr<StateDir>> lock(const std::string& path);
  ~StateDir();
  StateDir(const StateDir&) = delete;
  StateDir& operator=(const StateDir&) = delete;

  const std::string& path() const { return path_; }
  // How the run before this one ended. Until mark(clean), this one counts as unclean.
  LastEnd last_end() const { return last_end_; }
  void mark(LastEnd end);  // on disk when it returns

  void unlock();

  // -1 when nobody can tell.
  std::int64_t free_bytes() const;
  void make_ballast(std::size_t bytes);  // nothing happens when there is no room for it
  void drop_ballast();
  bool has_ballast() const;

 private:
  StateDir() = default;
  std::string path_;
  int lock_fd_ = -1;
  LastEnd last_end_ = LastEnd::clean;
};

std::int64_t free_bytes_at(const std::string& path);

// Writes a directory's entries to the disk, so that a new or renamed file survives a power cut.
void sync_directory(const std::string& path);

}  // namespace vigil::storage
