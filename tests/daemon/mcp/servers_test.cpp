// Real servers, of tests/support/tool_server.py: as programs and over HTTP.
#include "daemon/mcp/servers.hpp"

#include <doctest/doctest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <fstream>
#include <optional>

#include "core/digest.hpp"
#include "daemon/http/client.hpp"
#include "swarm/child.hpp"
#include "tests/support/places.hpp"
#include "tests/swarm/children.hpp"

using namespace vigil;
using namespace vigil::mcp;
using namespace std::chrono_literals;
namespace asio = boost::asio;
namespace fs = std::filesystem;

namespace {

struct World {
  World() {
    for (const auto* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) {
      ::unsetenv(name);
    }
    fs::create_directories(path);
    auto& docs = settings.mcp["docs"];
    docs.argv = {"/usr/bin/python3", source_dir() + "/tests/support/tool_server.py"};
    docs.sandbox = "none";
    docs.reads = {"search", "env*", "ask_back"};
    docs.tools = {"*"};
    docs.secrets = {{"CALLED", file("called", path + "/calls")}};
    apply();
  }
  ~World() {
    bool stopped = false;
    group.spawn("stop", [&]() -> asio::awaitable<void> {
      co_await servers.stop();
      stopped = true;
    });
    until([&] { return stopped; });
    over_http.reset();
    group.cancel();
    until([&] { return group.size() == 0; });
    fs::remove_all(path);
  }

  config::SecretRef file(const std::string& name, const std::string& content) const {
    std::ofstream(path + "/" + name) << content;
    ::chmod((path + "/" + name).c_str(), 0600);
    return *config::parse_secret_ref("file:" + path + "/" + name);
  }
  void apply() { REQUIRE(servers.apply(settings)); }

  void until(const std::function<bool()>& holds) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{30};
    while (!holds()) {
      loop.restart();
      loop.run_one_for(std::chrono::milliseconds{50});
      if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("it never came true");
    }
  }

  Result<std::vector<models::ToolSpec>> describe(std::vector<std::string> tools) {
    std::optional<Result<std::vector<models::ToolSpec>>> out;
    group.spawn("describe", [&]() -> asio::awaitable<void> {
      auto describing = servers.describe(tools, clock.now() + 10min);
      out = co_await std::move(describing);
    });
    until([&] { return out.has_value(); });
    return std::move(*out);
  }
  void begin(std::string tool, json::object arguments, std::optional<Result<std::string>>& out) {
    group.spawn("call", [this, tool, arguments, &out]() -> asio::awaitable<void> {
      auto calling = servers.call(tool, arguments, clock.now() + 10min);
      out = co_await std::move(calling);
    });
  }
  Result<std::string> call(std::string tool, json::object arguments = {}) {
    std::optional<Result<std::string>> out;
    begin(std::move(tool), std::move(arguments), out);
    until([&] { return out.has_value(); });
    return std::move(*out);
  }
  // The processes that were called, one after the other.
  std::vector<int> called() const {
    std::vector<int> out;
    std::ifstream calls(path + "/calls");
    for (std::string line; std::getline(calls, line);) {
      out.push_back(std::stoi(line.substr(line.rfind(' ') + 1)));
    }
    return out;
  }

