#include "daemon/app.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <malloc.h>

#include "core/log.hpp"
#include "daemon/app_settings.hpp"
#include "daemon/app_state.hpp"
#include "daemon/condition.hpp"
#include "daemon/last_good.hpp"
#include "daemon/load_config.hpp"
#include "daemon/opening.hpp"
#include "daemon/places.hpp"
#include "daemon/retention.hpp"
#include "daemon/watchdog.hpp"

namespace vigil {
namespace asio = boost::asio;
namespace {

config::Diagnostic refusal(const AppOptions& options, const Error& error) {
  config::Diagnostic out;
  out.file = options.config_path;
  out.message = error.message;
  return out;
}

}  // namespace

config::LoadResult App::State::reload() {
  auto loaded = try_config(options.config_path);
  if (auto* fresh = std::get_if<config::Loaded>(&loaded)) {
    const auto change = config::difference(*settings, fresh->settings);
    const auto wanted = std::make_shared<const config::Settings>(fresh->settings);
    if (auto taken = apply(wanted); !taken) {
      loaded = std::vector{refusal(options, taken.error())};
    } else {
      settings = wanted;
      upkeep->settings_changed();
      set_log_level(settings->daemon.log_level);
      options.config_trouble.clear();
      keep_settings();
      if (options.safe_mode.empty()) courier->nudge();
      log_info("configuration reloaded: changes={}", change.changes.size());
      if (!change.needs_restart.empty()) {
        log_warn("these changes need a restart: {}", fmt::join(change.needs_restart, ", "));
      }
      return loaded;
    }
  }
  for (const auto& mistake : std::get<std::vector<config::Diagnostic>>(loaded)) {
    log_error("configuration refused, the old one goes on: {}", mistake.to_text());
  }
  return loaded;
}

Result<void> App::State::listen() {
  auto opened = open_doors(*settings, options.sockets, *webhooks, *admin_server);
  if (!opened) return std::unexpected(std::move(opened.error()));
  port = *opened;
  log_info("vigild {} is ready: entities={} sources={} admin={}", VIGIL_VERSION,
           settings->entities.size(), settings->sources.size(),
           options.sockets.admin.empty() ? admin_socket_of(*settings) : "vigild-admin.socket");
  return {};
}

asio::awaitable<Result<void>> App::State::start_parts() {
  if (options.safe_mode.empty()) {
    auto working = start_work();
    Result<void> works = co_await std::move(working);
    if (!works) co_return works;
  } else {
    if (auto opened = runtime->open_reader(); !opened) co_return opened;
    log_error(
        "SAFE MODE: {}. Events are stored; nothing is decided, run or sent. Look into the log "
        "above for why it ended, then: vigilctl safe-mode leave",
        options.safe_mode);
  }
  if (!options.config_trouble.empty()) log_error("{}", options.config_trouble);
  keep_settings();
  co_return listen();
}

asio::awaitable<Result<void>> App::State::start_work() {
  auto waking = runtime->start();
  Result<void> awake = co_await std::move(waking);
  if (!awake) co_return awake;
  auto sending = courier->start(runtime->reader());
  Result<void> sends = co_await std::move(sending);
  if (!sends) co_return sends;
  scheduler->start(runtime->reader());
  lookouts->start(runtime->reader());
  if (auto heard = post->start(runtime->reader()); !heard) co_return heard;
  silences->start(runtime->reader(), options.down_since);
  group.spawn("retention", [this] {
    return erase_the_old(clock, *writer, [this] { return settings->storage; });
  });
  group.spawn("memory", [this] { return upkeep->run(runtime->reader()); });
  co_return Result<void>();
}

asio::awaitable<Result<void>> App::State::leave_safe_mode() {
  if (options.safe_mode.empty()) {
    co_return fail(ErrorCode::conflict, "it is not in safe mode");
  }
  options.safe_mode.clear();
  if (options.on_safe_mode_left) options.on_safe_mode_left();
  log_info("safe mode is left: what waited is decided now");
  auto working = start_work();
  co_return co_await std::move(working);
}

admin::Self App::State::self() const {
  admin::Self out;
  out.safe_mode = options.safe_mode;
  out.config_trouble = options.config_trouble;
  if (options.loop != nullptr) out.loop = options.loop->counts();
  return out;
}

// For a start whose configuration cannot be read.
void App::State::keep_settings() {
  if (!options.config_trouble.empty()) return;
  if (auto kept = keep_last_good(state_dir_of(*settings), *settings, clock.now()); !kept) {
    log_warn("this configuration is not kept for a start without one: {}", kept.error().message);
  }
}

App::App(asio::any_io_executor executor, Clock& clock, AppOptions options,
         config::Settings settings, std::function<void(std::string)> broken)
    : state_(std::make_unique<State>(std::move(executor), clock, std::move(options),
                                     std::move(settings), std::move(broken))) {}
App::~App() = default;

asio::awaitable<Result<void>> App::start() {
  auto& state = *state_;
  auto opened = storage::Writer::open(writer_options_of(*state.settings, state.options));
  if (!opened) co_return std::unexpected(std::move(opened.error()));
  state.writer = std::move(*opened);
  state.writer->start(state.executor, state.broken);
  state.opened_at = state.clock.now();
  state.make_parts();
  if (auto taken = state.apply(state.settings); !taken) co_return taken;
  state.applied = true;
  auto starting = state.start_parts();
  Result<void> begun = co_await std::move(starting);
  ::malloc_trim(0);  // what reading the configuration took is not needed while idle
  co_return begun;
}

asio::awaitable<void> App::stop() {
  auto& state = *state_;
  if (!state.writer) co_return;
  const auto deadline = state.clock.now() + state.settings->daemon.drain_timeout;
  if (state.door) {
    // Nobody new is let in; who is there is served as always, so that a restart refuses nothing.
    auto draining = state.webhooks->drain(deadline);
    co_await std::move(draining);
    state.door->set_draining(true);
    auto silences = state.silences->stop();
    co_await std::move(silences);
    auto schedules = state.scheduler->stop();
    co_await std::move(schedules);
    auto looking = state.lookouts->stop();
    co_await std::move(looking);
    auto posting = state.post->stop();
    co_await std::move(posting);
    auto work = state.runtime->stop(deadline);
    co_await std::move(work);
    auto tools = state.tools->stop();
    co_await std::move(tools);
    auto delivery = state.courier->stop(deadline);
    co_await std::move(delivery);
    state.bulletin.close();
    auto admin = state.admin_server->drain(state.clock.now() + std::chrono::seconds{1});
    co_await std::move(admin);
  }
  state.group.cancel();
  co_await state.group.join();
  auto noting = log_heads(*state.writer);
  co_await std::move(noting);
  state.writer->stop();
}

config::LoadResult App::reload() { return state_->reload(); }
std::string App::condition() const {
  return condition_of(*state_->settings, state_->options, *state_->runtime, *state_->writer);
}

void App::feed_watchdog(Service& service, Duration within) {
  auto& state = *state_;
  state.group.spawn("watchdog", [this, &state, &service, within] {
    return vigil::feed_watchdog(
        {state.clock, *state.writer, *state.scheduler, service, [this] { return condition(); }},
        within);
  });
}

int App::webhook_port() const { return state_->port; }
const config::Settings& App::settings() const { return *state_->settings; }

}  // namespace vigil
