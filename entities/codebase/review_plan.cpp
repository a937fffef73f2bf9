#include "entities/codebase/review_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/codebase/analysers.hpp"
#include "entities/codebase/git.hpp"
#include "entities/codebase/model_review.hpp"

namespace vigil::entities::codebase {
namespace {

using namespace std::chrono_literals;

constexpr Duration analyser_timeout = 2min;
constexpr Duration command_to_spare =
    4s;  // to copy the tree before it and to tell the end after it
constexpr std::size_t output_bytes_max =
    8 * 1024 * 1024;               // lists of files and findings are bounded
constexpr std::int64_t depth = 5;  // commits to look at when the asked ones are not there

json::array array_of(const std::vector<std::string>& texts) {
  json::array all;
  for (const auto& text : texts) all.emplace_back(text);
  return all;
}

// Task names have few characters; names in the configuration may have more.
std::string command_task(const config::Command& command) {
  std::string name = "command:" + command.name;
  std::ranges::replace_if(
      name,
      [](char c) {
        const bool plain =
            (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        return !plain && std::string_view("_.:/-").find(c) == std::string_view::npos;
      },
      '_');
  return name.substr(0, 100);
}

swarm::Task make_task(const ReviewSetup& setup, std::string name, std::string_view builtin) {
  swarm::Task task;
  task.name = std::move(name);
  task.builtin = builtin;
  task.timeout = analyser_timeout;
  task.retries = 1;
  task.output_bytes_max = output_bytes_max;
  task.containment = swarm::Containment::strict;
  task.read_paths = setup.read_paths;
  return task;
}

json::object input_of(const ReviewSetup& setup) {
  return {{"repository", setup.settings.repository}};
}

swarm::Task find_the_change(const ReviewSetup& setup, const ForgeEvent& event,
                            const std::optional<LastLook>& last) {
  auto task = make_task(setup, "changes", "codebase.changes");
  auto input = input_of(setup);
  input["kind"] = event.subject == Subject::pull_request ? "pull_request" : "push";
  input["depth"] = depth;
  if (!setup.settings.branch.empty()) input["branch"] = setup.settings.branch;
  if (!event.base.empty()) input["base"] = event.base;
  if (!event.head.empty()) input["head"] = event.head;
  if (is_safe_revision(event.base_ref)) input["base_ref"] = event.base_ref;
  if (last) input["before"] = json::object{{"base", last->base}, {"head", last->head}};
  task.input = std::move(input);
  return task;
}

swarm::Task run_command_task(const ReviewSetup& setup, const config::Command& command,
                             const std::optional<LastLook>& last) {
  auto task = make_task(setup, command_task(command), "codebase.command");
  auto input = input_of(setup);
  input["name"] = command.name;
  input["argv"] = array_of(command.argv);
  if (!command.paths.empty()) input["paths"] = array_of(command.paths);
  if (!command.reports.empty()) input["reports"] = array_of(command.reports);
  if (last && last->passed.contains(task.name)) input["passed_at"] = last->passed.at(task.name);
  task.input = std::move(input);
  task.timeout = command.timeout + command_to_spare;
  task.retries = 0;
  task.needs = {"changes"};
  task.optional = true;
  return task;
}

constexpr std::string_view advisories_task = "advisories";

// Known flaws of what the change newly depends on.
swarm::Task look_at_dependencies(const ReviewSetup& setup) {
  auto task = make_task(setup, std::string(advisories_task), "deps.scan");
  auto input = input_of(setup);
  input["advisories"] = setup.settings.advisories;
  task.read_paths.push_back(setup.settings.advisories);
  if (const auto& index = setup.settings.advisories_index; !index.empty()) {
    input["index"] = index;
    task.write_paths.push_back(index.substr(0, std::max<std::size_t>(index.rfind('/'), 1)));
  }
  task.input = std::move(input);
  task.needs = {"changes"};
  task.optional = true;
  return task;
}

}  // namespace

bool looks_at_each_file(std::string_view analyser) {
  constexpr std::array each{"secrets", "conflicts", "large_files", "debug", "todo"};
  return std::ranges::find(each, analyser) != each.end();
}

std::vector<std::string> looking_tasks(const ReviewSetup& setup) {
  std::vector<std::string> names;
  for (const auto& name : setup.analysers) {
    if (const auto* analyser = find_analyser(name)) names.emplace_back(short_name(*analyser));
  }
  if (!setup.settings.advisories.empty()) names.emplace_back(advisories_task);
  for (const auto& command : setup.settings.commands) names.push_back(command_task(command));
  if (asks_a_model(setup)) names.emplace_back(model_task);
  return names;
}

swarm::Plan plan_review(const ReviewSetup& setup, const ForgeEvent& event, std::string title,
                        const std::vector<std::string>& dismissed,
                        const std::optional<LastLook>& last) {
  swarm::Plan plan;
  plan.title = std::move(title);
  plan.result_of = review_task;
  plan.tasks.push_back(find_the_change(setup, event, last));
  Duration longest{0};
  for (const auto& name : setup.analysers) {
    const auto* analyser = find_analyser(name);
    if (analyser == nullptr) continue;
    auto task = make_task(setup, std::string(short_name(*analyser)), analyser->name);
    auto input = input_of(setup);
    if (short_name(*analyser) == "large_files") {
      input["large_file_bytes"] = setup.settings.large_file_bytes;
    }
    task.input = std::move(input);
    task.needs = {"changes"};
    task.optional = true;
    plan.tasks.push_back(std::move(task));
  }
  if (!setup.settings.advisories.empty()) plan.tasks.push_back(look_at_dependencies(setup));
  for (const auto& command : setup.settings.commands) {
    longest = std::max(longest, command.timeout);
    plan.tasks.push_back(run_command_task(setup, command, last));
  }
  if (asks_a_model(setup)) add_model_review(setup, plan);
  auto review = make_task(setup, std::string(review_task), "codebase.review");
  auto input = input_of(setup);
  const auto expected = looking_tasks(setup);
  input["expected"] = array_of(expected);
  input["ignore_paths"] = array_of(setup.settings.ignore_paths);
  input["dismissed"] = array_of(dismissed);
  if (last && !last->findings.empty()) {
    json::array carried;
    for (const auto& finding : last->findings) carried.emplace_back(to_json(finding));
    input["carried"] = std::move(carried);
  }
  review.input = std::move(input);
  review.needs = expected;
  review.needs.insert(review.needs.begin(), "changes");
  plan.tasks.push_back(std::move(review));
  // Commands wait for each other when slots are few.
  plan.timeout = std::max(plan.timeout, longest * 2 + 5min);
  return plan;
}

}  // namespace vigil::entities::codebase
