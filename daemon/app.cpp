#include "daemon/app.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <malloc.h>

#include "core/log.hpp"
#include "core/loop_watch.hpp"
#include "core/task_group.hpp"
#include "daemon/admin/api.hpp"
#include "daemon/app_settings.hpp"
#include "daemon/condition.hpp"
#include "daemon/delivery/courier.hpp"
#include "daemon/http/client.hpp"
#include "daemon/ingress/door.hpp"
#include "daemon/ingress/http_server.hpp"
#include "daemon/ingress/lookouts.hpp"
#include "daemon/ingress/post.hpp"
#include "daemon/ingress/scheduler.hpp"
#include "daemon/ingress/silences.hpp"
#include "daemon/intake.hpp"
#include "daemon/last_good.hpp"
#include "daemon/load_config.hpp"
#include "daemon/opening.hpp"
#include "daemon/places.hpp"
#include "daemon/retention.hpp"
#include "daemon/runtime/runtime.hpp"
#include "daemon/watchdog.hpp"
#include "storage/writer.hpp"
#include "swarm/process_runner.hpp"

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

struct App::State {
  State(asio::any_io_executor on, Clock& time, AppOptions with, config::Settings initial,
        std::function<void(std::string)> on_broken)
      : executor(std::move(on)),
        clock(time),
        options(std::move(with)),
        settings(std::make_shared<const config::Settings>(std::move(initial))),
        broken(std::move(on_broken)),
        bulletin(executor),
        group(executor) {}

  std::unique_ptr<swarm::Runner> make_reading_runner(std::string_view who) const;
  void make_parts();
  void make_admin();
  Result<void> apply(const std::shared_ptr<const config::Settings>& wanted);
  Result<void> listen();
  asio::awaitable<Result<void>> start_parts();
  asio::awaitable<Result<void>> start_work();
  asio::awaitable<Result<void>> leave_safe_mode();
  admin::Self self() const;
  void keep_settings();
  config::LoadResult reload();

  asio::any_io_executor executor;
  Clock& clock;
  AppOptions options;
  std::shared_ptr<const config::Settings> settings;  // shared with the runtime: there may be many
  std::function<void(std::string)> broken;
  TimePoint opened_at{};
  bool applied = false;  // once, at the start: from then on there is something to put back
  int port = 0;
  std::unique_ptr<storage::Writer> writer;
  runtime::Bulletin bulletin;
  std::unique_ptr<runtime::Runtime> runtime;
  std::unique_ptr<Intake> intake;
  std::unique_ptr<ingress::Silences> silences;
  std::unique_ptr<ingress::Door> door;
  std::unique_ptr<ingress::Scheduler> scheduler;
  http::Client http{executor, clock};  // of what is polled
  std::unique_ptr<ingress::Lookouts> lookouts;
  std::unique_ptr<ingress::Post> post;
  std::unique_ptr<delivery::Courier> courier;
  std::unique_ptr<ingress::HttpServer> webhooks;
  std::unique_ptr<admin::Api> api;
  std::unique_ptr<ingress::HttpServer> admin_server;
  TaskGroup group;
};

// Of sources that read what is outside: each kind in a place of its own, as it is swept when it is
// made.
std::unique_ptr<swarm::Runner> App::State::make_reading_runner(std::string_view who) const {
  swarm::ProcessLimits limits;
  limits.memory_bytes_max = settings->swarm.memory_bytes_max;
  return swarm::make_process_runner(executor, clock, options.programs_dir,
                                    fmt::format("{}/reading/{}", state_dir_of(*settings), who),
                                    limits);
}

