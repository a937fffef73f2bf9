#pragma once
// The inside of the writer: its queue, its thread, and what it knows about the disk.
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "storage/database.hpp"
#include "storage/state_dir.hpp"
#include "storage/writer.hpp"

namespace vigil::storage {

enum class Kind {
  change,       // of somebody's
  maintenance,  // makes room: runs on a full disk too, and is followed by a checkpoint
};

struct Item {
  Kind kind = Kind::change;
  std::move_only_function<void(Stores&)> change;
  std::move_only_function<void(Result<void>)> done;  // on the loop
  Result<void> result;
};

using Group = std::vector<Item>;

struct WriterState {
  WriterState(WriterOptions options, std::unique_ptr<StateDir> dir, std::unique_ptr<Stores> stores);
  ~WriterState();

  void start(boost::asio::any_io_executor loop, std::function<void(std::string)> on_broken);
  void stop();
  void submit(Item item);  // on the loop; item.done is called later, never from inside
  bool accepting() const;
  void lay_in_ballast();  // when there is room for it beside the reserve

  // Copies run beside the writer, one at a time, on a thread and a connection of their own.
  void copy(std::string path, std::move_only_function<void(Result<void>)> done);

  const WriterOptions options;
  const std::unique_ptr<StateDir> dir;
  std::atomic<std::int64_t> queued{0};
  std::atomic<std::uint64_t> changes{0};
  std::atomic<std::uint64_t> commits{0};
  std::atomic<std::uint64_t> checkpoints{0};
  std::atomic<std::uint64_t> failed{0};
  std::atomic<bool> full{false};         // SQLite ran out of room; low too, until there is some
  mutable std::atomic<bool> low{false};  // less than free_bytes_min: doors close, the rest goes on
  std::atomic<bool> broken{false};

 private:
  using Steady = std::chrono::steady_clock;

  void run();
  bool take(Group& group);  // waits for one; false when stopping and nothing is left
  void run_group(Group& group);
  void run_item(Item& item);
  void run_all(Group& group);
  void lose(Group& group, const Error& error);
  void give_back(Group& group);
  void after_commit(const Group& group);
  void tend(const std::function<void()>& work);
  void checkpoint(Database::Checkpoint how);
  void checkpoint_when_idle();
  void look_at_disk() const;
  void out_of_room();
  void break_down(const std::string& why);
  void finish();

  std::unique_ptr<Stores> stores_;
  Database& database_;
  boost::asio::any_io_executor loop_;
  std::function<void(std::string)> on_broken_;
  std::thread thread_;

  mutable std::mutex lock_;
  std::condition_variable came_;
  std::deque<Item> queue_;
  bool started_ = false;
  std::atomic<bool> stopping_{false};

  std::atomic<bool> copying_{false};
  std::thread copier_;
  std::mutex copy_lock_;
  Database* copy_source_ = nullptr;  // while a copy runs, to interrupt it

  mutable std::atomic<Steady::rep> looked_{0};  // at the disk
  std::atomic<std::int64_t> reusable_{0};       // bytes inside the file that retention made free
  const int log_frames_busy_;  // pages in the log at which it is copied in any case,
  const int log_frames_;       // and when nothing waits
  int tried_frames_ = 0;       // of the log, when the last checkpoint was tried
  int log_peak_ = 0;           // pages the log's file holds room for
  bool idle_work_ = false;
  Steady::duration last_commit_{0};
};

}  // namespace vigil::storage