  std::string path = fs::temp_directory_path().string() + "/vigil-mcp-" + random_hex(6);
  asio::io_context loop{1};
  ManualClock clock{TimePoint{1'800'000'000s}};
  http::Reach reach;
  http::Client client{loop.get_executor(), clock, reach};
  config::Settings settings;
  Servers servers{loop.get_executor(), clock,
                  [this](http::Request request) { return client.perform(std::move(request)); },
                  path + "/servers"};
  std::optional<swarm::Child> over_http;
  TaskGroup group{loop.get_executor()};
};

bool says(const Error& error, std::string_view text) {
  CAPTURE(error.message);
  return error.message.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("tools are described by their full names, and used") {
  World world;
  const auto described = world.describe({"mcp.docs.send", "mcp.docs.search"});
  REQUIRE_MESSAGE(described, described.error().message);
  REQUIRE(described->size() == 2);
  CHECK((*described)[0].name == "mcp.docs.send");
  CHECK((*described)[1].description == "the tool search");
  CHECK(world.call("mcp.docs.search", {{"query", "cats"}}).value() == "search found cats");
  CHECK(world.call("mcp.docs.ask_back").value() == "ask_back found nothing");
  CHECK(world.call("mcp.docs.picture").value() == "(image, which is no text)\na cat");
  const auto pids = world.called();
  CHECK(pids == std::vector<int>(3, pids.at(0)));  // one program for all of it
  CHECK(world.call("mcp.docs.environment")->find("\"CALLED\"") != std::string::npos);
  CHECK(world.call("mcp.docs.environment")->find("LD_LIBRARY") == std::string::npos);
}

TEST_CASE("what is not offered or not granted is named") {
  World world;
  CHECK(says(world.describe({"mcp.docs.none"}).error(), "it has: \"search, send"));
  CHECK(says(world.describe({"mcp.elsewhere.search"}).error(), "define its [mcp.NAME]"));
  world.settings.mcp["docs"].tools = {"sea*"};
  world.apply();
  CHECK(world.describe({"mcp.docs.search"}).has_value());
  CHECK_FALSE(world.describe({"mcp.docs.send"}).has_value());
  CHECK_FALSE(world.call("mcp.docs.send").has_value());
}

TEST_CASE("everything acts but what is said to look only") {
  World world;
  CHECK_FALSE(world.servers.has_effect("mcp.docs.search"));
  CHECK_FALSE(world.servers.has_effect("mcp.docs.environment"));
  for (const auto* tool : {"mcp.docs.send", "mcp.other.search", "search", "mcp.docs", ""}) {
    CAPTURE(tool);
    CHECK(world.servers.has_effect(tool));
  }
}

TEST_CASE("a tool that fails says so; the program goes on") {
  World world;
  CHECK(world.call("mcp.docs.fail").error().message == "no such document");
  CHECK(world.call("mcp.docs.search").has_value());
  CHECK(world.called().at(0) == world.called().at(1));
}

TEST_CASE("a program that dies, babbles or says nothing is replaced by the next call") {
  World world;
  CHECK(says(world.call("mcp.docs.die").error(), "its last words: \"I am out of memory\\x0a\""));
  CHECK(says(world.call("mcp.docs.garbage").error(), "this is a line of a log"));
  std::optional<Result<std::string>> hanging;
  world.begin("mcp.docs.hang", {}, hanging);
  world.until([&] { return world.called().size() == 2; });
  const int hung = world.called().back();
  CHECK(swarm::testing::is_alive(hung));
  world.clock.advance_by(31s);
  world.until([&] { return hanging.has_value(); });
  CHECK(says(hanging->error(), "does not answer in time"));
  CHECK(swarm::testing::is_gone_soon(hung));
  CHECK(world.call("mcp.docs.search").has_value());
}

TEST_CASE("what is longer than its bound is cut") {
  World world;
  const auto text = world.call("mcp.docs.long").value();
  CHECK(text.size() == 64 * 1024 + std::string("\n(the rest was cut off)").size());
}

TEST_CASE("a program that cannot be started, or speaks another protocol, is an error in words") {
  World world;
  world.settings.mcp["docs"].argv = {"/nowhere/server"};
  world.settings.mcp["old"] = world.settings.mcp["docs"];
  world.settings.mcp["old"].argv = {"/usr/bin/env", "PROTOCOL=1999-01-01", "/usr/bin/python3",
                                    source_dir() + "/tests/support/tool_server.py"};
  world.apply();
  CHECK(says(world.call("mcp.docs.search").error(), "/nowhere/server"));
  CHECK(says(world.call("mcp.old.search").error(), "it speaks version \"1999-01-01\""));
  world.settings.mcp["docs"].secrets = {
      {"TOKEN", *config::parse_secret_ref("file:" + world.path + "/not-there")}};
  const auto refused = world.servers.apply(world.settings);
  REQUIRE_FALSE(refused);
  CHECK(says(refused.error(), "mcp.docs.secrets"));
}

TEST_CASE("questions at once have a program each, and the rest waits for a turn") {
  World world;
  std::vector<std::optional<Result<std::string>>> out(20);
  for (auto& one : out) world.begin("mcp.docs.search", {{"sleep", 0.2}}, one);
  world.until([&] { return std::ranges::all_of(out, [](auto& one) { return one.has_value(); }); });
  CHECK(std::ranges::all_of(out, [](auto& one) { return one->has_value(); }));
  auto pids = world.called();
  CHECK(pids.size() == 20);
  std::ranges::sort(pids);
  CHECK(std::ranges::unique(pids).begin() - pids.begin() == 8);
}

TEST_CASE("a program that nobody uses is ended, and started when it is needed again") {
  World world;
  REQUIRE(world.call("mcp.docs.search"));
  const int first = world.called().at(0);
  world.until([&] { return world.clock.next_deadline() != TimePoint::max(); });
  world.clock.advance_by(29s);
  REQUIRE(world.call("mcp.docs.search"));
  CHECK(world.called().at(1) == first);
  world.clock.advance_by(2s);  // not yet: it was used in between
  REQUIRE(world.call("mcp.docs.search"));
  CHECK(world.called().at(2) == first);
  world.clock.advance_by(31s);
  world.until([&] { return !swarm::testing::is_alive(first); });
  REQUIRE(world.call("mcp.docs.search"));
  CHECK(world.called().at(3) != first);
}

TEST_CASE("a question that is cancelled takes its program along") {
  World world;
  TaskGroup asking{world.loop.get_executor()};
  asking.spawn("call", [&]() -> asio::awaitable<void> {
    auto calling = world.servers.call("mcp.docs.hang", {}, world.clock.now() + 10min);
    (void)co_await std::move(calling);
  });
  world.until([&] { return !world.called().empty(); });
  asking.cancel();
  world.until([&] { return asking.size() == 0; });
  CHECK(swarm::testing::is_gone_soon(world.called().at(0)));
}

TEST_CASE("a server over HTTP: streams, sessions that it forgets, a key") {
  World world;
  swarm::ChildSpec spec;
  spec.argv = {"/usr/bin/python3", source_dir() + "/tests/support/tool_server.py",
               world.path + "/port"};
  spec.environment = {{"KEY", "the-secret-key"}, {"CALLED", world.path + "/calls"}};
  spec.workdir = world.path;
  spec.containment = swarm::Containment::none;
  world.over_http.emplace(*swarm::Child::start(world.loop.get_executor(), spec));
  std::string port;
  world.until([&] { return !!(std::ifstream(world.path + "/port") >> port); });
  auto& far = world.settings.mcp["far"];
  far.url = "http://127.0.0.1:" + port + "/mcp";
  far.key = world.file("key", "the-secret-key");
  world.apply();
  const auto described = world.describe({"mcp.far.search"});
  REQUIRE_MESSAGE(described, described.error().message);
  CHECK(world.call("mcp.far.search", {{"query", "cats"}}).value() == "search found cats");
  CHECK(world.call("mcp.far.search", {{"query", "dogs"}}).value() == "search found dogs");
  CHECK(world.called().size() == 2);  // what was refused was not done
  far.key = world.file("key", "not-this-one");
  world.apply();
  const auto refused = world.call("mcp.far.search").error();
  CHECK(says(refused, "it answers 401"));
  CHECK_FALSE(says(refused, "not-this-one"));
}
