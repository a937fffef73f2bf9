#pragma once
// The admin API: JSON under /v1/ on the unix socket, SSE for tails, /healthz /readyz /metrics.
// Knows no sockets: a request in, a response out. Loop thread only. docs/admin-api.md lists the
// routes.
#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/load.hpp"
#include "core/loop_watch.hpp"
#include "daemon/delivery/courier.hpp"
#include "daemon/ingress/door.hpp"
#include "daemon/ingress/http_server.hpp"
#include "daemon/ingress/lookouts.hpp"
#include "daemon/ingress/scheduler.hpp"
#include "daemon/ingress/silences.hpp"
#include "daemon/runtime/runtime.hpp"
#include "storage/writer.hpp"

namespace vigil::ingress {
class Post;
}

namespace vigil::admin {

// What the daemon knows of itself.
struct Self {
  std::string safe_mode;       // why it is in safe mode; empty: it is not
  std::string config_trouble;  // why an older configuration is used; empty: it is the present one
  LoopWatch::Counts loop;
};

// What the API works on; all outlive it.
struct Parts {
  boost::asio::any_io_executor executor;
  Clock& clock;
  storage::Writer& writer;
  runtime::Runtime& runtime;
  runtime::Bulletin& bulletin;
  ingress::Door& door;
  ingress::Scheduler& scheduler;
  ingress::HttpServer* webhooks = nullptr;  // for its stats
  delivery::Courier& courier;
  ingress::Accept accept;  // for `events emit`
  // Reads the configuration again and applies it; the diagnostics when it is refused.
  std::function<config::LoadResult()> reload;
  std::function<config::LoadResult()> read_config;  // without applying: `config check|diff`
  std::function<const config::Settings&()> settings;
  std::function<bool(const std::string&)> poke;  // looks at a source now; false: no such source
  std::function<Self()> self = [] { return Self{}; };
  std::function<boost::asio::awaitable<Result<void>>()> leave_safe_mode = {};
  const ingress::Silences* silences = nullptr;  // nullptr: nobody is expected
  const ingress::Lookouts* lookouts = nullptr;  // for their troubles
  const ingress::Post* post = nullptr;          // the same
  // What calls that go on set aside of each model's day.
  std::function<json::object()> models_reserved = {};
  TimePoint started;
  std::string state_dir;
};

class Api {
 public:
  explicit Api(Parts parts);
  ~Api();
  boost::asio::awaitable<ingress::Response> handle(ingress::Request request);
  ingress::HeadVerdict check_head(const ingress::Request& head) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::admin
