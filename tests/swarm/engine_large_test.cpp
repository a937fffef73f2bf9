// Plans nobody wrote by hand: large ones, recorded ones.
#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/support/places.hpp"
#include "tests/swarm/fakes.hpp"

using namespace vigil;
using namespace vigil::swarm;
using namespace vigil::swarm::testing;

TEST_CASE("20,000 tasks, wide and in a chain, take as long as the chain") {
  const auto began = std::chrono::steady_clock::now();
  World world;
  Plan large = plan({});
  for (int i = 0; i < 10'000; ++i) large.tasks.push_back(task("w" + std::to_string(i)));
  for (int i = 0; i < 10'000; ++i) {
    const auto name = "c" + std::to_string(i);
    large.tasks.push_back(i == 0 ? task(name) : task(name, {"c" + std::to_string(i - 1)}));
  }
  large.timeout = std::chrono::days{1};
  const Report report = world.finish(large);
  CHECK(report.ok);
  CHECK(report.critical_path == std::chrono::seconds{10'000});
  CHECK(report.wall == std::chrono::seconds{10'000});
  const auto took = std::chrono::steady_clock::now() - began;
  MESSAGE("20,000 tasks took " << std::chrono::duration<double>(took).count() << " s");
}

TEST_CASE("a failure at the head of a long chain skips it all, without deep recursion") {
  World world;
  Plan large = plan({task("c0")});
  for (int i = 1; i < 20'000; ++i) {
    large.tasks.push_back(task("c" + std::to_string(i), {"c" + std::to_string(i - 1)}));
  }
  world.runner.scripts["c0"] = {{.ok = false}};
  const Report report = world.finish(large);
  CHECK(report.tasks.back().state == TaskState::skipped);
}

namespace {

// A recorded workflow as a plan whose tasks take what they took.
Plan recorded_plan(const json::value& workflow, World& world) {
  std::map<std::string, Duration> took;
  for (const auto& run : workflow.at("workflow").at("execution").at("tasks").as_array()) {
    const double seconds = run.at("runtimeInSeconds").to_number<double>();
    took[std::string(run.at("id").as_string())] = Duration{std::llround(seconds * 1e6)};
  }
  Plan made = plan({});
  made.timeout = std::chrono::days{7};
  std::map<std::string, std::string> names;
  const auto& tasks = workflow.at("workflow").at("specification").at("tasks").as_array();
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    names[std::string(tasks[i].at("id").as_string())] = "t" + std::to_string(i);
  }
  for (const auto& recorded : tasks) {
    const std::string id(recorded.at("id").as_string());
    Task one = task(names.at(id));
    for (const auto& parent : recorded.at("parents").as_array()) {
      one.needs.push_back(names.at(std::string(parent.as_string())));
    }
    world.runner.scripts[one.name] = {{.takes = took[id]}};
    made.tasks.push_back(one);
  }
  world.engine.use_durations(
      [&world](const std::string&, const std::string& name) -> std::optional<Learned> {
        return Learned{world.runner.scripts.at(name).front().takes};
      });
  return made;
}

std::string read_all(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("recorded workflows end within the time list scheduling by critical path needs") {
  const std::filesystem::path folder = source_dir() + "/../shared/data/dag";
  if (!std::filesystem::exists(folder / "bounds.json")) {
    MESSAGE("skipped: " << folder.string() << " is absent");
    return;
  }
  const auto bounds = parse_json(read_all(folder / "bounds.json")).value();
  for (const auto& [file, bound] : bounds.as_object()) {
    const auto text = read_all(folder / "wfcommons" / std::string(file));
    if (text.empty()) continue;
    for (const int machines : {2, 8, 64}) {
      CAPTURE(std::string(file));
      CAPTURE(machines);
      EngineLimits limits;
      limits.slots = machines;
      World world(limits);
      const auto report = world.finish(recorded_plan(parse_json(text).value(), world));
      CHECK(report.ok);
      const auto& known = bound.at("machines").at(std::to_string(machines));
      const double wall = std::chrono::duration<double>(report.wall).count();
      CHECK(wall >= known.at("lower_bound_s").to_number<double>() * 0.999 - 0.01);
      CHECK(wall <= known.at("list_by_critical_path_s").to_number<double>() * 1.02 + 0.01);
      const double chain = std::chrono::duration<double>(report.critical_path).count();
      CHECK(chain ==
            doctest::Approx(bound.at("critical_path_s").to_number<double>()).epsilon(0.001));
    }
  }
}
