#pragma once
// A disk between SQLite and the real one: it writes down every write, truncation, sync and deletion
// in order, and may let one of them fail. What a power cut at any of them would leave behind is
// then made from that record.
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <vector>

namespace vigil::storage {

struct DiskOp {
  enum class Kind { write, truncate, sync, remove, acknowledged };
  Kind kind = Kind::write;
  std::string file;
  std::int64_t offset = 0;  // size after a truncation; the number that was acknowledged
  std::string data;
};

enum class Fault { io_error, full };

class RecordingDisk {
 public:
  RecordingDisk();  // every database opened while it lives goes through it
  ~RecordingDisk();
  RecordingDisk(const RecordingDisk&) = delete;
  RecordingDisk& operator=(const RecordingDisk&) = delete;

  void acknowledge(std::int64_t number);  // what was told to somebody outside
  void fail_at(std::size_t op, Fault fault);
  std::size_t count() const;
  std::vector<DiskOp> ops() const;

  // Of SQLite: records; a result code when it is to fail, else 0.
  int note(DiskOp op);

 private:
  mutable std::mutex lock_;
  std::vector<DiskOp> ops_;
  std::size_t fail_at_ = SIZE_MAX;
  Fault fault_ = Fault::io_error;
};

// The files as they may be after a cut before op `end`: all that was synced, and of the rest
// nothing, a prefix, some writes, or some sectors in any order.
using Image = std::map<std::string, std::string>;
class PowerCuts {
 public:
  explicit PowerCuts(std::vector<DiskOp> ops) : ops_(std::move(ops)) {}
  std::size_t count() const { return ops_.size(); }
  void advance_to(std::size_t end);  // forward only
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
