// vigil-bench: measured figures as JSON lines, each beside the limits of the same run.
#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "bench/deps.hpp"
#include "bench/essay.hpp"
#include "bench/idle.hpp"
#include "bench/ingest.hpp"
#include "bench/scale.hpp"
#include "bench/spawn.hpp"
#include "bench/storage_bench.hpp"
#include "bench/traces.hpp"
#include "bench/wake.hpp"

int main(int argc, char** argv) {
  using namespace vigil::bench;
  CLI::App cli(
      "Measures vigild; prints one JSON line per figure. Best on an otherwise idle machine.");
  bool quick = false;
  std::string directory;
  cli.add_flag("--quick", quick, "fewer repetitions: each ends within about a minute");
  cli.require_subcommand(1);
  cli.fallthrough();
  const auto pace = [&] { return quick ? Pace::quick : Pace::full; };
  cli.add_subcommand("ingest", "signed webhooks per second, durable, and through to decisions")
      ->callback([&] { run_ingest(pace()); });
  cli.add_subcommand("idle", "memory and processor time of 10 and 10,000 waiting entities")
      ->callback([&] { run_idle(pace()); });
  cli.add_subcommand("wake", "from a webhook to the first task's process")->callback([&] {
    run_wake(pace());
  });
  cli.add_subcommand("storage", "changes per second through the writer, beside bare SQLite")
      ->callback([&] { run_storage(pace()); });
  cli.add_subcommand("essay", "a day's work by one worker, by many, and on interfaces")
      ->callback([&] { run_essay(pace()); });
  cli.add_subcommand("scale", "what the engine itself costs: plans of 1,000 to 100,000 tasks")
      ->callback([&] { run_scale(pace()); });
  std::string traces = VIGIL_SOURCE_DIR "/../shared/data/dag";
  auto* tracing =
      cli.add_subcommand("traces", "recorded workflows beside the best list schedules of them");
  tracing->add_option("--data", traces, "a directory that holds wfcommons/*.json");
  tracing->callback([&] { run_traces(pace(), traces); });
  std::string advisories = VIGIL_SOURCE_DIR "/../shared/data/deps";
  auto* scanning = cli.add_subcommand("deps", "5,000 locked packages against 100,000 advisories");
  scanning->add_option("--data", advisories, "a directory of OSV advisories to vary");
  scanning->callback([&] { run_deps(pace(), advisories); });
  SpawnOptions spawn;
  auto* spawning = cli.add_subcommand(
      "spawn", "tasks per second, beside a bare loop, xargs, parallel, make, ninja and Dask");
  auto* tasks =
      spawning->add_option("--tasks", spawn.tasks, "of each variant")->check(CLI::PositiveNumber);
  spawning->add_option("--slots", spawn.slots, "how many at a time, each in turn")
      ->check(CLI::PositiveNumber);
  spawning->add_option("--only", spawn.only, "variants with this in their name, and the bare loop");
  spawning->callback([&] {
    if (quick && tasks->empty()) spawn.tasks = 1'000;
    run_spawn(spawn);
  });
  auto* doors = cli.add_subcommand("serve-without-storage", "")->group("");
  doors->add_option("directory", directory)->required();
  doors->callback([&] { serve_without_storage(directory.c_str()); });
  std::string shape;
  std::string where;
  int scale_tasks = 0;
  auto* once = cli.add_subcommand("scale-once", "")->group("");
  once->add_option("shape", shape)->required();
  once->add_option("tasks", scale_tasks)->required();
  once->add_option("where", where)->required();
  once->callback([&] { run_scale_once(shape, scale_tasks, where); });
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
