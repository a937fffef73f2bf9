#pragma once
// A process entity made of a Python text, asked on a loop of its own.
#include <boost/asio/io_context.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>
#include <functional>
#include <stdexcept>

#include "core/digest.hpp"
#include "core/task_group.hpp"
#include "entities/process/process_host.hpp"

namespace vigil::testing {

class ProcessWorld {
 public:
  explicit ProcessWorld(const std::string& program, Duration timeout = std::chrono::seconds{10},
                        Duration backoff = Duration{0})
      : path_(std::filesystem::temp_directory_path() / ("vigild-process-" + random_hex(8))) {
    std::filesystem::create_directory(path_);
    std::ofstream(path_ / "guardian.py") << program;
    settings.argv = {"/usr/bin/python3", "-S", path_ / "guardian.py"};
    settings.timeout = timeout;
    settings.restart_backoff = backoff;
  }
  ~ProcessWorld() {
    if (host_) stop();
    std::filesystem::remove_all(path_);
  }
  ProcessWorld(const ProcessWorld&) = delete;
  ProcessWorld& operator=(const ProcessWorld&) = delete;

  config::Process settings;  // until the first question

  entities::ProcessHost& host() {
    if (!host_) {
      host_ = std::make_unique<entities::ProcessHost>(loop.get_executor(), *clock_, settings);
    }
    return *host_;
  }
  static entities::Wake wake(const std::string& type, json::value data = nullptr) {
    auto event = std::make_shared<Event>();
    event->type = type;
    event->data = std::move(data);
    return {"odd", "case", TimePoint{std::chrono::seconds{1000}}, Taint::trusted,
            entities::EventsArrived{{event}}};
  }
  // Asks and keeps the answer in `out`, as a coroutine of `in`.
  void ask_in(TaskGroup& in, entities::Wake wake, Result<entities::Decision>& out) {
    in.spawn("question", [this, wake, &out]() -> boost::asio::awaitable<void> {
      auto asking = host().decide(wake, json::object{{"state", json::object{{"heard", 4}}}});
      out = co_await std::move(asking);
    });
  }
  Result<entities::Decision> ask(const std::string& type, json::value data = nullptr) {
    Result<entities::Decision> out;
    TaskGroup group(loop.get_executor());
    ask_in(group, wake(type, std::move(data)), out);
    until([&] { return group.size() == 0; });
    return out;
  }
  void stop() {
    TaskGroup group(loop.get_executor());
    group.spawn("stop", [this] { return host().stop(); });
    until([&] { return group.size() == 0; });
  }
  // Turns the loop until it holds. The limit is there for a broken test alone.
  void until(const std::function<bool()>& holds) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (!holds()) {
      loop.restart();
      loop.run_one_for(std::chrono::milliseconds{20});
      if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("it never came true");
    }
  }

  std::filesystem::path file(const std::string& name) const { return path_ / name; }
  std::string content(const std::string& name) const {
    std::ifstream stream(file(name));
    return {std::istreambuf_iterator<char>(stream), {}};
  }

  boost::asio::io_context loop{1};

 private:
  std::filesystem::path path_;
  std::unique_ptr<Clock> clock_ = make_system_clock();
  std::unique_ptr<entities::ProcessHost> host_;
};

}  // namespace vigil::testing
