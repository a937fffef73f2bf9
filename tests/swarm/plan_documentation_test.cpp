// docs/plans.md is what the reader reads.
#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fstream>

#include "swarm/plan.hpp"
#include "swarm/reduce.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::swarm;

namespace {

struct Row {
  std::string name;
  std::string example;  // members of one object
};

struct Page {
  std::vector<std::vector<Row>> tables;
  std::vector<std::string> blocks;  // of JSON
};

std::string between(const std::string& text, std::size_t& at) {
  const auto from = text.find('`', at);
  const auto to = from == std::string::npos ? from : text.find('`', from + 1);
  if (to == std::string::npos) return "";
  at = to + 1;
  return text.substr(from + 1, to - from - 1);
}

Page read_page() {
  std::ifstream file(source_dir() + "/docs/plans.md");
  REQUIRE(file.good());
  Page page;
  bool inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("```")) {
      inside = line == "```json";
      if (inside) page.blocks.emplace_back();
    } else if (inside) {
      page.blocks.back() += line + "\n";
    } else if (line.starts_with("|---")) {
      page.tables.emplace_back();
    } else if (line.starts_with("| `") && !page.tables.empty()) {
      std::size_t at = 0;
      const auto name = between(line, at);
      page.tables.back().push_back({name, between(line, at)});
    }
  }
  return page;
}

json::object object_of(const std::string& members) {
  const auto read = parse_json("{" + members + "}");
  REQUIRE_MESSAGE(read.has_value(), members);
  return read->as_object();
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> names_of(const std::vector<Row>& rows) {
  std::vector<std::string> names;
  for (const Row& row : rows) names.push_back(row.name);
  return sorted(names);
}

}  // namespace

TEST_CASE("the page of plans lists every member that is read, and no other") {
  const Page page = read_page();
  REQUIRE(page.tables.size() == 5);
  CHECK(names_of(page.tables[0]) == sorted(plan_members()));
  CHECK(names_of(page.tables[1]) == sorted(task_members()));
  CHECK(names_of(page.tables[2]) == sorted(reducer_names()));
  CHECK(names_of(page.tables[3]) == sorted(ask_members()));
  CHECK(names_of(page.tables[4]) == sorted(agent_members()));
}

TEST_CASE("every example of a member is read, and is more than its default") {
  const Page page = read_page();
  const auto hello = object_of(R"("name":"hello","argv":["echo"])");
  for (const Row& row : page.tables.at(0)) {
    CAPTURE(row.name);
    auto plan = object_of(row.example);
    REQUIRE(plan.contains(row.name));
    if (!plan.contains("tasks")) plan["tasks"] = json::array{hello};
    const auto read = plan_from_json(plan);
    REQUIRE_MESSAGE(read.has_value(), read.error().message);
    CHECK(to_json(*read).contains(row.name));
  }
  for (const Row& row : page.tables.at(1)) {
    CAPTURE(row.name);
    auto task = object_of(row.example);
    REQUIRE(task.contains(row.name));
    if (!task.contains("name")) task["name"] = "shown";
    const auto works = [&](const char* member) { return task.contains(member); };
    if (std::ranges::none_of(std::array{"argv", "builtin", "reduce", "ask", "agent"}, works))
      task["argv"] = json::array{"true"};
    auto left = hello;
    auto right = hello;
    auto list = hello;
    left["name"] = "left";
    right["name"] = "right";
    list["name"] = "list";
    const auto read = plan_from_json(json::object{{"tasks", json::array{left, right, list, task}}});
    REQUIRE_MESSAGE(read.has_value(), read.error().message);
    const auto written = to_json(read->tasks.at(3));
    REQUIRE(written.contains(row.name));
    if (row.name != "verify") CHECK(written.at(row.name) == task.at(row.name));
    if (row.name == "verify") CHECK(written.at("verify").at("argv") == task["verify"].at("argv"));
  }
}

TEST_CASE("every example of a question or of work for an agent is read, and is more than nothing") {
  const Page page = read_page();
  const auto check = [&](const char* part, const json::object& least, const Row& row) {
    CAPTURE(row.name);
    auto members = least;
    for (const auto& [key, value] : object_of(row.example)) members[key] = value;
    const json::object task{{"name", "shown"}, {part, members}};
    const auto read = plan_from_json(json::object{{"tasks", json::array{task}}});
    REQUIRE_MESSAGE(read.has_value(), read.error().message);
    CHECK(to_json(read->tasks.at(0)).at(part).at(row.name) == members.at(row.name));
  };
  for (const Row& row : page.tables.at(3)) {
    check("ask", object_of(R"("model":"m","prompt":"p")"), row);
  }
  for (const Row& row : page.tables.at(4)) {
    check("agent", object_of(R"("name":"a","prompt":"p")"), row);
  }
}

TEST_CASE("every plan that is shown can be run as it stands") {
  const Page page = read_page();
  REQUIRE(page.blocks.size() >= 6);
  for (const auto& block : page.blocks) {
    CAPTURE(block);
    const auto parsed = parse_json(block);
    REQUIRE_MESSAGE(parsed.has_value(), parsed.error().message);
    const auto read = plan_from_json(*parsed);
    REQUIRE_MESSAGE(read.has_value(), read.error().message);
  }
}

TEST_CASE("the short list for process entities knows every member, too") {
  std::ifstream file(source_dir() + "/docs/process-entities.md");
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto from = text.find("A plan has `title`");
  REQUIRE(from != std::string::npos);
  const auto part = text.substr(from, text.find("What is not as described") - from);
  auto names = task_members();
  for (const auto& name : plan_members()) names.push_back(name);
  for (const auto& name : names) {
    CAPTURE(name);
    CHECK(part.find("`" + name + "`") != std::string::npos);
  }
}
