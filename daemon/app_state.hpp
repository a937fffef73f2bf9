#pragma once
// The parts of the daemon and what holds them together; made in app_parts.cpp, lived in app.cpp.
// Loop thread only.
#include "core/loop_watch.hpp"
#include "core/task_group.hpp"
#include "daemon/admin/api.hpp"
#include "daemon/app.hpp"
#include "daemon/approval_door.hpp"
#include "daemon/delivery/courier.hpp"
#include "daemon/http/client.hpp"
#include "daemon/ingress/door.hpp"
#include "daemon/ingress/http_server.hpp"
#include "daemon/ingress/lookouts.hpp"
#include "daemon/ingress/post.hpp"
#include "daemon/ingress/scheduler.hpp"
#include "daemon/ingress/silences.hpp"
#include "daemon/intake.hpp"
#include "daemon/mcp/servers.hpp"
#include "daemon/models/minds.hpp"
#include "daemon/runtime/runtime.hpp"
#include "daemon/upkeep.hpp"
#include "storage/writer.hpp"
#include "swarm/process_runner.hpp"

namespace vigil {

struct App::State {
  State(boost::asio::any_io_executor on, Clock& time, AppOptions with, config::Settings initial,
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
  void keep_model_books();
  json::object models_reserved() const;
  void make_webhooks();
  void make_admin();
  Result<void> apply(const std::shared_ptr<const config::Settings>& wanted);
  Result<void> listen();
  boost::asio::awaitable<Result<void>> start_parts();
  boost::asio::awaitable<Result<void>> start_work();
  boost::asio::awaitable<Result<void>> leave_safe_mode();
  admin::Self self() const;
  void keep_settings();
  config::LoadResult reload();

  boost::asio::any_io_executor executor;
  Clock& clock;
  AppOptions options;
  std::shared_ptr<const config::Settings> settings;  // shared with the runtime: there may be many
  std::function<void(std::string)> broken;
  TimePoint opened_at{};
  bool applied = false;  // once, at the start: from then on there is something to put back
  int port = 0;
  std::unique_ptr<storage::Writer> writer;
  runtime::Bulletin bulletin;
  http::Reach reach;
  http::Client http{executor, clock, reach};  // of what is polled, and of models
  std::unique_ptr<mcp::Servers> tools;        // of questions to models
  std::unique_ptr<models::Minds> minds;
  std::unique_ptr<runtime::Runtime> runtime;
  std::unique_ptr<Intake> intake;
  std::unique_ptr<Upkeep> upkeep;
  std::unique_ptr<ingress::Silences> silences;
  std::unique_ptr<ingress::Door> door;
  std::unique_ptr<ApprovalDoor> approvals;
  std::unique_ptr<ingress::Scheduler> scheduler;
  std::unique_ptr<ingress::Lookouts> lookouts;
  std::unique_ptr<ingress::Post> post;
  std::unique_ptr<delivery::Courier> courier;
  std::unique_ptr<ingress::HttpServer> webhooks;
  std::unique_ptr<admin::Api> api;
  std::unique_ptr<ingress::HttpServer> admin_server;
  TaskGroup group;
};

}  // namespace vigil
