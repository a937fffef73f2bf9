// vigild: the daemon. Arguments, signals and exit codes; everything else is App.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include "core/log.hpp"
#include "core/task_group.hpp"
#include "daemon/app.hpp"
#include "daemon/load_config.hpp"

namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
using namespace vigil;

constexpr int exit_failed = 1;
constexpr int exit_config = 2;

std::string default_config() {
  if (const char* given = std::getenv("CONFIGURATION_DIRECTORY")) return given;
  return "/etc/vigild";
}

// Children and sockets are many; the soft limit of a login shell is 1024.
void raise_limits() {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &files) != 0) {
      log_warn("the limit of open files stays at {}", files.rlim_cur);
    }
  }
}

asio::awaitable<void> serve(App& app, int& exit_code) {
  auto executor = co_await asio::this_coro::executor;
  auto starting = app.start();
  Result<void> started = co_await std::move(starting);
  if (!started) {
    log_error("vigild cannot start: {}", started.error().message);
    exit_code = started.error().code == ErrorCode::invalid_input ? exit_config : exit_failed;
  } else {
    asio::signal_set signals(executor, SIGINT, SIGTERM, SIGHUP);
    constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);
    while (true) {
      auto [error, signal] = co_await signals.async_wait(as_tuple);
      if (error) break;
      if (signal != SIGHUP) break;
      (void)app.reload();  // it logs what it did, or what is wrong
    }
    signals.clear();
    // A second signal is for those who do not want to wait.
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    log_info("stopping: doors close, what was accepted is kept");
  }
  auto stopping = app.stop();
  co_await std::move(stopping);
  if (exit_code == 0) log_info("stopped");
}

int check(const config::LoadResult& loaded) {
  if (const auto* mistakes = std::get_if<std::vector<config::Diagnostic>>(&loaded)) {
    for (const auto& mistake : *mistakes) fmt::print(stderr, "{}\n", mistake.to_text());
    fmt::print(stderr, "{} {} found; nothing was started\n", mistakes->size(),
               mistakes->size() == 1 ? "mistake" : "mistakes");
    return exit_config;
  }
  return 0;
}

int run(const std::string& config_path, config::Settings settings) {
  asio::io_context loop(1);
  const auto clock = make_system_clock();
  int exit_code = 0;
  AppOptions options;
  options.config_path = config_path;
  options.programs_dir = fs::read_symlink("/proc/self/exe").parent_path();
  // The database cannot be trusted to take more: the journal on disk is intact, so end at once and
  // let the service manager start us again.
  const auto broken = [](const std::string& why) {
    log_error("the database failed, ending: {}", why);
    std::_Exit(exit_failed);
  };
  App app(loop.get_executor(), *clock, std::move(options), std::move(settings), broken);
  TaskGroup group(loop.get_executor());
  group.spawn("vigild", [&] { return serve(app, exit_code); });
  loop.run();
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App cli(
      "vigild hosts entities that live for years: they wait, notice, decide, act and remember.");
  std::string config_path = default_config();
  bool check_only = false;
  cli.add_option("-c,--config", config_path, "a vigild.toml, or the directory that holds one")
      ->capture_default_str();
  cli.add_flag("--check-config", check_only, "say what is wrong with the configuration, and end");
  cli.set_version_flag("--version", "vigild " VIGIL_VERSION);
  cli.footer("Talk to it with vigilctl. Signals: HUP reloads the configuration, TERM stops.");
  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli.exit(error) == 0 ? 0 : exit_config;
  }
  ::umask(077);
  std::signal(SIGPIPE, SIG_IGN);
  try {
    if (!fs::exists(config_path)) {
      fmt::print(stderr,
                 "there is no configuration at {}. Name one with --config; the sources' "
                 "config/vigild.toml runs as it stands\n",
                 config_path);
      return exit_config;
    }
    auto loaded = check_only ? try_config(config_path) : load_config(config_path);
    if (const int code = check(loaded); code != 0) return code;
    auto& ready = std::get<config::Loaded>(loaded);
    if (check_only) {
      fmt::print("the configuration is fine: {} entities, {} sources, {} sinks in {} files\n",
                 ready.settings.entities.size(), ready.settings.sources.size(),
                 ready.settings.sinks.size(), ready.files.size());
      return 0;
    }
    set_log_level(ready.settings.daemon.log_level);
    raise_limits();
    return run(config_path, std::move(ready.settings));
  } catch (const std::exception& error) {
    log_error("vigild ends: {}", error.what());
    return exit_failed;
  }
}
