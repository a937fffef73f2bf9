#include "bench/ingest.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdio>
#include <stdexcept>
#include <thread>

#include "bench/daemon.hpp"
#include "bench/figure.hpp"
#include "bench/load.hpp"
#include "config/load.hpp"
#include "core/clock.hpp"
#include "daemon/ingress/door.hpp"
#include "daemon/ingress/http_server.hpp"

namespace vigil::bench {
namespace {

using Steady = std::chrono::steady_clock;

double seconds_since(Steady::time_point begun) {
  return std::chrono::duration<double>(Steady::now() - begun).count();
}

std::string doors_config(const Scratch& scratch) {
  const auto secret = scratch.write("secret", bench_secret);
  return fmt::format(
      "[daemon]\nlog_level = \"info\"\n"
      "[http]\nlisten = [\"127.0.0.1:0\"]\n"
      "[source.github]\nkind = \"webhook\"\nscheme = \"github\"\nsecrets = [\"file:{}\"]\n",
      secret);
}

// One entity that remembers in its case's state: every event is routed, decided and committed.
std::string deciding_config(const Scratch& scratch) {
  return doors_config(scratch) +
         "[entity.counter]\nkind = \"rules\"\nautonomy = \"act\"\n"
         "case_key = \"{{event.data.bench}}\"\n"
         "[[entity.counter.on]]\nsource = \"github\"\ntypes = [\"github.*\"]\n"
         "[[entity.counter.rule]]\nname = \"count\"\nremember = \"push {{event.data.serial}}\"\n";
}

// What the disk can do: how often 4 KB reach it one after another.
double fsyncs_per_second(const Scratch& scratch) {
  const auto path = scratch.path() + "/fsync";
  const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  const std::string block(4096, 'x');
  const auto begun = Steady::now();
  int count = 0;
  while (seconds_since(begun) < 0.5) {
    if (::write(fd, block.data(), block.size()) < 0 || ::fdatasync(fd) != 0) break;
    ++count;
  }
  const double rate = count / seconds_since(begun);
  ::close(fd);
  return rate;
}

Load through(int port, int connections, const std::vector<std::string>& requests) {
  auto load = run_load(port, connections, requests);
  if (load.other > 0) throw std::runtime_error("not all were accepted: " + load.other_example);
  return load;
}

Load durable(int connections, const std::vector<std::string>& requests) {
  const Scratch scratch;
  const auto daemon = start_vigild(scratch, doors_config(scratch));
  return through(daemon->port(), connections, requests);
}

Load without_storage(int connections, const std::vector<std::string>& requests) {
  const Scratch scratch;
  scratch.write("vigild.toml", doors_config(scratch));
  Daemon daemon({own_directory() + "/vigil-bench", "serve-without-storage", scratch.path()},
                scratch.path() + "/state");
  return through(daemon.port(), connections, requests);
}

void measure_cell(const std::string& size, int connections, std::size_t count, double fsyncs) {
  const auto requests = signed_requests(kind_of(size), count, 1'000);
  const auto limit = without_storage(connections, requests);
  const auto real = durable(connections, requests);
  const double rate = static_cast<double>(real.accepted) / real.seconds;
  const double limit_rate = static_cast<double>(limit.accepted) / limit.seconds;
  const double p99 = percentile(real.latencies_ms, 0.99);
  const bool aimed_at = size == "7KB" && connections == 64;
  Figure figure;
  figure.bench = "ingest";
  figure.metric = fmt::format("durable events, {} x {} connections", size, connections);
  figure.value = rate;
  figure.unit = "events/s";
  figure.beside = {{"without_storage", limit_rate},
                   {"fsyncs_per_s", fsyncs},
                   {"bytes_per_request", requests.front().size()},
                   {"p50_ms", percentile(real.latencies_ms, 0.5)},
                   {"p99_ms", p99},
                   {"without_storage_p99_ms", percentile(limit.latencies_ms, 0.99)}};
  figure.ratio = rate / limit_rate;
  if (aimed_at) {
    figure.aim = "ratio >= 0.5 and p99 < 10 ms";
    figure.met = rate / limit_rate >= 0.5 && p99 < 10;
  }
  print(figure);
}

void measure_decisions(std::size_t count) {
  const auto requests = signed_requests(kind_of("7KB"), count, 1'000);
  const Scratch scratch;
  const auto daemon = start_vigild(scratch, deciding_config(scratch));
  const auto socket = scratch.path() + "/state/admin.sock";
  const auto begun = Steady::now();
  const auto load = through(daemon->port(), 64, requests);
  const double accepted_after = seconds_since(begun);
  std::int64_t decided = 0;
  while (decided < static_cast<std::int64_t>(count) && seconds_since(begun) < 120) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    decided = find_integer(ask_admin(socket, "/v1/status"), "runtime.decisions").value_or(0);
  }
  const double rate = static_cast<double>(decided) / seconds_since(begun);
  Figure figure;
  figure.bench = "ingest";
  figure.metric = "events through to a committed decision, 7KB x 64 connections, 1,000 cases";
  figure.value = rate;
  figure.unit = "events/s";
  figure.beside = {{"accepted_per_s", static_cast<double>(load.accepted) / accepted_after},
                   {"decided", decided},
                   {"p99_ms", percentile(load.latencies_ms, 0.99)}};
  figure.aim = ">= 10000";
  figure.met = rate >= 10'000;
  print(figure);
}

}  // namespace

void run_ingest(Pace pace) {
  const Scratch scratch;
  const double fsyncs = fsyncs_per_second(scratch);
  const bool quick = pace == Pace::quick;
  const std::size_t many = quick ? 10'000 : 40'000;
  measure_cell("7KB", 64, many, fsyncs);
  measure_decisions(many);
  measure_cell("7KB", 1, quick ? 500 : 2'000, fsyncs);
  measure_cell("28KB", 64, many / 4, fsyncs);
  measure_cell("500B", 64, many, fsyncs);
  if (quick) return;
  for (const char* size : {"500B", "7KB", "28KB"}) {
    for (const int connections : {1, 16, 256}) {
      if (std::string_view(size) == "7KB" && connections == 1) continue;
      measure_cell(size, connections, connections == 1 ? 2'000 : many / 2, fsyncs);
    }
  }
}

void serve_without_storage(const char* config_directory) {
  const auto loaded = config::load(config_directory);
  const auto* ready = std::get_if<config::Loaded>(&loaded);
  if (ready == nullptr) throw std::runtime_error("the configuration cannot be read");
  boost::asio::io_context loop(1);
  const auto clock = make_system_clock();
  std::int64_t next = 0;
  ingress::Door door(
      *clock,
      [&](storage::NewEvent, json::value) -> boost::asio::awaitable<Result<storage::Appended>> {
        co_return storage::Appended{EventId{++next}, false};
      });
  if (const auto taken = door.apply(ready->settings); !taken) {
    throw std::runtime_error(taken.error().message);
  }
  ingress::HttpServer server(
      loop.get_executor(), *clock, {},
      [&](ingress::Request request) { return door.handle(std::move(request)); },
      [&](const ingress::Request& head) { return door.check_head(head); });
  const auto port = server.listen_tcp("127.0.0.1:0");
  if (!port) throw std::runtime_error(port.error().message);
  fmt::print("port={} is ready\n port={}\n", *port, *port);
  std::fflush(stdout);
  loop.run();
}

}  // namespace vigil::bench
