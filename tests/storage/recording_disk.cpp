#include "recording_disk.hpp"

#include <execinfo.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>

namespace vigil::storage {
namespace {

RecordingDisk* disk = nullptr;
sqlite3_vfs* real = nullptr;

struct File {
  sqlite3_file base;
  std::string* name;
  sqlite3_file* under;
};
File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }

int close_file(sqlite3_file* file) {
  auto& mine = of(file);
  delete mine.name;
  return mine.under->pMethods->xClose(mine.under);
}
int read_file(sqlite3_file* file, void* to, int size, sqlite3_int64 at) {
  auto& mine = of(file);
  if (const int code = disk->come(Call::read, *mine.name)) return code;
  return mine.under->pMethods->xRead(mine.under, to, size, at);
}
int write_file(sqlite3_file* file, const void* from, int size, sqlite3_int64 at) {
  auto& mine = of(file);
  if (const int code = disk->come(Call::write, *mine.name)) return code;
  disk->note({DiskOp::Kind::write, *mine.name, at,
              std::string(static_cast<const char*>(from), static_cast<std::size_t>(size))});
  return mine.under->pMethods->xWrite(mine.under, from, size, at);
}
int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  auto& mine = of(file);
  if (const int code = disk->come(Call::truncate, *mine.name)) return code;
  disk->note({DiskOp::Kind::truncate, *mine.name, size, {}});
  return mine.under->pMethods->xTruncate(mine.under, size);
}
// The record is the disk that counts: the real one need not be waited for.
int sync_file(sqlite3_file* file, int) {
  auto& mine = of(file);
  const int code = disk->come(Call::sync, *mine.name);
  disk->note({code != 0 ? DiskOp::Kind::failed_sync : DiskOp::Kind::sync, *mine.name, 0, {}});
  return code;
}
int size_of_file(sqlite3_file* file, sqlite3_int64* size) {
  auto& mine = of(file);
  if (const int code = disk->come(Call::size, *mine.name)) return code;
  return mine.under->pMethods->xFileSize(mine.under, size);
}
int lock_file(sqlite3_file* file, int level) {
  auto& mine = of(file);
  if (const int code = disk->come(Call::lock, *mine.name)) return code;
  return mine.under->pMethods->xLock(mine.under, level);
}
int unlock_file(sqlite3_file* file, int level) {
  auto& mine = of(file);
  const int code = mine.under->pMethods->xUnlock(mine.under, level);
  const int fault = disk->come(Call::release, *mine.name);
  return fault != 0 ? fault : code;
}
int check_lock(sqlite3_file* file, int* held) {
  auto& mine = of(file);
  if (const int code = disk->come(Call::look_at_lock, *mine.name)) return code;
  return mine.under->pMethods->xCheckReservedLock(mine.under, held);
}
int control(sqlite3_file* file, int what, void* argument) {
  if (what == SQLITE_FCNTL_SIZE_HINT || what == SQLITE_FCNTL_CHUNK_SIZE) return SQLITE_OK;
  return of(file).under->pMethods->xFileControl(of(file).under, what, argument);
}
int sector_size(sqlite3_file*) { return 512; }
int characteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }
int map_shared(sqlite3_file* file, int region, int size, int extend, void volatile** out) {
  auto& mine = of(file);
  *out = nullptr;
  if (const int code = disk->come(Call::map_shared, *mine.name)) return code;
  return mine.under->pMethods->xShmMap(mine.under, region, size, extend, out);
}
int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
  auto& mine = of(file);
  const auto call = (flags & SQLITE_SHM_UNLOCK) != 0 ? Call::release : Call::lock_shared;
  const int fault = disk->come(call, *mine.name);
  if (fault != 0 && call == Call::lock_shared) return fault;
  const int code = mine.under->pMethods->xShmLock(mine.under, offset, count, flags);
  return fault != 0 ? fault : code;
}
void barrier(sqlite3_file* file) { of(file).under->pMethods->xShmBarrier(of(file).under); }
int unmap_shared(sqlite3_file* file, int erase) {
  return of(file).under->pMethods->xShmUnmap(of(file).under, erase);
}

const sqlite3_io_methods methods{
    2,         close_file,   read_file,       write_file,  truncate_file,
    sync_file, size_of_file, lock_file,       unlock_file, check_lock,
    control,   sector_size,  characteristics, map_shared,  lock_shared,
    barrier,   unmap_shared, nullptr,         nullptr};

