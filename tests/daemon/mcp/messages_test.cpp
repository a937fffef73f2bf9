#include "daemon/mcp/messages.hpp"

#include <doctest/doctest.h>

using namespace vigil;
using namespace vigil::mcp;

namespace {

json::object object(std::string_view text) { return parse_json(text)->as_object(); }

}  // namespace

TEST_CASE("an answer is known by its id; questions of the server are answered, news are not") {
  auto heard = hear(R"({"jsonrpc":"2.0","id":7,"result":{"a":1}})", 7);
  REQUIRE(heard);
  REQUIRE(heard->answer);
  CHECK(to_text(json::value(heard->answer->value())) == R"({"a":1})");
  CHECK_FALSE(hear(R"({"jsonrpc":"2.0","id":6,"result":{"a":1}})", 7)->answer);
  CHECK_FALSE(hear(R"({"jsonrpc":"2.0","method":"notifications/progress"})", 7)->answer);
  CHECK(hear(R"({"jsonrpc":"2.0","method":"notifications/progress"})", 7)->to_send.empty());

  heard = hear(R"({"jsonrpc":"2.0","id":7,"method":"ping"})", 7);
  CHECK_FALSE(heard->answer);
  CHECK(heard->to_send == std::vector<std::string>{R"({"jsonrpc":"2.0","id":7,"result":{}})"});
  heard = hear(R"({"jsonrpc":"2.0","id":"x","method":"sampling/createMessage"})", 7);
  REQUIRE(heard->to_send.size() == 1);
  CHECK(heard->to_send[0].find("-32601") != std::string::npos);

  heard = hear(R"([{"id":1,"method":"ping"},{"id":7,"result":{}},17])", 7);
  CHECK(heard->answer->has_value());
  CHECK(heard->to_send.size() == 1);
}

TEST_CASE("refusals and what is no answer are errors in words") {
  const auto refused = hear(R"({"id":7,"error":{"code":-1,"message":"not \u001b[31mtoday"}})", 7);
  CHECK(refused->answer->error().message == R"(it says "not \x1b[31mtoday")");
  CHECK_FALSE(hear(R"({"id":7,"result":[]})", 7)->answer->has_value());
  CHECK_FALSE(hear(R"({"id":7})", 7)->answer->has_value());
  CHECK_FALSE(hear("Listening on port 3", 7));
  CHECK_FALSE(hear("", 7));
  CHECK(hear("null", 7).has_value());
}

TEST_CASE("of a list of tools what a model can be told of is taken, as much as is bearable") {
  const auto page = page_of(object(R"({"nextCursor":"n","tools":[
    {"name":"a","description":"does","inputSchema":{"type":"object"}},
    {"name":"","inputSchema":{}},{"name":"b"},
    {"name":"c","inputSchema":[]},{"inputSchema":{}},5]})"));
  REQUIRE(page);
  CHECK(page->next == "n");
  REQUIRE(page->tools.size() == 1);
  CHECK(page->tools[0].name == "a");
  CHECK(page->tools[0].description == "does");
  CHECK_FALSE(page_of(object(R"({"tools":{}})")));
  CHECK_FALSE(page_of({}));
  json::object long_one{
      {"name", "a"}, {"description", std::string(9'000, 'x')}, {"inputSchema", json::object{}}};
  const auto cut = page_of({{"tools", json::array{std::move(long_one)}}});
  CHECK(cut->tools[0].description.size() < 4'200);
}

TEST_CASE("what a tool gave becomes text, cut between characters") {
  const auto text = [](std::string_view result, std::size_t bytes_max = 100) {
    return text_of(object(result), bytes_max);
  };
  CHECK(text(R"({"content":[{"type":"text","text":"a"},{"type":"image","data":"AA"},
               {"type":"resource","resource":{"uri":"x","text":"b"}},
               {"type":"resource_link","uri":"file:///c","name":"c"}]})")
            .value() == "a\n(image, which is no text)\nb\nc: file:///c");
  CHECK(text(R"({"content":[],"structuredContent":{"n":1}})").value() == R"({"n":1})");
  CHECK(text("{}").value().empty());
  CHECK(text(R"({"content":[{"type":"text","text":"äää"}]})", 3).value() ==
        "ä\n(the rest was cut off)");
  const auto failed = text(R"({"content":[{"type":"text","text":"no"}],"isError":true})");
  REQUIRE_FALSE(failed);
  CHECK(failed.error().message == "no");
  CHECK(text(R"({"isError":true})").error().message == "the tool failed");
}
