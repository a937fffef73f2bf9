#pragma once
// A disk between SQLite and the real one: it writes down every write, truncation, sync and deletion
// in order, and may let any call that SQLite makes fail. What a power cut at any of them would
// leave behind is then made from that record.
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace vigil::storage {

struct DiskOp {
  enum class Kind { write, truncate, sync, failed_sync, remove, acknowledged };
  Kind kind = Kind::write;
  std::string file;
  std::int64_t offset = 0;  // size after a truncation; the number that was acknowledged
  std::string data;
};

// What SQLite asks of a disk; `release` is to give up a lock, which is done even where it "fails".
enum class Call {
  open,
  remove,
  access,
  full_path,
  read,
  write,
  truncate,
  sync,
  size,
  lock,
  release,
  look_at_lock,
  map_shared,
  lock_shared
};
struct CallMade {
  Call call = Call::open;
  std::string file;
  std::uint64_t place = 0;  // who called, down to main: equal for the same chain of callers
};

// The error that SQLite's own disk gives for such a call, or "no room" where there can be none (and
// the error elsewhere). A sync that fails loses what it was to keep: a second one would lie.
enum class Fault { io_error, full };
enum class Lasting { once, from_then_on };

class RecordingDisk {
 public:
  RecordingDisk();  // every database opened while it lives goes through it
  ~RecordingDisk();
  RecordingDisk(const RecordingDisk&) = delete;
  RecordingDisk& operator=(const RecordingDisk&) = delete;

  void acknowledge(std::int64_t number);  // what was told to somebody outside
  void fail_at(std::size_t call, Fault fault, Lasting lasting);
  void mend();  // nothing fails any more
  bool has_failed() const;
  void keep_calls();                    // from now on: what calls() gives
  std::vector<CallMade> calls() const;  // in their order, which is what fail_at counts by
  std::vector<DiskOp> ops() const;

  // Of SQLite: a result code when this call is to fail, else 0.
  int come(Call call, const std::string& file);
  void note(DiskOp op);

 private:
  mutable std::mutex lock_;
  std::vector<DiskOp> ops_;
  std::vector<CallMade> calls_;
  bool keep_calls_ = false;
  bool failed_ = false;
  std::size_t count_ = 0;
  std::size_t fail_at_ = SIZE_MAX;
  Fault fault_ = Fault::io_error;
  Lasting lasting_ = Lasting::once;
};

// The files as they may be after a cut before op `end`: all that was synced, and of the rest
// nothing, a prefix, some writes, or some sectors in any order.
using Image = std::map<std::string, std::string>;
class PowerCuts {
 public:
  explicit PowerCuts(std::vector<DiskOp> ops) : ops_(std::move(ops)) {}
  std::size_t count() const { return ops_.size(); }
  void start_from(const Image& image) { synced_ = image; }  // what was there before the first op
  void advance_to(std::size_t end);                         // forward only
  Image image(std::mt19937& random) const;
  std::int64_t acknowledged() const { return acknowledged_; }

 private:
  std::vector<DiskOp> ops_;
  std::size_t at_ = 0;
  Image synced_;
  std::map<std::string, std::vector<const DiskOp*>> pending_;
  std::int64_t acknowledged_ = 0;  // how many
};

}  // namespace vigil::storage
