#include "entities/codebase/upgrade_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <filesystem>

#include "core/log.hpp"

namespace vigil::entities::codebase {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t output_bytes_max = 16 * 1024 * 1024;  // a patch, twice, and what surrounds it

swarm::Task make_task(const UpgradeSetup& setup, std::string name, std::string_view builtin) {
  swarm::Task task;
  task.name = std::move(name);
  task.builtin = builtin;
  task.timeout = 2min;
  task.retries = 1;
  task.output_bytes_max = output_bytes_max;
  task.read_paths = setup.review.read_paths;
  return task;
}

// Advisories may be read, and their index written.
json::object input_with_advisories(const UpgradeSetup& setup, swarm::Task& task) {
  const auto& settings = setup.review.settings;
  json::object input{{"repository", settings.repository}, {"advisories", settings.advisories}};
  task.read_paths.push_back(settings.advisories);
  if (const auto& index = settings.advisories_index; !index.empty()) {
    input["index"] = index;
    task.write_paths.push_back(index.substr(0, std::max<std::size_t>(index.rfind('/'), 1)));
  }
  return input;
}

swarm::Task edit_task(const UpgradeSetup& setup, const UpgradeGroup& group,
                      const std::string& base) {
  const auto& upgrades = *setup.review.settings.upgrades;
  auto task = make_task(setup, "edit", "codebase.upgrade_edit");
  auto input = input_with_advisories(setup, task);
  input["group"] = to_json(group);
  input["base"] = base;
  json::array commands;
  for (const auto& command : upgrades.commands) {
    json::array argv;
    for (const auto& word : command.argv) argv.emplace_back(word);
    commands.emplace_back(
        json::object{{"ecosystem", command.ecosystem}, {"argv", std::move(argv)}});
  }
  const bool runs_commands = !commands.empty();
  input["commands"] = std::move(commands);
  task.input = std::move(input);
  task.timeout = upgrades.timeout;
  task.retries = 0;
  // The network only for who needs a package manager, and only where it was granted.
  if (runs_commands && upgrades.sandbox == "net") task.containment = swarm::Containment::net;
  task.read_paths.insert(task.read_paths.end(), upgrades.read_paths.begin(),
                         upgrades.read_paths.end());
  return task;
}

}  // namespace

std::string upgrade_title(std::string_view key) { return fmt::format("upgrade {}", key); }

Result<UpgradeSetup> upgrade_setup(const ReviewSetup& review) {
  const auto& settings = review.settings;
  const auto refuse = [](std::string_view why) {
    return fail(ErrorCode::invalid_input, fmt::format("codebase.upgrades: {}", why));
  };
  if (settings.advisories.empty()) {
    return refuse("codebase.advisories is missing: a folder of OSV files");
  }
  const auto& upgrades = *settings.upgrades;
  if (!upgrades.pull_sink.empty() &&
      (upgrades.push_sink.empty() || upgrades.forge_repository.empty() ||
       settings.branch.empty())) {
    return refuse("pull_sink needs push_sink, forge_repository and codebase.branch");
  }
  UpgradeSetup setup{review, {}};
  std::error_code error;
  const auto folder = std::filesystem::path(settings.repository) / ".git";
  if (std::filesystem::is_directory(folder, error)) {
    setup.write_paths = {folder.string()};
  } else if (std::filesystem::is_regular_file(folder, error)) {
    // A work tree beside its repository: all places but the work tree itself.
    setup.write_paths.assign(review.read_paths.begin() + 1, review.read_paths.end());
  } else {
    setup.write_paths = {settings.repository};
  }
  return setup;
}

swarm::Plan plan_upgrade_scan(const UpgradeSetup& setup) {
  const auto& settings = setup.review.settings;
  swarm::Plan plan;
  plan.title = upgrades_title;
  plan.result_of = "find";
  auto task = make_task(setup, "find", "codebase.upgrade_find");
  auto input = input_with_advisories(setup, task);
  if (!settings.branch.empty()) input["branch"] = settings.branch;
  input["group"] = settings.upgrades->group;
  if (const auto& versions = settings.upgrades->versions; !versions.empty()) {
    input["versions"] = versions;
    task.read_paths.push_back(versions);
  }
  task.input = std::move(input);
  plan.tasks.push_back(std::move(task));
  return plan;
}

swarm::Plan plan_upgrade(const UpgradeSetup& setup, const UpgradeGroup& group,
                         const std::string& base) {
  swarm::Plan plan;
  plan.title = upgrade_title(group.key);
  plan.result_of = "keep";
  plan.tasks.push_back(edit_task(setup, group, base));

  // It is called what reviews call theirs: the repository's own commands look for it there.
  auto commit = make_task(setup, "changes", "codebase.upgrade_commit");
  commit.input = json::object{{"repository", setup.review.settings.repository},
                              {"author", setup.review.settings.upgrades->author}};
  commit.needs = {"edit"};
  commit.write_paths = setup.write_paths;
  commit.retries = 0;
  plan.tasks.push_back(std::move(commit));

  auto keep = make_task(setup, "keep", "codebase.upgrade_keep");
  keep.input = json::object{{"repository", setup.review.settings.repository}};
  keep.needs = {"edit", "changes"};
  keep.write_paths = setup.write_paths;
  Duration longest{0};
  for (auto& task : plan_review(setup.review, ForgeEvent{}, "trial", {}).tasks) {
    if (task.builtin != "codebase.command") continue;
    task.optional = false;
    task.input.as_object().erase("paths");  // an upgrade may break anything
    longest = std::max(longest, task.timeout);
    keep.needs.push_back(task.name);
    plan.tasks.push_back(std::move(task));
  }
  plan.tasks.push_back(std::move(keep));
  plan.timeout = setup.review.settings.upgrades->timeout + longest * 2 + 10min;
  return plan;
}

}  // namespace vigil::entities::codebase
