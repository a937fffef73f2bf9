// vigild: the daemon. Arguments, signals and exit codes; everything else is App.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "config/state_dir.hpp"
#include "core/log.hpp"
#include "core/loop_watch.hpp"
#include "core/task_group.hpp"
#include "daemon/app.hpp"
#include "daemon/last_good.hpp"
#include "daemon/load_config.hpp"
#include "daemon/places.hpp"
#include "daemon/service.hpp"
#include "daemon/starts.hpp"

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

// The memory of the daemon holds secrets: it is not for core files, whoever collects them, nor for
// other processes of its user.
void keep_memory_private() {
  const rlimit none{};
  const bool done = ::setrlimit(RLIMIT_CORE, &none) == 0 && ::prctl(PR_SET_DUMPABLE, 0) == 0;
  if (!done) log_warn("a crash may leave a core file with secrets in it: {}", std::strerror(errno));
}

void prepare_process() {
  raise_limits();
  keep_memory_private();
}

struct Ended {
  int code = 0;
  std::string refused;  // what of the configuration could not be used, so that nothing was started
};

asio::awaitable<void> serve(App& app, Service& service, Ended& ended) {
  auto executor = co_await asio::this_coro::executor;
  auto starting = app.start();
  Result<void> started = co_await std::move(starting);
  if (!started) {
    log_error("vigild cannot start: {}", started.error().message);
    const bool refused = started.error().code == ErrorCode::invalid_input;
    ended.code = refused ? exit_config : exit_failed;
    if (refused) ended.refused = started.error().message;
  } else {
    asio::signal_set signals(executor, SIGINT, SIGTERM, SIGHUP);
    service.ready(app.condition());
    if (const auto within = service.watchdog()) app.feed_watchdog(service, *within);
    constexpr auto as_tuple = asio::as_tuple(asio::use_awaitable);
    while (true) {
      auto [error, signal] = co_await signals.async_wait(as_tuple);
      if (error) break;
      if (signal != SIGHUP) break;
      service.reloading();
      const auto loaded = app.reload();  // it logs what it did, or what is wrong
      const auto* mistakes = std::get_if<std::vector<config::Diagnostic>>(&loaded);
      service.ready(mistakes == nullptr
                        ? app.condition()
                        : fmt::format("The old configuration goes on, {} mistakes in the new one",
                                      mistakes->size()));
    }
    signals.clear();
    service.stopping();
    // A second signal is for those who do not want to wait.
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
    log_info("stopping: doors close, what was accepted is kept");
  }
  auto stopping = app.stop();
  co_await std::move(stopping);
  if (ended.code == 0) log_info("stopped");
}

int check(const config::LoadResult& loaded) {
  if (const auto* mistakes = std::get_if<std::vector<config::Diagnostic>>(&loaded)) {
    for (const auto& mistake : *mistakes) fmt::print(stderr, "{}\n", mistake.to_text());
    fmt::print(stderr, "{} {} found\n", mistakes->size(),
               mistakes->size() == 1 ? "mistake" : "mistakes");
    return exit_config;
  }
  return 0;
}

// Said at most every ten seconds, with how often it was since.
class HoldLog {
 public:
  void operator()(Duration took) {
    using namespace std::chrono_literals;
    ++since_;
    const auto now = std::chrono::steady_clock::now();
    if (said_ && now - *said_ < 10s) return;
    log_warn(
        "the loop was held for {}: nothing was heard or sent meanwhile ({} times since the "
        "last such line)",
        to_text(took), since_);
    said_ = now;
    since_ = 0;
  }

 private:
  std::optional<std::chrono::steady_clock::time_point> said_;
  int since_ = 0;
};

struct Chosen {
  config::Settings settings;
  std::string trouble;  // why it is not the present configuration; empty: it is
};

// Taken once: a second start of this process finds them here.
struct Manager {
  Service service;
  PassedSockets sockets;
};

