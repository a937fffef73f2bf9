#pragma once
// A caller and a runner of questions against a server on the loopback that does what a test says.
#include <boost/asio/io_context.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdlib>
#include <optional>
#include <stdexcept>

#include "daemon/models/model_runner.hpp"
#include "tests/support/small_server.hpp"

namespace vigil::models {

using namespace std::chrono_literals;
using testing::Heard;
using testing::Reply;

// The events of a stream, each a JSON text.
inline std::string stream_of(const std::vector<std::string>& events) {
  std::string out;
  for (const auto& event : events) out += "data: " + event + "\n\n";
  return out;
}

// An answer of chat completions: the text in three pieces, then the usage.
inline std::string chat(const std::string& text, int input, int output, int cached = 0,
                        const std::string& reason = "stop") {
  std::vector<std::string> events;
  const auto third = text.size() / 3;
  for (const auto& part :
       {text.substr(0, third), text.substr(third, third), text.substr(2 * third)}) {
    const json::value delta = json::string(part);
    events.push_back(R"({"choices":[{"delta":{"content":)" + to_text(delta) + "}}]}");
  }
  events.push_back(R"({"choices":[{"delta":{},"finish_reason":")" + reason + R"("}]})");
  events.push_back(
      fmt::format(R"({{"choices":[],"usage":{{"prompt_tokens":{},"completion_tokens":{},)"
                  R"("prompt_tokens_details":{{"cached_tokens":{}}}}}}})",
                  input, output, cached));
  events.emplace_back("[DONE]");
  return stream_of(events);
}

// An answer of messages whose one call of the tool `answer` is the text.
inline std::string message(const std::string& answer, int input, int output, int cached = 0) {
  const json::value part = json::string(answer);
  return stream_of(
      {fmt::format(R"({{"type":"message_start","message":{{"usage":{{"input_tokens":{},)"
                   R"("output_tokens":1,"cache_read_input_tokens":{}}}}}}})",
                   input, cached),
       R"({"type":"content_block_start","index":0,"content_block":)"
       R"({"type":"tool_use","id":"t1","name":"answer","input":{}}})",
       R"({"type":"ping"})",
       R"({"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta",)"
       R"("partial_json":)" +
           to_text(part) + "}}",
       fmt::format(R"({{"type":"message_delta","delta":{{"stop_reason":"tool_use"}},)"
                   R"("usage":{{"output_tokens":{}}}}})",
                   output),
       R"({"type":"message_stop"})"});
}

class FakeTools final : public Tools {
 public:
  bool has_effect(const std::string& tool) const override { return tool.ends_with(".send"); }
  boost::asio::awaitable<Result<std::vector<ToolSpec>>> describe(std::vector<std::string> tools,
                                                                 TimePoint) override {
    std::vector<ToolSpec> out;
    for (auto& tool : tools) out.push_back({std::move(tool), "a tool", {{"type", "object"}}});
    co_return out;
  }
  boost::asio::awaitable<Result<std::string>> call(std::string tool, json::object arguments,
                                                   TimePoint) override {
    called.push_back(tool + " " + to_text(json::value(arguments)));
    co_return result;
  }
  std::vector<std::string> called;
  std::string result = "a result";
};

class ModelsWorld {
 public:
  ModelsWorld() {
    for (const auto* name : {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"}) {
      ::unsetenv(name);
    }
    add("m");
    apply();
  }
  ~ModelsWorld() {
    group.cancel();
    group.spawn("stop", [this] { return server.stop(); });
    until([this] { return group.size() == 0; });
  }

  config::Model& add(const std::string& name) {
    auto& model = settings.models[name];
    model.name = name;
    model.model = "the-" + name;
    model.url = server.url("/v1");
    model.price = {3, 15, 0.3, 3.75};
    return model;
  }
  void apply() {
    const auto taken = caller.apply(settings);
    if (!taken) throw std::runtime_error(taken.error().message);
    runner.apply(settings.planning);
  }

  swarm::Attempt attempt(swarm::Ask ask, json::value input = nullptr) {
    swarm::Attempt out;
    out.task.name = "t";
    out.task.ask = std::make_shared<const swarm::Ask>(std::move(ask));
    out.task.input = std::move(input);
    out.deadline = clock.now() + 10min;
    out.said = [this](json::object said) { hear(std::move(said)); };
    return out;
  }
  static swarm::Ask ask(std::string model = "m") {
    swarm::Ask out;
    out.model = std::move(model);
    out.prompt = "What is it?";
    return out;
  }
  static json::object schema() {
    return parse_json(R"({"type":"object","required":["n"],"additionalProperties":false,)"
                      R"("properties":{"n":{"type":"integer"}}})")
        ->as_object();
  }

  void begin(swarm::Attempt what) {
    outcome.reset();
    group.spawn("question", [this, what]() -> boost::asio::awaitable<void> {
      auto running = runner.run(what);
      outcome = co_await std::move(running);
    });
  }
  swarm::AttemptOutcome run(swarm::Attempt what) {
    begin(std::move(what));
    until([this] { return outcome.has_value(); });
    return *outcome;
  }
  // Somebody waits for a short while before going on: it has passed.
  void pass_pause() {
    until([this] { return clock.next_deadline() <= clock.now() + 5s; });
    clock.advance_to(clock.next_deadline());
  }

  void until(const std::function<bool()>& holds) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!holds()) {
      loop.restart();
      loop.run_one_for(std::chrono::milliseconds{100});
      if (std::chrono::steady_clock::now() > limit) throw std::runtime_error("it never came true");
    }
  }
  std::int64_t cost(const std::string& kind) const {
    const auto found = costs.find(kind);
    return found == costs.end() ? 0 : found->second;
  }

  boost::asio::io_context loop{1};
  ManualClock clock{TimePoint{1'800'000'000s}};
  testing::SmallServer server{loop.get_executor()};
  http::Reach reach;
  http::Client client{loop.get_executor(), clock, reach};
  Caller caller{loop.get_executor(), clock,
                [this](http::Request request) { return client.perform(std::move(request)); }};
  FakeTools tools;
  ModelRunner runner{caller, &tools, clock};
  config::Settings settings;
  std::optional<swarm::AttemptOutcome> outcome;
  std::map<std::string, std::int64_t> costs;
  std::vector<json::object> others;  // what was said beside costs
  TaskGroup group{loop.get_executor()};

 private:
  void hear(json::object said) {
    const auto* cost = said.if_contains("cost");
    if (cost == nullptr) {
      others.push_back(std::move(said));
      return;
    }
    for (const auto& [name, amount] : cost->as_object()) {
      costs[std::string(name)] += amount.to_number<std::int64_t>();
    }
  }
};

}  // namespace vigil::models