std::string name_of(const char* path) {
  return std::filesystem::path(path != nullptr ? path : "").filename();
}

int open_file(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
  auto& mine = of(file);
  mine.base.pMethods = nullptr;
  mine.under = reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(file) + sizeof(File));
  if (const int code = disk->come(Call::open, name_of(name))) return code;
  const int code = real->xOpen(real, name, mine.under, flags, out);
  if (code != SQLITE_OK) return code;
  mine.name = new std::string(name_of(name));
  mine.base.pMethods = &methods;
  return SQLITE_OK;
}
int remove_file(sqlite3_vfs*, const char* name, int sync_directory) {
  if (const int code = disk->come(Call::remove, name_of(name))) return code;
  disk->note({DiskOp::Kind::remove, name_of(name), 0, {}});
  return real->xDelete(real, name, sync_directory);
}
int access_file(sqlite3_vfs*, const char* name, int flags, int* out) {
  if (const int code = disk->come(Call::access, name_of(name))) return code;
  return real->xAccess(real, name, flags, out);
}
int full_path(sqlite3_vfs*, const char* name, int size, char* out) {
  if (const int code = disk->come(Call::full_path, name_of(name))) return code;
  return real->xFullPathname(real, name, size, out);
}
int random_bytes(sqlite3_vfs*, int size, char* out) { return real->xRandomness(real, size, out); }
int wait(sqlite3_vfs*, int us) { return real->xSleep(real, us); }
int now(sqlite3_vfs*, double* out) { return real->xCurrentTime(real, out); }
int last_error(sqlite3_vfs*, int size, char* out) { return real->xGetLastError(real, size, out); }

sqlite3_vfs vfs{};

int error_of(Call call) {
  switch (call) {
    case Call::open:
      return SQLITE_CANTOPEN;
    case Call::remove:
      return SQLITE_IOERR_DELETE;
    case Call::access:
      return SQLITE_IOERR_ACCESS;
    case Call::full_path:
      return SQLITE_CANTOPEN_FULLPATH;
    case Call::read:
      return SQLITE_IOERR_READ;
    case Call::write:
      return SQLITE_IOERR_WRITE;
    case Call::truncate:
      return SQLITE_IOERR_TRUNCATE;
    case Call::sync:
      return SQLITE_IOERR_FSYNC;
    case Call::size:
      return SQLITE_IOERR_FSTAT;
    case Call::lock:
      return SQLITE_IOERR_LOCK;
    case Call::release:
      return SQLITE_IOERR_UNLOCK;
    case Call::look_at_lock:
      return SQLITE_IOERR_CHECKRESERVEDLOCK;
    case Call::map_shared:
      return SQLITE_IOERR_SHMSIZE;
    case Call::lock_shared:
      return SQLITE_IOERR_SHMLOCK;
  }
  return SQLITE_IOERR;
}

// What a full disk refuses.
bool takes_room(Call call) { return call == Call::write || call == Call::map_shared; }

std::uint64_t place_of_caller() {
  std::array<void*, 40> callers{};
  const auto count = static_cast<std::size_t>(::backtrace(callers.data(), callers.size()));
  std::uint64_t hash = 0;
  for (std::size_t at = 2; at < count; ++at) {
    hash = (hash ^ reinterpret_cast<std::uintptr_t>(callers[at])) * 0x9E3779B97F4A7C15u;
  }
  return hash;
}

void apply(std::string& bytes, const DiskOp& op) {
  if (op.kind == DiskOp::Kind::truncate) {
    bytes.resize(static_cast<std::size_t>(op.offset));
    return;
  }
  const auto end = static_cast<std::size_t>(op.offset) + op.data.size();
  if (bytes.size() < end) bytes.resize(end);
  std::memcpy(bytes.data() + op.offset, op.data.data(), op.data.size());
}

std::vector<DiskOp> sectors_of(const std::vector<const DiskOp*>& pending) {
  constexpr std::size_t sector = 512;
  std::vector<DiskOp> out;
  for (const auto* op : pending) {
    if (op->kind == DiskOp::Kind::truncate) out.push_back(*op);
    for (std::size_t at = 0; at < op->data.size();) {
      const auto offset = static_cast<std::size_t>(op->offset) + at;
      const auto size = std::min(op->data.size() - at, (offset / sector + 1) * sector - offset);
      out.push_back(
          {op->kind, op->file, static_cast<std::int64_t>(offset), op->data.substr(at, size)});
      at += size;
    }
  }
  return out;
}

}  // namespace

