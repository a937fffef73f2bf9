#include <fmt/format.h>

#include "core/log.hpp"
#include "daemon/app_settings.hpp"
#include "daemon/app_state.hpp"
#include "daemon/load_config.hpp"
#include "daemon/places.hpp"
#include "daemon/runtime/consolidation.hpp"

namespace vigil {
namespace asio = boost::asio;

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
  const auto fetch = [this](http::Request request) { return http.perform(std::move(request)); };
  tools = std::make_unique<mcp::Servers>(executor, clock, fetch, state_dir_of(*settings) + "/mcp");
  minds = std::make_unique<models::Minds>(executor, clock, fetch, tools.get(),
                                          state_dir_of(*settings) + "/agents");
  keep_model_books();
  runtime = std::make_unique<runtime::Runtime>(
      executor, clock, *writer, bulletin,
      runtime::Places{state_dir_of(*settings), options.programs_dir,
                      [this](swarm::Runner& processes) { return minds->runner_over(processes); }});
  intake =
      std::make_unique<Intake>(*writer, *runtime, [this] { return settings->storage.queue_max; });
  const auto accept_event = [this](storage::NewEvent event, json::value data) {
    return intake->accept(std::move(event), std::move(data));
  };
  const auto accept_noticed = [this](ingress::Noticed noticed) {
    return intake->accept_noticed(std::move(noticed));
  };
  upkeep = std::make_unique<Upkeep>(
      executor, clock, *writer, [this]() -> const config::Settings& { return *settings; },
      [this](const std::string& entity) {
        return runtime::consolidate(*writer, *runtime, entity, settings->memory, clock.now());
      });
  silences = std::make_unique<ingress::Silences>(executor, clock, accept_noticed);
  intake->on_heard(
      [this](const std::string& source) { silences->heard(ingress::Expected::source, source); });
  runtime->on_heard(
      [this](const std::string& entity) { silences->heard(ingress::Expected::entity, entity); });
  courier = std::make_unique<delivery::Courier>(
      executor, clock, *writer,
      [this](const storage::Settled& settled) { runtime->settled(settled); });
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
  make_webhooks();
  make_admin();
}

void App::State::make_webhooks() {
  approvals = std::make_unique<ApprovalDoor>(
      clock, *runtime, [this]() -> const config::Settings& { return *settings; });
  webhooks = std::make_unique<ingress::HttpServer>(
      executor, clock, limits_of(settings->http),
      [this](ingress::Request request) {
        return ApprovalDoor::is_its(request.path()) ? approvals->handle(std::move(request))
                                                    : door->handle(std::move(request));
      },
      [this](const ingress::Request& head) {
        return ApprovalDoor::is_its(head.path()) ? approvals->check_head(head)
                                                 : door->check_head(head);
      });
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
                   .models_reserved = [this] { return models_reserved(); },
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
  auto taken = tools->apply(*wanted);
  if (taken) taken = minds->apply(*wanted);
  if (taken) taken = door->apply(*wanted);
  if (taken) taken = approvals->apply(*wanted);
  if (taken) taken = scheduler->apply(*wanted);
  if (taken) taken = courier->apply(*wanted);
  if (taken) taken = lookouts->apply(*wanted);
  if (taken) taken = post->apply(*wanted);
  if (taken) {
    silences->apply(*wanted);
    reach = http::Reach(wanted->outgoing.allow);
  }
  if (taken || !applied) return taken;
  const auto put_back = [](std::string_view part, const Result<void>& done) {
    if (!done)
      log_error("the old settings of {} could not be put back: {}", part,
                vigil::quoted(done.error().message));
  };
  put_back("runtime", runtime->apply(settings));
  put_back("tools", tools->apply(*settings));
  put_back("minds", minds->apply(*settings));
  put_back("door", door->apply(*settings));
  put_back("approvals", approvals->apply(*settings));
  put_back("scheduler", scheduler->apply(*settings));
  put_back("courier", courier->apply(*settings));
  put_back("lookouts", lookouts->apply(*settings));
  put_back("post", post->apply(*settings));
  return taken;
}

}  // namespace vigil
