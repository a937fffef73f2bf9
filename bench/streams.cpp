#include "bench/streams.hpp"

#include <fmt/format.h>
#include <sys/resource.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <chrono>
#include <map>
#include <stdexcept>

#include "bench/daemon.hpp"
#include "bench/disk.hpp"
#include "bench/figure.hpp"
#include "bench/self.hpp"
#include "bench/trades.hpp"
#include "core/log.hpp"
#include "core/task_group.hpp"
#include "daemon/ingress/streams.hpp"

namespace vigil::bench {
namespace {

namespace asio = boost::asio;
using Steady = std::chrono::steady_clock;

constexpr int per_second = 50'000;
constexpr std::uint32_t seed = 20'261'128;

std::vector<std::string> serve_trades_from(std::size_t count, TimePoint start) {
  return {"serve-trades", std::to_string(seed), std::to_string(count), std::to_string(per_second),
          std::to_string(to_unix_us(start))};
}
struct Told {
  std::map<std::pair<std::string, TimePoint>, MadeBar> bars;
  std::uint64_t missed = 0;
  std::uint64_t events = 0;
};

void take(Told& told, const json::value& data, const std::string& type) {
  ++told.events;
  if (type == "market.gap") {
    told.missed += static_cast<std::uint64_t>(find_integer(data, "missed").value_or(0));
  }
  if (type != "market.bar") return;
  const auto text = [&](const char* name) {
    return std::string(find_text(data, name).value_or(""));
  };
  const auto start = parse_rfc3339(text("time")).value();
  told.bars[{text("symbol"), start}] =
      MadeBar{text("open"),   text("high"),
              text("low"),    text("close"),
              text("volume"), static_cast<std::uint64_t>(find_integer(data, "trades").value_or(0))};
}

double processor_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& of) {
    return static_cast<double>(of.tv_sec) + static_cast<double>(of.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

config::Settings settings_for(const std::string& port) {
  config::Settings settings;
  auto& source = settings.sources["bench"];
  source.name = "bench";
  auto& stream = source.of.emplace<config::Stream>();
  stream.form = config::StreamForm::binance;
  stream.url = fmt::format("ws://127.0.0.1:{}/ws", port);
  stream.symbols = {"ALL"};
  stream.intervals = {"1s"};
  stream.lateness = std::chrono::seconds{2};
  return settings;
}

void print_figures(const MadeDay& day, const Told& told, const ingress::StreamCounts& counts,
                   double seconds, double processor, double server_rate) {
  Figure rate;
  rate.bench = "streams";
  rate.metric = "trades sustained through the socket to bars that are on disk";
  rate.value = static_cast<double>(day.sent.size()) / seconds;
  rate.unit = "trades/s";
  rate.beside["sent_per_second"] = server_rate;
  rate.beside["bars_and_gaps_stored"] = told.events;
  rate.ratio = rate.value / server_rate;
  rate.aim = ">= 49,000";
  rate.met = rate.value >= 49'000;
  print(rate);
  Figure share;
  share.bench = "streams";
  share.metric = "processor time of the listening process, of one core";
  share.value = processor / seconds;
  share.unit = "of 1";
  share.beside["us_per_trade"] = processor / static_cast<double>(day.sent.size()) * 1e6;
  print(share);
  Figure gaps;
  gaps.bench = "streams";
  gaps.metric = "trades that were left out, and noticed";
  gaps.value = static_cast<double>(told.missed);
  gaps.unit = "trades";
  gaps.beside["left_out"] = day.left_out;
  gaps.beside["sent_twice"] = day.twice;
  gaps.beside["noticed_twice"] = counts.duplicates;
  gaps.beside["sent_late"] = day.late;
  gaps.beside["too_late"] = counts.late;
  gaps.aim = "all, and no other";
  gaps.met = told.missed == day.left_out && counts.duplicates == day.twice && counts.late == 0;
  print(gaps);
  std::size_t equal = 0;
  for (const auto& [key, bar] : day.bars) {
    const auto found = told.bars.find(key);
    equal += found != told.bars.end() && found->second == bar ? 1 : 0;
  }
  Figure bars;
  bars.bench = "streams";
  bars.metric = "bars equal to those computed from the recording, digit by digit";
  bars.value = static_cast<double>(equal);
  bars.unit = "bars";
  bars.beside["of"] = day.bars.size();
  bars.beside["told"] = told.bars.size();
  bars.aim = "all, and no other";
  bars.met = equal == day.bars.size() && told.bars.size() == day.bars.size();
  print(bars);
}

}  // namespace

void run_streams(Pace pace) {
  set_log_level(LogLevel::off);
  const std::size_t count = per_second * (pace == Pace::quick ? 10 : 60);
  const auto start = std::chrono::floor<std::chrono::seconds>(
      std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()));
  const auto day = make_day(seed, count, per_second, start);
  Self server(serve_trades_from(count, start));
  const Scratch scratch;
  asio::io_context loop{1};
  const auto clock = make_system_clock();
  Disk disk(loop, scratch.path());
  const auto reader = storage::Stores::open_reader(scratch.path()).value();
  Told told;
  ingress::Streams streams(
      loop.get_executor(), *clock, ingress::open_websocket,
      [](auto) -> asio::awaitable<http::Received> { throw std::runtime_error("not asked for"); },
      [&](ingress::Noticed noticed) -> asio::awaitable<Result<int>> {
        auto kept = std::make_shared<ingress::Noticed>(std::move(noticed));
        auto committing = disk.writer().commit([kept](storage::Stores& stores) {
          for (const auto& event : kept->events) (void)stores.journal.append(event);
          kept->along(stores);
          return static_cast<int>(kept->events.size());
        });
        Result<int> stored = co_await std::move(committing);
        for (std::size_t at = 0; at < kept->events.size(); ++at) {
          take(told, kept->payloads[at], kept->events[at].type);
        }
        co_return stored;
      });
  if (!streams.apply(settings_for(server.port()))) throw std::runtime_error("settings");
  streams.start(*reader);
  const auto heard = [&] { return streams.views().at(0).messages; };
  while (heard() == 0) loop.run_one();
  const auto begun = Steady::now();
  const auto used = processor_seconds();
  while (heard() < day.sent.size()) loop.run_one();
  const auto seconds = std::chrono::duration<double>(Steady::now() - begun).count();
  const auto processor = processor_seconds() - used;
  const auto patience = Steady::now() + std::chrono::seconds(10);
  while (told.bars.size() < day.bars.size() && Steady::now() < patience) {
    loop.run_one_for(std::chrono::milliseconds(100));
  }
  const auto counts = streams.views().at(0).counts;
  print_figures(day, told, counts, seconds, processor, server.number());
  TaskGroup group(loop.get_executor());
  group.spawn("stop", [&]() -> asio::awaitable<void> {
    auto stopping = streams.stop();
    co_await std::move(stopping);
  });
  while (group.size() > 0) loop.run_one();
}

}  // namespace vigil::bench