Ended run(const std::string& config_path, Chosen chosen, Manager& manager) {
  const auto clock = make_system_clock();
  const auto state_dir = state_dir_of(chosen.settings);
  AppOptions options;
  options.down_since = last_sign_of_life(state_dir);
  Starts starts(state_dir);
  const auto& daemon = chosen.settings.daemon;
  if (const auto why = why_safe_mode(starts.unfinished(), clock->now(), daemon.safe_mode_starts,
                                     daemon.safe_mode_within)) {
    options.safe_mode = *why;
  }
  if (auto counted = starts.begin(clock->now()); !counted) {
    log_warn("this start is not counted, so a crash of it is not noticed: {}",
             counted.error().message);
  }
  asio::io_context loop(1);
  LoopWatch watch(daemon.stall_after, HoldLog());
  Ended ended;
  options.sockets = manager.sockets;
  options.config_path = config_path;
  options.programs_dir = fs::read_symlink("/proc/self/exe").parent_path();
  options.config_trouble = std::move(chosen.trouble);
  options.on_safe_mode_left = [&starts] { starts.forgive(); };
  options.loop = &watch;
  // The database cannot be trusted to take more: the journal on disk is intact, so end at once and
  // let the service manager start us again.
  const auto broken = [](const std::string& why) {
    log_error("the database failed, ending: {}", why);
    std::_Exit(exit_failed);
  };
  App app(loop.get_executor(), *clock, std::move(options), std::move(chosen.settings), broken);
  TaskGroup group(loop.get_executor());
  group.spawn("vigild", [&] { return serve(app, manager.service, ended); });
  watch.run(loop);
  starts.end();
  return ended;
}

std::string first_of(const std::vector<config::Diagnostic>& mistakes) {
  auto out = mistakes.front().to_text();
  if (mistakes.size() > 1) out += fmt::format(", and {} more", mistakes.size() - 1);
  return out;
}

// The last configuration that could be used, when the present one cannot be read.
std::optional<Chosen> choose_last_good(const std::string& config_path,
                                       const std::string& mistakes) {
  auto last = read_last_good(config::find_state_dir(config_path));
  if (!last && last.error().code == ErrorCode::not_found) return std::nullopt;
  if (!last) {
    log_error("the last good configuration is of no use: {}", last.error().message);
    return std::nullopt;
  }
  Chosen out;
  out.settings = std::move(last->settings);
  out.trouble = fmt::format(
      "THE CONFIGURATION CANNOT BE USED ({}): the last good one, kept at {} in {} (sha256 {}), "
      "stands in. Mend it (vigilctl config check), then: vigilctl config reload",
      mistakes, to_rfc3339(last->kept), last->path, last->digest.substr(0, 12));
  return out;
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
    const int code = check(loaded);
    if (check_only) {
      if (code != 0) return code;
      const auto& ready = std::get<config::Loaded>(loaded);
      fmt::print("the configuration is fine: {} entities, {} sources, {} sinks in {} files\n",
                 ready.settings.entities.size(), ready.settings.sources.size(),
                 ready.settings.sinks.size(), ready.files.size());
      return 0;
    }
    prepare_process();
    Manager manager;
    auto sockets = manager.service.take_sockets();
    if (!sockets) {
      log_error("vigild cannot start: {}", sockets.error().message);
      return exit_failed;
    }
    manager.sockets = std::move(*sockets);
    Ended ended;
    if (auto* ready = std::get_if<config::Loaded>(&loaded)) {
      set_log_level(ready->settings.daemon.log_level);
      ended = run(config_path, {std::move(ready->settings), ""}, manager);
      if (ended.refused.empty()) return ended.code;
    } else {
      ended = {code, first_of(std::get<std::vector<config::Diagnostic>>(loaded))};
    }
    auto last = choose_last_good(config_path, ended.refused);
    if (!last) return ended.code;
    set_log_level(last->settings.daemon.log_level);
    return run(config_path, std::move(*last), manager).code;
  } catch (const std::exception& error) {
    log_error("vigild ends: {}", error.what());
    return exit_failed;
  }
}
