#include <doctest/doctest.h>

#include <boost/json/parse.hpp>

#include "entities/roster.hpp"
#include "tests/entities/process_world.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities;
using namespace std::chrono_literals;
using World = vigil::testing::ProcessWorld;

namespace {

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
  World world(text_of_file(source_dir() + "/docs/examples/echo_guardian.py"));
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
  CHECK(guardian->interest(event).why.find("data.host") != std::string::npos);
}

TEST_CASE(
    "an event without a subject belongs to the case of its type, unless a path is asked for") {
  config::Entity entity;
  entity.kind = "process";
  entity.of = config::Process{.argv = {"/bin/true"}};
  const auto guardian = make_guardian(entity).value();
  Event event;
  event.type = "schedule.due";
  CHECK(guardian->interest(event).case_key == "schedule.due");
  event.subject = std::string(5000, 'x');
  CHECK(guardian->interest(event).case_key.size() <= 400);
  std::get<config::Process>(entity.of).case_path = "body.host";
  const auto refused = make_guardian(entity);
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().message.find("data.body.host") != std::string::npos);
}
