// What the documentation shows is what the program takes.
#include <doctest/doctest.h>

#include <fstream>
#include <set>

#include "entities/rules/lua.hpp"
#include "tests/entities/rules_world.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::testing;

namespace {

// The blocks of one language on a page, in order.
std::vector<std::string> blocks_of(const std::string& page, const std::string& language = "toml") {
  std::ifstream file(source_dir() + "/docs/" + page);
  REQUIRE(file.good());
  std::vector<std::string> blocks;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```")) {
      inside = line == "```" + language;
      if (inside) blocks.emplace_back();
    } else if (inside) {
      blocks.back() += line + "\n";
    }
  }
  return blocks;
}

}  // namespace

TEST_CASE("every entity that is shown can be made as it stands") {
  int made = 0;
  for (const auto* page : {"entities.md", "process-entities.md", "readings.md"}) {
    for (const auto& block : blocks_of(page)) {
      if (block.find("kind = ") == std::string::npos) continue;
      CAPTURE(block);
      const auto guardian = make_guardian(entity_of(block));
      REQUIRE_MESSAGE(guardian.has_value(), guardian.error().message);
      ++made;
    }
  }
  CHECK(made == 6);
}

namespace {

std::set<std::string> names_in(const json::value& object) {
  std::set<std::string> names;
  for (const auto& member : object.as_object()) names.emplace(member.key());
  return names;
}

}  // namespace

TEST_CASE("the question that is shown has the members of a real one, and the answer is taken") {
  const auto blocks = blocks_of("process-entities.md", "json");
  REQUIRE(blocks.size() == 2);
  const auto question = json::parse(blocks[0]);
  auto event = std::make_shared<Event>();
  Wake wake;
  wake.because = EventsArrived{{event}};
  CHECK(names_in(question.at("wake")) == names_in(to_json(wake)));
  CHECK(names_in(question.at("wake").at("events").at(0)) == names_in(to_json(*event)));
  CHECK(names_in(question.at("memory")) ==
        std::set<std::string>{"state", "facts", "preferences", "episodes"});
  const auto answer = json::parse(blocks[1]);
  const auto decision = decision_from_json(answer);
  REQUIRE_MESSAGE(decision.has_value(), decision.error().message);
  // Nothing that is shown goes unread: what is written again has all of its members.
  auto shown = names_in(answer);
  shown.erase("id");
  CHECK(names_in(to_json(*decision)) == shown);
  CHECK(answer.at("id") == question.at("id"));
  CHECK(decision->plans.at(0).tasks.at(1).needs == std::vector<std::string>{"build"});
}

TEST_CASE("every condition that is shown can be read, and says what it is shown for") {
  std::vector<entities::Expression> conditions;
  for (const auto& block : blocks_of("entities.md")) {
    if (!block.starts_with("when = ")) continue;
    const auto entity = entity_of("[entity.x]\nkind = \"rules\"\n[[entity.x.on]]\n" + block +
                                  "[[entity.x.rule]]\nname = \"r\"\n");
    conditions.push_back(entities::Expression::compile(entity.on.at(0).when).value());
  }
  REQUIRE(conditions.size() == 2);
  Event event;
  event.subject = "shop/1";
  event.data =
      json::parse(R"({"amount":101,"issue":{"labels":[{"name":"ui"},{"name":"urgent"}]}})");
  const EventView view(event);
  CHECK(conditions[0].holds(view).value());
  CHECK(conditions[1].holds(view).value());
  event.data = nullptr;
  CHECK_FALSE(conditions[0].holds(view).has_value());
  CHECK_FALSE(conditions[1].holds(view).value());
}

TEST_CASE("every entity of the shipped configurations can be made") {
  for (const auto* path : {"vigild.toml", "demo/vigild.toml", "market/vigild.toml"}) {
    CAPTURE(path);
    std::ifstream file(source_dir() + "/config/" + path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const auto loaded = config::load_text(text, path);
    REQUIRE(std::holds_alternative<config::Loaded>(loaded));
    for (const auto& [name, entity] : std::get<config::Loaded>(loaded).settings.entities) {
      const auto guardian = make_guardian(entity);
      REQUIRE_MESSAGE(guardian.has_value(), guardian.error().message);
    }
  }
}
