#pragma once
// A courier over a real outbox, with a server that plays the outside world.
#include <fmt/format.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>

#include "core/log.hpp"
#include "daemon/delivery/courier.hpp"
#include "tests/support/clocked_world.hpp"
#include "tests/support/small_server.hpp"

namespace vigil::testing {

using namespace std::chrono_literals;

struct DeliveryWorld : ClockedWorld {
  DeliveryWorld() : ClockedWorld(TimePoint{1'800'000'000s}), server(loop.get_executor()) {
    set_log_level(LogLevel::off);
    for (const auto* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) {
      ::unsetenv(name);
    }
  }
  ~DeliveryWorld() {
    stop();
    run([this]() -> boost::asio::awaitable<void> {
      auto stopping = server.stop();
      co_await std::move(stopping);
    });
  }

  template <class Kind>
  Kind& add_sink(const std::string& name) {
    auto& sink = settings.sinks[name];
    sink.name = name;
    return sink.of.template emplace<Kind>();
  }
  config::SecretRef secret_file(const std::string& name, const std::string& text) {
    const auto file = path / name;
    std::ofstream(file) << text << '\n';
    ::chmod(file.c_str(), 0600);
    return {"file:" + file.string()};
  }
  std::string read_file(const std::string& name) const {
    std::ostringstream out;
    out << std::ifstream(path / name).rdbuf();
    return out.str();
  }

  void make() {
    courier.emplace(loop.get_executor(), clock, *writer,
                    [this](storage::Settled one) { settled.push_back(one.action); });
  }
  void start() {
    make();
    if (auto taken = courier->apply(settings); !taken) {
      throw std::runtime_error(taken.error().message);
    }
    run([this]() -> boost::asio::awaitable<void> {
      auto starting = courier->start(*reader);
      Result<void> started = co_await std::move(starting);
      if (!started) throw std::runtime_error(started.error().message);
    });
  }
  void stop() { stop(clock.now()); }
  void stop(TimePoint deadline) {
    if (!courier) return;
    run([this, deadline]() -> boost::asio::awaitable<void> {
      auto stopping = courier->stop(deadline);
      co_await std::move(stopping);
    });
    courier.reset();
  }

  storage::Action action(const std::string& sink, json::object payload = {{"text", "hello"}}) {
    storage::Action out;
    out.key = fmt::format("v1:{}:0", ++keys);
    out.decision = DecisionId{1};
    out.entity = "ops";
    out.kind = "notify";
    out.sink = sink;
    out.payload = std::move(payload);
    out.state = "approved";
    out.created = clock.now();
    out.not_before = clock.now();
    return out;
  }
  // Into the outbox of a case, as a decision would put it there.
  ActionId add(storage::Action what, const std::string& case_key = "") {
    const auto id = commit([what, case_key, now = clock.now()](storage::Stores& stores) {
      auto row = what;
      if (!case_key.empty()) row.case_id = stores.cases.open("ops", case_key, now).id;
      return stores.outbox.add(row);
    });
    if (courier) courier->nudge();
    return id;
  }
  storage::Action row(ActionId id) { return reader->outbox.find(id).value(); }
  std::string state(ActionId id) { return row(id).state; }
  void until_state(ActionId id, const std::string& wanted) {
    until([this, id, wanted] { return state(id) == wanted; });
  }
  // The wakes that tell its entity what became of it.
  std::ptrdiff_t wakes_about(ActionId id) {
    return std::ranges::count_if(reader->wakes.open(WakeId{}, 1000), [id](const auto& wake) {
      return wake.kind == "action" && find_integer(wake.payload, "action") == id.value;
    });
  }
  // Until the attempt is over and the next one is planned.
  void until_retried(ActionId id, int attempts) {
    until([this, id, attempts] {
      const auto now = row(id);
      return now.attempts == attempts && now.state == "approved";
    });
    settle();
  }

  SmallServer server;
  config::Settings settings;
  std::vector<ActionId> settled;
  std::optional<delivery::Courier> courier;
  int keys = 0;
};

}  // namespace vigil::testing
