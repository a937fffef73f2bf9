#pragma once
// A loop, a clock that the test moves, and a real database in a directory of its own: for parts
// that live on the loop and commit.
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "core/clock.hpp"
#include "core/digest.hpp"
#include "core/task_group.hpp"
#include "storage/writer.hpp"

namespace vigil::testing {

class ClockedWorld {
 public:
  explicit ClockedWorld(TimePoint start)
      : clock(start),
        path(std::filesystem::temp_directory_path() / ("vigild-" + random_hex(8))),
        group(loop.get_executor()) {
    open();
  }
  ~ClockedWorld() {
    close();
    std::filesystem::remove_all(path);
  }
  ClockedWorld(const ClockedWorld&) = delete;
  ClockedWorld& operator=(const ClockedWorld&) = delete;

  void open() {
    storage::WriterOptions options;
    options.state_dir = path;
    options.free_bytes_min = 0;
    options.ballast_bytes = 0;
    options.sync = false;  // what is tested is what is written, not whether it survives
    auto opened = storage::Writer::open(options);
    if (!opened) throw std::runtime_error(opened.error().message);
    writer = std::move(*opened);
    writer->start(loop.get_executor(),
                  [](const std::string& why) { throw std::runtime_error(why); });
    auto reading = storage::Stores::open_reader(path);
    if (!reading) throw std::runtime_error(reading.error().message);
    reader = std::move(*reading);
  }
  void close() {
    reader.reset();
    if (writer) writer->stop();
    writer.reset();
    poll();
  }

  void poll() {
    loop.restart();
    while (loop.poll() > 0) loop.restart();
  }

  // Runs a coroutine to its end, and whatever else is ready meanwhile.
  void run(std::function<boost::asio::awaitable<void>()> make) {
    group.spawn("test", std::move(make));
    until([this] { return group.size() == 0; });
  }

  // Turns the loop until it holds. The limit is there for a broken test alone.
  void until(const std::function<bool()>& holds) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    poll();
    while (!holds()) {
      loop.restart();
      loop.run_one_for(std::chrono::milliseconds{100});
      if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("it never came true");
    }
  }

  // Commits one change and gives back what it returned.
  template <class Change>
  auto commit(Change change) {
    using Value = std::invoke_result_t<Change&, storage::Stores&>;
    std::optional<Result<Value>> out;
    run([&]() -> boost::asio::awaitable<void> {
      auto committing = writer->commit(change);
      out = co_await std::move(committing);
    });
    if (!*out) throw std::runtime_error(out->error().message);
    if constexpr (!std::is_void_v<Value>) return std::move(**out);
  }

  // Until nobody has anything left to do at this moment: a commit of ours finds no other beside it.
  void settle() {
    std::uint64_t before = 0;
    do {
      poll();
      before = writer->stats().changes;
      commit([](storage::Stores&) {});
      poll();
    } while (writer->stats().changes != before + 1);
  }

  // Jumps from one sleeper to the next until `end`.
  void pass_until(TimePoint end) {
    settle();
    while (clock.next_deadline() <= end) {
      clock.advance_to(clock.next_deadline());
      settle();
    }
    clock.advance_to(end);
    settle();
  }
  void pass(Duration time) { pass_until(clock.now() + time); }

  boost::asio::io_context loop{1};
  ManualClock clock;
  std::filesystem::path path;
  std::unique_ptr<storage::Writer> writer;
  std::unique_ptr<storage::Stores> reader;
  TaskGroup group;
};

}  // namespace vigil::testing