void App::State::make_parts() {
  runtime = std::make_unique<runtime::Runtime>(
      executor, clock, *writer, bulletin,
      runtime::Places{state_dir_of(*settings), options.programs_dir});
  intake =
      std::make_unique<Intake>(*writer, *runtime, [this] { return settings->storage.queue_max; });
  const auto accept_event = [this](storage::NewEvent event, json::value data) {
    return intake->accept(std::move(event), std::move(data));
  };
  const auto accept_noticed = [this](ingress::Noticed noticed) {
    return intake->accept_noticed(std::move(noticed));
  };
  silences = std::make_unique<ingress::Silences>(executor, clock, accept_noticed);
  intake->on_heard(
      [this](const std::string& source) { silences->heard(ingress::Expected::source, source); });
  runtime->on_heard(
      [this](const std::string& entity) { silences->heard(ingress::Expected::entity, entity); });
  courier = std::make_unique<delivery::Courier>(executor, clock, *writer, [this](ActionId action) {
    group.spawn("action settled", [this, action]() -> asio::awaitable<void> {
      auto telling = runtime->settled(action);
      Result<void> told = co_await std::move(telling);
      if (!told) log_warn("a settled action woke nobody: {}", vigil::quoted(told.error().message));
    });
  });
  const auto fetch = [this](http::Request request) { return http.perform(std::move(request)); };
  door = std::make_unique<ingress::Door>(clock, accept_event);
  door->fetch_with(fetch);
  scheduler = std::make_unique<ingress::Scheduler>(
      executor, clock, *writer, accept_event,
      [this](const std::string& source) { return runtime->busy_with(source); });
  scheduler->on_cancel_other(
      [this](const std::string& source) { runtime->cancel_work_of(source); });
  lookouts = std::make_unique<ingress::Lookouts>(
      executor, clock, fetch, [this](std::string_view who) { return make_reading_runner(who); },
      accept_noticed);
  post = std::make_unique<ingress::Post>(
      ingress::Post::Ground{.executor = executor,
                            .clock = clock,
                            .make_runner = [this] { return make_reading_runner("mail"); },
                            .fetch = fetch,
                            .accept_noticed = accept_noticed,
                            .accept = accept_event,
                            .raw_folder = state_dir_of(*settings) + "/mail"});
  door->take_mail_with(post->intake());
  runtime->on_actions([this] { courier->nudge(); });
  runtime->on_work_ended([this] { scheduler->work_ended(); });
  webhooks = std::make_unique<ingress::HttpServer>(
      executor, clock, limits_of(settings->http),
      [this](ingress::Request request) { return door->handle(std::move(request)); },
      [this](const ingress::Request& head) { return door->check_head(head); });
  make_admin();
}

void App::State::make_admin() {
  const auto accept_event = [this](storage::NewEvent event, json::value data) {
    return intake->accept(std::move(event), std::move(data));
  };
  api = std::make_unique<admin::Api>(
      admin::Parts{.executor = executor,
                   .clock = clock,
                   .writer = *writer,
                   .runtime = *runtime,
                   .bulletin = bulletin,
                   .door = *door,
                   .scheduler = *scheduler,
                   .webhooks = webhooks.get(),
                   .courier = *courier,
                   .accept = accept_event,
                   .reload = [this] { return reload(); },
                   .read_config = [this] { return try_config(options.config_path); },
                   .settings = [this]() -> const config::Settings& { return *settings; },
                   .poke =
                       [this](const std::string& source) {
                         return lookouts->watcher.poke(source) || lookouts->poller.poke(source) ||
                                lookouts->follower.poke(source);
                       },
                   .self = [this] { return self(); },
                   .leave_safe_mode = [this] { return leave_safe_mode(); },
                   .silences = silences.get(),
                   .lookouts = lookouts.get(),
                   .post = post.get(),
                   .started = opened_at,
                   .state_dir = state_dir_of(*settings)});
  ingress::ServerLimits admin_limits;
  admin_limits.connections_max = 256;
  admin_limits.idle_timeout = std::chrono::minutes{1};
  admin_server = std::make_unique<ingress::HttpServer>(
      executor, clock, admin_limits,
      [this](ingress::Request request) { return api->handle(std::move(request)); },
      [this](const ingress::Request& head) { return api->check_head(head); });
}

// Each part takes the settings whole or not at all; when a later one refuses, the earlier ones get
// back what they had.
Result<void> App::State::apply(const std::shared_ptr<const config::Settings>& wanted) {
  if (auto taken = runtime->apply(wanted); !taken) return taken;
  auto taken = door->apply(*wanted);
  if (taken) taken = scheduler->apply(*wanted);
  if (taken) taken = courier->apply(*wanted);
  if (taken) taken = lookouts->apply(*wanted);
  if (taken) taken = post->apply(*wanted);
  if (taken) silences->apply(*wanted);
  if (taken || !applied) return taken;
  const auto put_back = [](std::string_view part, const Result<void>& done) {
    if (!done)
      log_error("the old settings of {} could not be put back: {}", part,
                vigil::quoted(done.error().message));
  };
  put_back("runtime", runtime->apply(settings));
  put_back("door", door->apply(*settings));
  put_back("scheduler", scheduler->apply(*settings));
  put_back("courier", courier->apply(*settings));
  put_back("lookouts", lookouts->apply(*settings));
  put_back("post", post->apply(*settings));
  return taken;
}

config::LoadResult App::State::reload() {
  auto loaded = try_config(options.config_path);
  if (auto* fresh = std::get_if<config::Loaded>(&loaded)) {
    const auto change = config::difference(*settings, fresh->settings);
    const auto wanted = std::make_shared<const config::Settings>(fresh->settings);
    if (auto taken = apply(wanted); !taken) {
      loaded = std::vector{refusal(options, taken.error())};
    } else {
      settings = wanted;
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
  silences->start(runtime->reader());
  group.spawn("retention", [this] {
    return erase_the_old(clock, *writer, [this] { return settings->storage; });
  });
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
