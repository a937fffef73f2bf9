#include <doctest/doctest.h>

#include <algorithm>

#include "entities/codebase/codebase.hpp"
#include "tests/entities/codebase_memory.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities;
using testing::FakeMemory;
using testing::make_event;
using testing::wake_for;

namespace {

config::Entity entity_with(config::Codebase settings) {
  config::Entity entity;
  entity.name = "keeper";
  entity.kind = "codebase";
  if (settings.repository.empty()) settings.repository = source_dir();
  entity.of = std::move(settings);
  return entity;
}

std::unique_ptr<Guardian> guardian(config::Codebase settings) {
  auto made = make_codebase(entity_with(std::move(settings)));
  REQUIRE(made.has_value());
  return std::move(*made);
}

Wake opened() {
  return wake_for(EventsArrived{{make_event(
      "github.pull_request.opened", json::object{{"action", "opened"},
                                                 {"repository", {{"full_name", "octo/repo"}}},
                                                 {"pull_request", {{"number", 12}}}})}});
}

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("commands of the repository become tasks, with their own names and times") {
  config::Codebase settings;
  settings.commands = {{.name = "unit tests",
                        .argv = {"make", "test"},
                        .timeout = std::chrono::minutes{50},
                        .paths = {"src/"}}};
  const auto keeper = guardian(settings);
  const auto decision = keeper->decide(opened(), FakeMemory{});
  const auto& tasks = decision.plans.at(0).tasks;
  const auto is_it = [](const swarm::Task& task) { return task.name == "command:unit_tests"; };
  const auto found = std::ranges::find_if(tasks, is_it);
  REQUIRE(found != tasks.end());
  CHECK(found->timeout > std::chrono::minutes{50});
  CHECK(found->optional);
  CHECK(decision.plans[0].timeout > found->timeout);
  CHECK(find_text(found->input, "argv.1") == "test");
}

TEST_CASE("settings that cannot be meant are refused with what to do") {
  const auto refusal = [](config::Codebase settings) {
    auto entity = entity_with(settings);
    if (settings.repository == "-")
      std::get<Boxed<config::Codebase>>(entity.of).edit().repository.clear();
    const auto made = make_codebase(entity);
    REQUIRE_FALSE(made.has_value());
    return made.error().message;
  };
  CHECK(has(refusal({.repository = "-"}), "path of a local clone"));
  CHECK(has(refusal({.analysers = {"secrest"}}), "secrets"));
  CHECK(has(refusal({.branch = "--upload-pack=x"}), "branch"));
  CHECK(has(refusal({.commands = {{.name = "x"}}}), "argv"));
  CHECK(has(refusal({.commands = {{.name = "x", .argv = {"a"}}, {.name = "x", .argv = {"b"}}}}),
            "command:x"));
  CHECK(make_codebase(entity_with({.analysers = {"secrets", "codebase.size"}})).has_value());
  CHECK(make_codebase(entity_with({.repository = "/nowhere/at/all"})).has_value());
}
