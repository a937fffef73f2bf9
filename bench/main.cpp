// vigil-bench: measured figures as JSON lines, each beside the limits of the same run.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <array>
#include <iterator>

#include "bench/deps.hpp"
#include "bench/essay.hpp"
#include "bench/fanout.hpp"
#include "bench/idle.hpp"
#include "bench/indicators.hpp"
#include "bench/ingest.hpp"
#include "bench/knowledge.hpp"
#include "bench/logs.hpp"
#include "bench/mail.hpp"
#include "bench/nab.hpp"
#include "bench/scale.hpp"
#include "bench/secrets.hpp"
#include "bench/spawn.hpp"
#include "bench/storage_bench.hpp"
#include "bench/streams.hpp"
#include "bench/traces.hpp"
#include "bench/trades_server.hpp"
#include "bench/wake.hpp"

namespace {

using namespace vigil::bench;

struct Bench {
  const char* name;
  const char* about;
  void (*run)(Pace pace);
};
constexpr Bench benches[] = {
    {"ingest", "signed webhooks per second, durable, and through to decisions", run_ingest},
    {"idle", "memory and processor time of 10 and 10,000 waiting entities", run_idle},
    {"wake", "from a webhook to the first task's process", run_wake},
    {"storage", "changes per second through the writer, beside bare SQLite", run_storage},
    {"essay", "a day's work by one worker, by many, and on interfaces", run_essay},
    {"scale", "what the engine itself costs: plans of 1,000 to 100,000 tasks", run_scale},
    {"streams", "trades a second over a WebSocket to exact bars; what is missing is noticed",
     run_streams},
    {"indicators", "processor time of each indicator for one bar", run_indicators},
    {"fanout", "a thousand questions to a model at once", run_fanout},
    {"secrets", "precision and recall of the search for secrets, by kind", run_secrets},
};

// Those that read real inputs: where `folder` of the shared data is, unless --data says so.
struct DataBench {
  const char* name;
  const char* about;
  const char* folder;
  const char* data_about;
  void (*run)(Pace pace, const std::string& directory);
};
constexpr DataBench data_benches[] = {
    {"traces", "recorded workflows beside the best list schedules of them", "dag",
     "a directory that holds wfcommons/*.json", run_traces},
    {"deps", "5,000 locked packages against 100,000 advisories", "deps",
     "a directory of OSV advisories to vary", run_deps},
    {"nab", "anomalies found in series of a public benchmark, beside its board", "anomaly/nab",
     "a directory that holds data, windows.json and the board", run_nab},
    {"logs", "lines grouped by what wrote them beside Drain; attacks found in logs of services",
     "logs", "a directory that holds loghub and fail2ban", run_logs},
    {"knowledge", "the right paragraph found, beside plain BM25; questions to 100,000 paragraphs",
     "knowledge", "a directory that holds xquad-en-documents.jsonl and the others", run_knowledge},
    {"mail", "real mails sorted, beside bogofilter and SpamAssassin", "mail",
     "a directory that holds labelled/*.mbox", run_mail},
};

struct Options {
  bool quick = false;
  SpawnOptions spawn;
  std::string directory;
  std::string shape;
  std::string where;
  int tasks = 0;
  TradesServer trades;
  std::array<std::string, std::size(data_benches)> data;

  Pace pace() const { return quick ? Pace::quick : Pace::full; }
};

void add_benches(CLI::App& cli, Options& options) {
  for (const Bench& bench : benches) {
    cli.add_subcommand(bench.name, bench.about)->callback([&] { bench.run(options.pace()); });
  }
  for (std::size_t at = 0; at < std::size(data_benches); ++at) {
    const DataBench& bench = data_benches[at];
    std::string& data = options.data[at];
    data = fmt::format("{}/../shared/data/{}", VIGIL_SOURCE_DIR, bench.folder);
    auto* command = cli.add_subcommand(bench.name, bench.about);
    command->add_option("--data", data, bench.data_about);
    command->callback([&] { bench.run(options.pace(), data); });
  }
}

void add_spawn(CLI::App& cli, Options& options) {
  auto* command = cli.add_subcommand(
      "spawn", "tasks per second, beside a bare loop, xargs, parallel, make, ninja and Dask");
  auto* tasks = command->add_option("--tasks", options.spawn.tasks, "of each variant")
                    ->check(CLI::PositiveNumber);
  command->add_option("--slots", options.spawn.slots, "how many at a time, each in turn")
      ->check(CLI::PositiveNumber);
  command->add_option("--only", options.spawn.only,
                      "variants with this in their name, and the bare loop");
  command->callback([&options, tasks] {
    if (options.quick && tasks->empty()) options.spawn.tasks = 1'000;
    run_spawn(options.spawn);
  });
}

// What benches start of this program itself.
void add_parts(CLI::App& cli, Options& options) {
  auto* doors = cli.add_subcommand("serve-without-storage", "")->group("");
  doors->add_option("directory", options.directory)->required();
  doors->callback([&] { serve_without_storage(options.directory.c_str()); });
  auto* trades = cli.add_subcommand("serve-trades", "")->group("");
  trades->add_option("seed", options.trades.seed)->required();
  trades->add_option("count", options.trades.count)->required();
  trades->add_option("per_second", options.trades.per_second)->required();
  trades->add_option("start_us", options.trades.start_us)->required();
  trades->callback([&] { serve_trades(options.trades); });
  cli.add_subcommand("serve-models", "")->group("")->callback([] { serve_models(); });
  auto* once = cli.add_subcommand("scale-once", "")->group("");
  once->add_option("shape", options.shape)->required();
  once->add_option("tasks", options.tasks)->required();
  once->add_option("where", options.where)->required();
  once->callback([&] { run_scale_once(options.shape, options.tasks, options.where); });
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App cli(
      "Measures vigild; prints one JSON line per figure. Best on an otherwise idle machine.");
  Options options;
  cli.add_flag("--quick", options.quick, "fewer repetitions: each ends within about a minute");
  cli.require_subcommand(1);
  cli.fallthrough();
  add_benches(cli, options);
  add_spawn(cli, options);
  add_parts(cli, options);
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "vigil-bench: {}\n", error.what());
    return 1;
  }
  return 0;
}
