#include "ctl/mcp.hpp"

#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

using namespace vigil;
using namespace vigil::ctl;

namespace {

struct World {
  std::string target;
  int status = 200;
  std::string body = R"({"cases": []})";

  std::optional<json::value> say(std::string_view line) {
    return mcp_answer(line, [this](const std::string& asked) -> Result<Reply> {
      target = asked;
      return Reply{status, "application/json", body};
    });
  }
  json::value call(const json::object& params) {
    const json::object message{
        {"jsonrpc", "2.0"}, {"id", 1}, {"method", "tools/call"}, {"params", params}};
    return say(to_text(json::value(message))).value();
  }
};

}  // namespace

TEST_CASE("an agent introduces itself, and is told a protocol both speak") {
  World world;
  auto said = world.say(
      R"({"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2024-11-05"}})");
  CHECK(find_text(*said, "result.protocolVersion") == "2024-11-05");
  CHECK(find_text(*said, "result.serverInfo.name") == "vigild");
  said = world.say(
      R"({"jsonrpc":"2.0","id":"a","method":"initialize","params":{"protocolVersion":"1999"}})");
  CHECK(find_text(*said, "result.protocolVersion") == "2025-06-18");
  CHECK(find_text(*said, "id") == "a");
  CHECK_FALSE(world.say(R"({"jsonrpc":"2.0","method":"notifications/initialized"})"));
  CHECK_FALSE(world.say(R"({"jsonrpc":"2.0","id":4,"result":{}})"));
  CHECK(world.say(R"({"jsonrpc":"2.0","id":1,"method":"ping"})")->at("result") == json::object{});
}

TEST_CASE("every tool says that it only looks, and what it takes") {
  World world;
  const auto said = world.say(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})").value();
  const auto& all = said.at("result").at("tools").as_array();
  CHECK(all.size() == 13);
  for (const auto& tool : all) {
    CHECK(tool.at("annotations").at("readOnlyHint").as_bool());
    CHECK(tool.at("inputSchema").at("type") == "object");
    CHECK_FALSE(tool.at("description").as_string().empty());
  }
}

TEST_CASE("arguments become a path and a query, encoded") {
  World world;
  auto said = world.call({{"name", "cases"}, {"arguments", {{"entity", "a b"}, {"limit", 3}}}});
  CHECK(world.target == "/v1/cases?entity=a%20b&limit=3");
  CHECK(said.at("result").at("structuredContent").at("cases").as_array().empty());
  CHECK_FALSE(said.at("result").at("isError").as_bool());
  world.call({{"name", "memory"}, {"arguments", {{"entity", "../x"}}}});
  CHECK(world.target == "/v1/memory/..%2Fx");
  world.call({{"name", "proposals"}, {"arguments", {{"limit", 2}}}});
  CHECK(world.target == "/v1/actions?state=proposed&limit=2");
  world.call({{"name", "status"}});
  CHECK(world.target == "/v1/status");
}

TEST_CASE("a refusal of the daemon and a wrong argument are told as failures of the tool") {
  World world;
  world.status = 404;
  world.body = R"({"error": "there is no case 9"})";
  auto said = world.call({{"name", "case"}, {"arguments", {{"case", 9}}}});
  CHECK(said.at("result").at("isError").as_bool());
  CHECK(find_text(said, "result.content.0.text")->find("no case 9") != std::string_view::npos);
  world.target.clear();
  for (const json::object& arguments : {json::object{}, json::object{{"case", "9"}},
                                        json::object{{"case", 9}, {"verb", "approve"}}}) {
    said = world.call({{"name", "case"}, {"arguments", arguments}});
    CHECK(said.at("result").at("isError").as_bool());
    CHECK(world.target.empty());
  }
}

TEST_CASE("what is no request is answered with JSON-RPC's own errors") {
  World world;
  const auto code = [&](std::string_view line) {
    return find_integer(world.say(line).value(), "error.code");
  };
  CHECK(code("{") == -32700);
  CHECK(code("[]") == -32600);
  CHECK(code(R"({"id":1,"method":"ping"})") == -32600);
  CHECK(code(R"({"jsonrpc":"2.0","id":null,"method":"ping"})") == -32600);
  CHECK(code(R"({"jsonrpc":"2.0"})") == -32600);
  CHECK(code(R"({"jsonrpc":"2.0","id":1,"method":"resources/list"})") == -32601);
  CHECK(find_integer(world.call({{"name", "approve"}}), "error.code") == -32602);
  CHECK(find_integer(world.call({{"name", "case"}, {"arguments", 3}}), "error.code") == -32602);
}
