// codebase.upgrade_edit: the edits of one proposal in a private tree, the package managers' own
// commands where only they can write a lock file, and a second look at what came of it.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <cstdlib>
#include <set>

#include "core/log.hpp"
#include "entities/codebase/upgrade_tasks.hpp"
#include "entities/codebase/upgrade_tree.hpp"
#include "entities/deps/version.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::size_t output_bytes_max = 1024 * 1024;
constexpr std::size_t tail_bytes = 2000;
constexpr std::size_t patch_bytes_max = 4 * 1024 * 1024;

struct ToolCommand {
  std::string format;  // npm, cargo... or the ecosystem's name
  std::vector<std::string> argv;
};

std::vector<ToolCommand> commands_of(const json::value& input) {
  std::vector<ToolCommand> all;
  const auto* list = find_path(input, "commands");
  if (list == nullptr || !list->is_array()) return all;
  for (const auto& one : list->get_array()) {
    ToolCommand command;
    command.format = find_text(one, "ecosystem").value_or("");
    const auto* argv = find_path(one, "argv");
    if (argv == nullptr || !argv->is_array()) continue;
    for (const auto& word : argv->get_array()) {
      if (word.is_string()) command.argv.emplace_back(std::string_view(word.get_string()));
    }
    if (!command.argv.empty()) all.push_back(std::move(command));
  }
  return all;
}

std::string filled(std::string word, const deps::Raise& raise) {
  for (const auto& [mark, value] :
       {std::pair<std::string, const std::string&>{"{package}", raise.name},
        {"{version}", raise.to},
        {"{from}", raise.from}}) {
    for (auto at = word.find(mark); at != std::string::npos;
         at = word.find(mark, at + value.size())) {
      word.replace(at, mark.size(), value);
    }
  }
  return word;
}

std::string folder_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string() : std::string(path.substr(0, slash));
}

using Pins = std::map<std::pair<std::string, std::string>, std::vector<std::string>>;
using Flaws = std::set<std::tuple<std::string, std::string, std::string>>;  // file, package, id

Pins pins_of(const deps::Lockfile& lock) {
  Pins pins;
  for (const auto& one : lock.packages) {
    if (!one.version.empty()) pins[{one.ecosystem, one.name}].push_back(one.version);
  }
  for (auto& [package, versions] : pins) {
    deps::sort_versions(versions, [&](const std::string& a, const std::string& b) {
      return deps::compare_versions(package.first, a, b) < 0;
    });
  }
  return pins;
}

void add_flaws(const deps::AdvisoryIndex& index, const std::string& path,
               const deps::Lockfile& lock, Flaws& flaws) {
  for (const auto& one : lock.packages) {
    for (const auto& match : index.match(one.ecosystem, one.name, one.version)) {
      flaws.emplace(path, one.name, std::string(match.id));
    }
  }
}

class Editor {
 public:
  Editor(const Request& request, UpgradeGroup group, PrivateTree tree,
         const deps::AdvisoryIndex& index)
      : request_(request), group_(std::move(group)), tree_(std::move(tree)), index_(index) {}

  Result<json::value> run() {
    const auto commands = commands_of(request_.input);
    if (auto before = look(locks_before_); !before) return std::unexpected(before.error());
    for (const auto& change : group_.changes) {
      if (!is_looked_at(change.file) || deps::lock_format_of(change.file) == nullptr) {
        return fail(ErrorCode::invalid_input,
                    fmt::format("{} is no lock file", vigil::quoted(change.file)));
      }
      raise_manifests(change);
      if (auto done = raise_lock(change, commands); !done) return std::unexpected(done.error());
    }
    if (auto after = judge(); !after) return std::unexpected(after.error());
    return told();
  }

 private:
  Result<void> look(std::map<std::string, deps::Lockfile>& into) {
    for (const auto& change : group_.changes) {
      const auto text = tree_.read(change.file);
      if (!text) {
        return fail(ErrorCode::not_found,
                    fmt::format("{} is not in the commit", vigil::quoted(change.file)));
      }
      auto lock = deps::read_lockfile(change.file, *text);
      if (!lock) return std::unexpected(lock.error());
      into[change.file] = std::move(*lock);
    }
    return {};
  }