RecordingDisk::RecordingDisk() {
  disk = this;
  real = sqlite3_vfs_find(nullptr);
  vfs = sqlite3_vfs{};
  vfs.iVersion = 1;
  vfs.szOsFile = static_cast<int>(sizeof(File)) + real->szOsFile;
  vfs.mxPathname = real->mxPathname;
  vfs.zName = "recording";
  vfs.xOpen = open_file;
  vfs.xDelete = remove_file;
  vfs.xAccess = access_file;
  vfs.xFullPathname = full_path;
  vfs.xRandomness = random_bytes;
  vfs.xSleep = wait;
  vfs.xCurrentTime = now;
  vfs.xGetLastError = last_error;
  sqlite3_vfs_register(&vfs, 1);
}

RecordingDisk::~RecordingDisk() {
  sqlite3_vfs_unregister(&vfs);
  sqlite3_vfs_register(real, 1);
  disk = nullptr;
}

void RecordingDisk::acknowledge(std::int64_t number) {
  note({DiskOp::Kind::acknowledged, {}, number, {}});
}

void RecordingDisk::fail_at(std::size_t call, Fault fault, Lasting lasting) {
  const std::lock_guard guard(lock_);
  fail_at_ = call;
  fault_ = fault;
  lasting_ = lasting;
}

void RecordingDisk::mend() {
  const std::lock_guard guard(lock_);
  fail_at_ = SIZE_MAX;
}

bool RecordingDisk::has_failed() const {
  const std::lock_guard guard(lock_);
  return failed_;
}

void RecordingDisk::keep_calls() {
  const std::lock_guard guard(lock_);
  keep_calls_ = true;
}

std::vector<CallMade> RecordingDisk::calls() const {
  const std::lock_guard guard(lock_);
  return calls_;
}

std::vector<DiskOp> RecordingDisk::ops() const {
  const std::lock_guard guard(lock_);
  return ops_;
}

int RecordingDisk::come(Call call, const std::string& file) {
  const std::lock_guard guard(lock_);
  if (keep_calls_) calls_.push_back({call, file, place_of_caller()});
  const auto number = count_++;
  const bool fails = lasting_ == Lasting::once ? number == fail_at_ : number >= fail_at_;
  if (!fails) return SQLITE_OK;
  if (fault_ == Fault::full && lasting_ == Lasting::from_then_on && !takes_room(call)) {
    return SQLITE_OK;
  }
  failed_ = true;
  return fault_ == Fault::full && call == Call::write ? SQLITE_FULL : error_of(call);
}

void RecordingDisk::note(DiskOp op) {
  const std::lock_guard guard(lock_);
  ops_.push_back(std::move(op));
}

void PowerCuts::advance_to(std::size_t end) {
  for (; at_ < end; ++at_) {
    const auto& op = ops_[at_];
    auto& pending = pending_[op.file];
    switch (op.kind) {
      case DiskOp::Kind::acknowledged:
        ++acknowledged_;
        break;
      case DiskOp::Kind::remove:
        synced_.erase(op.file);
        pending.clear();
        break;
      case DiskOp::Kind::sync:
        for (const auto* one : pending) apply(synced_[op.file], *one);
        pending.clear();
        break;
      case DiskOp::Kind::failed_sync:
        pending.clear();
        break;
      case DiskOp::Kind::write:
      case DiskOp::Kind::truncate:
        pending.push_back(&op);
        break;
    }
  }
}

Image PowerCuts::image(std::mt19937& random) const {
  auto out = synced_;
  const auto how = random() % 4;
  for (const auto& [file, pending] : pending_) {
    if (file.empty() || pending.empty()) continue;
    auto& bytes = out[file];
    if (how == 1) {
      const auto some = random() % (pending.size() + 1);
      for (std::size_t at = 0; at < some; ++at) apply(bytes, *pending[at]);
    } else if (how == 2) {
      for (const auto* op : pending) {
        if (random() % 2 == 0) apply(bytes, *op);
      }
    } else if (how == 3) {
      auto sectors = sectors_of(pending);
      std::ranges::shuffle(sectors, random);
      for (const auto& op : sectors) {
        if (random() % 2 == 0) apply(bytes, op);
      }
    }
  }
  return out;
}

}  // namespace vigil::storage
