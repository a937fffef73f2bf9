#include "bench/storage_bench.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <filesystem>
#include <random>
#include <stdexcept>

#include "bench/daemon.hpp"
#include "bench/figure.hpp"
#include "bench/load.hpp"
#include "core/digest.hpp"
#include "core/task_group.hpp"
#include "storage/writer.hpp"

namespace vigil::bench {
namespace asio = boost::asio;
namespace {

using Steady = std::chrono::steady_clock;

double seconds_since(Steady::time_point begun) {
  return std::chrono::duration<double>(Steady::now() - begun).count();
}

// How often a second the disk keeps 4 KB that was overwritten in place: what a log does that has
// its size already.
double fsyncs_per_second(const std::string& path, double seconds) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) throw std::runtime_error("the disk cannot be measured: " + path);
  const std::string block(4096, 'x');
  constexpr int blocks = 1'024;
  for (int at = 0; at < blocks; ++at) (void)!::pwrite(fd, block.data(), block.size(), at * 4096L);
  ::fsync(fd);
  int done = 0;
  const auto begun = Steady::now();
  while (seconds_since(begun) < seconds) {
    (void)!::pwrite(fd, block.data(), block.size(), (done % blocks) * 4096L);
    ::fdatasync(fd);
    ++done;
  }
  const double rate = done / seconds_since(begun);
  ::close(fd);
  return rate;
}

void must(sqlite3* handle, int code) {
  if (code != SQLITE_OK && code != SQLITE_DONE) throw std::runtime_error(sqlite3_errmsg(handle));
}

// The peer: bare SQLite, one table without another index, payloads as they are, groups of 256.
double bare_rows_per_second(const std::string& path, const std::string& payload, int rows) {
  sqlite3* handle = nullptr;
  must(handle, sqlite3_open(path.c_str(), &handle));
  must(handle, sqlite3_exec(handle,
                            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                            "CREATE TABLE row (id INTEGER PRIMARY KEY, body BLOB)",
                            nullptr, nullptr, nullptr));
  sqlite3_stmt* insert = nullptr;
  must(handle,
       sqlite3_prepare_v2(handle, "INSERT INTO row (body) VALUES (?)", -1, &insert, nullptr));
  const auto begun = Steady::now();
  for (int done = 0; done < rows;) {
    must(handle, sqlite3_exec(handle, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr));
    for (int in_group = 0; in_group < 256 && done < rows; ++in_group, ++done) {
      must(handle, sqlite3_bind_blob64(insert, 1, payload.data(), payload.size(), SQLITE_STATIC));
      must(handle, sqlite3_step(insert));
      sqlite3_reset(insert);
    }
    must(handle, sqlite3_exec(handle, "COMMIT", nullptr, nullptr, nullptr));
  }
  const double rate = rows / seconds_since(begun);
  sqlite3_finalize(insert);
  sqlite3_close(handle);
  return rate;
}

struct Run {
  double rate = 0;
  double loop_us = 0;  // of the loop's thread, per event
  std::vector<double> latencies_ms;
  double bytes_per_event = 0;
  double group = 0;
};

double thread_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

class Senders {
 public:
  Senders(storage::Writer& writer, const Kind& kind, int events) : writer_(writer), left_(events) {
    event_.source = "bench";
    event_.type = "github." + kind.event;
    event_.subject = "octo/repo#1";
    event_.content_type = "application/json";
    event_.headers = {{"x-github-event", kind.event}, {"user-agent", "GitHub-Hookshot/1"}};
    event_.data = kind.payload;
  }

  asio::awaitable<void> send() {
    while (left_ > 0) {
      auto sending = send_one();
      co_await std::move(sending);
    }
  }

  // Whatever the answers take: `rate` a second, at random distances.
  asio::awaitable<void> send_at(double rate, TaskGroup& group) {
    auto executor = co_await asio::this_coro::executor;
    asio::steady_timer timer(executor);
    std::mt19937 random(1);
    std::exponential_distribution<double> distance(rate);
    auto next = Steady::now();
    while (left_ > 0) {
      next += std::chrono::duration_cast<Steady::duration>(
          std::chrono::duration<double>(distance(random)));
      timer.expires_at(next);
      co_await timer.async_wait(asio::use_awaitable);
      group.spawn("send", [this] { return send_one(); });
    }
  }

  asio::awaitable<void> send_one() {
    --left_;
    auto event = std::make_shared<storage::NewEvent>(event_);
    event->uid = random_hex(16);
    event->dedup_hash = random_hex(32);
    event->time = event->received_at =
        std::chrono::floor<Duration>(std::chrono::system_clock::now());
    const auto begun = Steady::now();
    auto committing =
        writer_.commit([event](storage::Stores& stores) { return stores.journal.append(*event); });
    Result<storage::Appended> appended = co_await std::move(committing);
    if (!appended) throw std::runtime_error(appended.error().message);
    latencies_ms.push_back(seconds_since(begun) * 1e3);
  }