  void raise_manifests(const UpgradeChange& change) {
    for (const auto& path : deps::manifests_beside(change.file)) {
      const auto text = tree_.read(path);
      if (!text) continue;
      const auto raised = deps::raise_in(path, *text, change.raise);
      if (raised.fate == deps::RaiseFate::needs_person) by_hand(path + ": " + raised.why);
      if (raised.fate != deps::RaiseFate::edited) continue;
      if (auto written = tree_.write(path, raised.text); !written) {
        by_hand(written.error().message);
      }
    }
  }

  Result<void> raise_lock(const UpgradeChange& change, const std::vector<ToolCommand>& commands) {
    const auto* format = deps::lock_format_of(change.file);
    const auto command = std::ranges::find_if(commands, [&](const ToolCommand& one) {
      return one.format == format->name || one.format == format->ecosystem;
    });
    if (command != commands.end()) return run_tool(change, *command);
    const auto text = tree_.read(change.file);
    if (!text) return fail(ErrorCode::not_found, fmt::format("{} is gone", change.file));
    const auto raised = deps::raise_in(change.file, *text, change.raise);
    const bool sums = format->name == "go" && change.raise.name != "stdlib" &&
                      tree_.read(beside(change.file, "go.sum")).has_value();
    if (raised.fate == deps::RaiseFate::edited && !sums) {
      return tree_.write(change.file, raised.text);
    }
    if (raised.fate == deps::RaiseFate::absent || raised.fate == deps::RaiseFate::fine) return {};
    const auto why = sums ? std::string("go.sum holds hashes that only go can write") : raised.why;
    by_hand(fmt::format("{}: {}: run {}", change.file, why,
                        deps::tool_hint(change.file, change.raise)));
    return {};
  }

  static std::string beside(const std::string& path, std::string_view name) {
    const auto folder = folder_of(path);
    return folder.empty() ? std::string(name) : fmt::format("{}/{}", folder, name);
  }

  Result<void> run_tool(const UpgradeChange& change, const ToolCommand& command) {
    if (change.raise.name.starts_with('-') || change.raise.to.starts_with('-')) {
      by_hand("a name that begins with - is given to no command");
      return {};
    }
    Errand errand;
    for (const auto& word : command.argv) errand.argv.push_back(filled(word, change.raise));
    errand.folder = tree_.folder() + "/" + folder_of(change.file);
    errand.join_errors = true;
    errand.output_bytes_max = output_bytes_max;
    const auto value = [](const char* name, const char* otherwise) {
      const char* known = std::getenv(name);
      return std::string(known == nullptr ? otherwise : known);
    };
    errand.environment = {"PATH=" + value("PATH", "/usr/local/bin:/usr/bin:/bin"),
                          "HOME=" + value("HOME", "/nonexistent"),
                          "TMPDIR=" + value("TMPDIR", "/tmp"),
                          "LANG=C.UTF-8",
                          "CI=true",
                          "NO_COLOR=1"};
    if (request_.time_left) errand.timeout = *request_.time_left / 2;
    auto end = run_errand(errand);
    if (!end) return std::unexpected(end.error());
    if (end->exit_code == 0 && end->in_time) return {};
    const auto tail = end->output.size() > tail_bytes
                          ? end->output.substr(end->output.size() - tail_bytes)
                          : end->output;
    by_hand(fmt::format(
        "{} {}: {}", errand.argv.front(),
        end->in_time ? fmt::format("ended with {}", end->exit_code) : "did not end in its time",
        one_line(tail, 500)));
    return {};
  }

  // What the advisories said is gone, nothing new came, nothing was lowered, nothing else changed.
  Result<void> judge() {
    auto changed = tree_.changed();
    if (!changed) return std::unexpected(changed.error());
    changed_ = std::move(*changed);
    for (const auto& path : changed_) {
      if (!deps::is_dependency_file(path)) {
        wrong_.push_back(fmt::format("{} changed, which no upgrade may", one_line(path)));
      }
    }
    if (auto after = look(locks_after_); !after) {
      wrong_.push_back(after.error().message);
      return {};
    }
    Flaws before;
    Flaws after;
    for (const auto& [path, lock] : locks_before_) add_flaws(index_, path, lock, before);
    for (const auto& [path, lock] : locks_after_) add_flaws(index_, path, lock, after);
    for (const auto& change : group_.changes) {
      for (const auto& id : change.ids) {
        const bool stays = after.contains({change.file, change.raise.name, id});
        (stays ? left_ : settled_).insert(id);
        if (stays) {
          wrong_.push_back(
              fmt::format("{} still is under {} in {}", change.raise.name, id, change.file));
        }
      }
    }
    for (const auto& [path, package, id] : after) {
      if (before.contains({path, package, id})) continue;
      wrong_.push_back(fmt::format("{} comes under {} in {}", package, id, path));
    }
    for (const auto& [path, lock] : locks_after_) look_for_lowered(path, lock);
    return {};
  }

