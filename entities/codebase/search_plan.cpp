#include "entities/codebase/search_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace vigil::entities::codebase {
namespace {

using namespace std::chrono_literals;

constexpr Duration to_spare = 4s;  // to copy the tree before it and to tell the end after it
constexpr std::size_t output_bytes_max = 4 * 1024 * 1024;

swarm::Task make_task(const ReviewSetup& setup, std::string name, std::string_view builtin) {
  swarm::Task task;
  task.name = std::move(name);
  task.builtin = builtin;
  task.timeout = 2min;
  task.output_bytes_max = output_bytes_max;
  task.containment = swarm::Containment::strict;
  task.read_paths = setup.read_paths;
  return task;
}

json::array array_of(const std::vector<std::string>& texts) {
  json::array all;
  for (const auto& text : texts) all.emplace_back(text);
  return all;
}

std::string head_of(const Search& search) {
  return fmt::format("{}{} at {}", search_title, search.command, search.bad.substr(0, 9));
}

}  // namespace

swarm::Plan plan_history(const ReviewSetup& setup, Search& search) {
  search.title = head_of(search) + ": which commits";
  swarm::Plan plan;
  plan.title = search.title;
  plan.result_of = "history";
  auto task = make_task(setup, "history", "codebase.history");
  json::object input{{"repository", setup.settings.repository},
                     {"bad", search.bad},
                     {"good_may_be_gone", true},
                     {"commits_max", setup.settings.red_builds.commits_max}};
  if (!search.good.empty()) input["good"] = search.good;
  task.input = std::move(input);
  task.retries = 1;
  plan.tasks.push_back(std::move(task));
  return plan;
}

swarm::Plan plan_round(const ReviewSetup& setup, Search& search,
                       const std::vector<std::string>& commits) {
  search.title = fmt::format("{}: round {} of {}", head_of(search), search.round,
                             std::max(search.round, search.rounds_max));
  swarm::Plan plan;
  plan.title = search.title;
  const auto& commands = setup.settings.commands;
  const auto command = std::ranges::find(commands, search.command, &config::Command::name);
  if (command == commands.end()) return plan;
  const auto test = [&](std::string_view prefix, const std::string& commit) {
    auto task = make_task(setup, fmt::format("{}{}", prefix, commit), "codebase.probe");
    task.input = json::object{{"repository", setup.settings.repository},
                              {"commit", commit},
                              {"name", command->name},
                              {"argv", array_of(command->argv)},
                              {"reports", array_of(command->reports)},
                              {"sought", to_json(search.sought)}};
    task.timeout = command->timeout + to_spare;
    task.optional = true;
    plan.tasks.push_back(std::move(task));
  };
  for (const auto& commit : commits) test(probe_prefix, commit);
  if (search.round == 1) {
    test(again_prefix, search.bad);
    if (!search.good_known) test(good_prefix, search.good);
  }
  // When slots are few they wait for each other.
  plan.timeout = command->timeout * static_cast<int>(plan.tasks.size()) + 5min;
  return plan;
}

}  // namespace vigil::entities::codebase
