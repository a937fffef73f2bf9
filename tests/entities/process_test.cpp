#include "entities/process/process_host.hpp"

#include <doctest/doctest.h>

#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <filesystem>
#include <fstream>

#include "core/digest.hpp"
#include "core/task_group.hpp"
#include "entities/roster.hpp"

using namespace vigil;
using namespace vigil::entities;
using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

// A child made of a Python text, asked on a loop of its own.
class World {
 public:
  explicit World(const std::string& program, Duration timeout = 10s)
      : path_(fs::temp_directory_path() / ("vigild-process-" + random_hex(8) + ".py")) {
    std::ofstream(path_) << program;
    config::Process settings;
    settings.argv = {"/usr/bin/python3", "-S", path_};
    settings.timeout = timeout;
    settings.restart_backoff = Duration{0};
    host_ = std::make_unique<ProcessHost>(loop_.get_executor(), *clock_,
                                          VIGIL_BIN_DIR "/vigil-exec", settings);
  }
  ~World() {
    run([this]() -> asio::awaitable<void> { co_await host_->stop(); });
    fs::remove(path_);
  }

  Result<Decision> ask(const std::string& type) {
    auto event = std::make_shared<Event>();
    event->type = type;
    const Wake wake{"odd", "case", TimePoint{1000s}, Taint::trusted, EventsArrived{{event}}};
    Result<Decision> out;
    run([&]() -> asio::awaitable<void> {
      auto asking = host_->decide(wake, json::object{{"state", json::object{{"heard", 4}}}});
      out = co_await std::move(asking);
    });
    return out;
  }

 private:
  template <class Make>
  void run(Make make) {
    TaskGroup group(loop_.get_executor());
    group.spawn("test", make);
    while (group.size() > 0) {
      loop_.restart();
      loop_.run_one();
    }
  }

  fs::path path_;
  asio::io_context loop_{1};
  std::unique_ptr<Clock> clock_ = make_system_clock();
  std::unique_ptr<ProcessHost> host_;
};

std::string text_of_file(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

constexpr const char* answering = R"(
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    kind = asked["wake"]["events"][0]["type"]
    if kind == "die": sys.exit(3)
    if kind == "garbage": print("hello", flush=True); continue
    if kind == "other": print(json.dumps({"id": 999, "why": "late"}), flush=True); continue
    if kind == "hang":
        while True: sys.stdin.read(1)
    if kind == "flood":
        while True: sys.stdout.write("x" * 65536)
    print(json.dumps({"id": asked["id"], "why": kind}), flush=True)
)";

}  // namespace

TEST_CASE("the guardian of the documentation answers") {
  World world(text_of_file(VIGIL_SOURCE_DIR "/docs/examples/echo_guardian.py"));
  const auto answer = world.ask("a.b");
  REQUIRE_MESSAGE(answer.has_value(), answer.error().message);
  CHECK(answer->why == "heard a.b; 5 so far in this case");
  CHECK(answer->state->at("heard").as_int64() == 5);
}

TEST_CASE(
    "a child that does not keep to the protocol is stopped, and the next question has a new one") {
  World world(answering, 2s);
  CHECK(world.ask("first")->why == "first");
  for (const char* kind : {"garbage", "other", "die", "flood"}) {
    CAPTURE(kind);
    const auto bad = world.ask(kind);
    REQUIRE_FALSE(bad.has_value());
    CHECK_FALSE(bad.error().message.empty());
    CHECK(world.ask("again")->why == "again");
  }
}

TEST_CASE("a child that hangs is stopped at its deadline") {
  World world(answering, 300ms);
  const auto late = world.ask("hang");
  REQUIRE_FALSE(late.has_value());
  CHECK(late.error().code == ErrorCode::timed_out);
}

TEST_CASE("an event belongs to the case at its path, or to none") {
  config::Entity entity;
  entity.kind = "process";
  config::Process settings;
  settings.argv = {"/bin/true"};
  settings.case_path = "data.host";
  entity.of = settings;
  const auto guardian = make_guardian(entity).value();
  Event event;
  event.data = json::parse(R"({"host":"web1"})");
  CHECK(guardian->interest(event).case_key == "web1");
  event.data = nullptr;
  CHECK_FALSE(guardian->interest(event).relevant);
}