  void look_for_lowered(const std::string& path, const deps::Lockfile& lock) {
    const auto before = pins_of(locks_before_.at(path));
    for (const auto& [package, versions] : pins_of(lock)) {
      const auto old = before.find(package);
      if (old == before.end()) continue;
      const auto lower = [&](const std::string& a, const std::string& b) {
        return deps::compare_versions(package.first, a, b) < 0;
      };
      if (lower(versions.front(), old->second.front()) ||
          lower(versions.back(), old->second.back())) {
        wrong_.push_back(fmt::format("{} was lowered from {} to {} in {}", package.second,
                                     old->second.back(), versions.back(), path));
      }
    }
  }

  void by_hand(std::string what) {
    if (std::ranges::find(by_hand_, what) == by_hand_.end()) by_hand_.push_back(std::move(what));
  }

  Result<json::value> told() {
    auto patch = tree_.patch();
    if (!patch) return std::unexpected(patch.error());
    if (patch->size() > patch_bytes_max) wrong_.push_back("the patch is too large to be proposed");
    const bool ok = wrong_.empty() && by_hand_.empty() && !changed_.empty();
    std::string why = ok ? fmt::format("{}: settles {} advisories", group_.title, settled_.size())
                      : !by_hand_.empty() ? by_hand_.front()
                      : !wrong_.empty()   ? wrong_.front()
                                          : "nothing had to be changed";
    const auto list = [](const auto& texts) {
      json::array all;
      for (const auto& text : texts) all.emplace_back(to_valid_utf8(text));
      return all;
    };
    auto out = analysis(one_line(why, 600), {});
    out["ok"] = ok;
    out["group"] = to_json(group_);
    out["files"] = list(changed_);
    out["by_hand"] = list(by_hand_);
    out["wrong"] = list(wrong_);
    out["settled"] = list(settled_);
    const bool whole = patch->size() <= patch_bytes_max;
    out["patch"] = whole ? to_valid_utf8(*patch) : std::string();
    std::string text = why + "\n";
    for (const auto& line : by_hand_) text += "by hand: " + line + "\n";
    for (const auto& line : wrong_) text += "wrong: " + line + "\n";
    out["text"] = to_valid_utf8(text) + (whole ? to_valid_utf8(*patch) : std::string());
    return json::value(std::move(out));
  }

  const Request& request_;
  UpgradeGroup group_;
  PrivateTree tree_;
  const deps::AdvisoryIndex& index_;
  std::map<std::string, deps::Lockfile> locks_before_;
  std::map<std::string, deps::Lockfile> locks_after_;
  std::vector<std::string> changed_;
  std::vector<std::string> by_hand_;
  std::vector<std::string> wrong_;
  std::set<std::string> settled_;
  std::set<std::string> left_;
};

}  // namespace

Result<json::value> run_upgrade(const Request& request) {
  const auto* given = find_path(request.input, "group");
  if (given == nullptr) {
    return fail(ErrorCode::invalid_input,
                "input.group is missing: one of the groups that codebase.upgrade_find tells");
  }
  auto group = upgrade_group_from_json(*given);
  if (!group) return std::unexpected(group.error());
  const auto git = upgrade_clone(request);
  if (!git) return std::unexpected(git.error());
  const auto base = git->commit_of(find_text(request.input, "base").value_or("HEAD"));
  if (!base) return fail(ErrorCode::not_found, "input.base is no commit of the clone");
  const auto opened = upgrade_advisories(request);
  if (!opened) return std::unexpected(opened.error());
  auto tree = PrivateTree::at(*git, *base);
  if (!tree) return std::unexpected(tree.error());
  auto out = Editor(request, std::move(*group), std::move(*tree), opened->index).run();
  if (out) out->as_object()["base"] = *base;
  return out;
}

}  // namespace vigil::entities::codebase