  std::vector<double> latencies_ms;

 private:
  storage::Writer& writer_;
  storage::NewEvent event_;
  int left_;
};

// Either so many always wait for their answer, or they come at a rate.
struct Arrivals {
  int waiting = 0;
  double rate = 0;
};

Run run_writer(const std::string& dir, const Kind& kind, Arrivals arrivals, int events) {
  asio::io_context loop(1);
  auto opened = storage::Writer::open({.state_dir = dir});
  if (!opened) throw std::runtime_error(opened.error().message);
  auto& writer = **opened;
  writer.start(loop.get_executor(), [](const std::string& why) { throw std::runtime_error(why); });
  Senders senders(writer, kind, events);
  TaskGroup group(loop.get_executor());
  for (int one = 0; one < arrivals.waiting; ++one) {
    group.spawn("send", [&] { return senders.send(); });
  }
  if (arrivals.rate > 0) {
    group.spawn("send at a rate", [&] { return senders.send_at(arrivals.rate, group); });
  }
  const auto begun = Steady::now();
  const double cpu = thread_seconds();
  loop.run();
  Run out;
  out.rate = events / seconds_since(begun);
  out.loop_us = (thread_seconds() - cpu) * 1e6 / events;
  const auto stats = writer.stats();
  out.group = static_cast<double>(stats.changes) / static_cast<double>(stats.commits);
  writer.stop();
  out.latencies_ms = std::move(senders.latencies_ms);
  std::ranges::sort(out.latencies_ms);
  out.bytes_per_event = static_cast<double>(std::filesystem::file_size(dir + "/vigil.db")) / events;
  return out;
}

}  // namespace

void run_storage(Pace pace) {
  const Scratch scratch;
  const bool quick = pace == Pace::quick;
  const double fsyncs = fsyncs_per_second(scratch.path() + "/disk", quick ? 1 : 3);
  print({"storage", "fsyncs", fsyncs, "per second", {}, {}, {}, {}});
  int number = 0;
  const auto fresh = [&] { return fmt::format("{}/{}", scratch.path(), ++number); };
  for (const std::string size : {"500B", "7KB", "28KB"}) {
    const auto kind = kind_of(size);
    const int rows = size == "28KB" ? 10'000 : 40'000;
    const int events = quick ? rows / 4 : rows;
    const double bare = bare_rows_per_second(fresh(), kind.payload, events);
    const auto many = run_writer(fresh(), kind, {.waiting = 512}, events);
    Figure figure{"storage", "events appended, 512 waiting, " + size,
                  many.rate, "per second",
                  {},        many.rate / bare,
                  {},        {}};
    figure.beside = {{"bare_sqlite_rows_per_second", bare},
                     {"fsyncs_per_second", fsyncs},
                     {"p50_ms", percentile(many.latencies_ms, 0.5)},
                     {"p99_ms", percentile(many.latencies_ms, 0.99)},
                     {"changes_per_commit", many.group},
                     {"loop_us_per_event", many.loop_us},
                     {"bytes_per_event", many.bytes_per_event}};
    if (size == "7KB") {
      figure.aim = "value >= 10000";
      figure.met = many.rate >= 10'000;
    }
    print(figure);
  }
  const auto kind = kind_of("7KB");
  const auto alone = run_writer(fresh(), kind, {.waiting = 1}, quick ? 1'000 : 5'000);
  Figure figure{"storage", "commits, one waiting, 7KB", alone.rate, "per second",
                {},        alone.rate / fsyncs,         {},         {}};
  figure.beside = {{"fsyncs_per_second", fsyncs},
                   {"p50_ms", percentile(alone.latencies_ms, 0.5)},
                   {"p99_ms", percentile(alone.latencies_ms, 0.99)},
                   {"loop_us_per_event", alone.loop_us}};
  print(figure);
  for (const int rate : {300, 1'000, 3'000}) {
    const auto run = run_writer(fresh(), kind, {.rate = 1.0 * rate}, rate * (quick ? 3 : 15));
    Figure at{"storage",
              fmt::format("p99 of commits at {} a second, 7KB", rate),
              percentile(run.latencies_ms, 0.99),
              "ms",
              {},
              {},
              {},
              {}};
    at.beside = {{"fsync_ms", 1e3 / fsyncs},
                 {"p50_ms", percentile(run.latencies_ms, 0.5)},
                 {"p999_ms", percentile(run.latencies_ms, 0.999)},
                 {"changes_per_commit", run.group}};
    print(at);
  }
}

}  // namespace vigil::bench
