#include "entities/codebase/upgrade_groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <map>
#include <set>

#include "core/digest.hpp"
#include "core/log.hpp"
#include "entities/deps/version.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::size_t changes_max = 200;  // of one group
constexpr std::size_t stuck_max = 50;
constexpr std::size_t slug_bytes_max = 60;

// Packages that are released together: a scope, a group, a repository.
std::string family_of(std::string_view ecosystem, std::string_view name) {
  if (ecosystem == "npm" && name.starts_with('@'))
    return std::string(name.substr(0, name.find('/')));
  if (ecosystem == "Maven") return std::string(name.substr(0, name.find(':')));
  if (ecosystem == "Go") {
    std::size_t at = 0;
    for (int parts = 0; parts < 3; ++parts) {
      const auto slash = name.find('/', at);
      if (slash == std::string_view::npos) return std::string(name);
      at = slash + 1;
    }
    return std::string(name.substr(0, at - 1));
  }
  return std::string(name);
}

std::string slug_of(std::string_view key) {
  std::string slug;
  for (const char c : key) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool upper = c >= 'A' && c <= 'Z';
    if (plain || (c == '.' && !slug.empty() && slug.back() != '.')) {
      slug += c;
    } else if (upper) {
      slug += static_cast<char>(c + 32);
    } else if (!slug.empty() && slug.back() != '-') {
      slug += '-';
    }
  }
  slug.resize(std::min(slug.size(), slug_bytes_max));
  while (slug.ends_with('-') || slug.ends_with('.')) slug.pop_back();
  // What two names have in common after this is told apart by their digest.
  auto plain = std::string(key);
  std::ranges::replace(plain, '/', '-');
  if (slug == plain && !slug.ends_with(".lock")) return slug;
  return fmt::format("{}-{}", slug, to_hex(as_bytes(sha256(key))).substr(0, 6));
}

struct Wanted {
  std::string group;
  UpgradeChange change;
  Severity severity = Severity::info;
};

Severity severity_among(const std::vector<deps::Match>& matches, const std::set<std::string>& ids) {
  auto worst = Severity::info;
  for (const auto& match : matches) {
    if (!ids.contains(std::string(match.id))) continue;
    worst = std::max(worst, match.severity.value_or(Severity::medium));
  }
  return worst;
}

// What all who ask for the package allow, else nothing: the tool would refuse the rest.
const std::string& best_version(const deps::Upgrade& upgrade) {
  return upgrade.held_by.empty() ? upgrade.to : upgrade.allowed;
}

class Finder {
 public:
  Finder(const deps::AdvisoryIndex& index, const deps::KnownVersions& known, Grouping grouping)
      : index_(index), known_(known), grouping_(grouping) {}

  void look_at(const PinnedFile& file) {
    for (const auto& upgrade :
         deps::plan_upgrades(index_, file.lock.packages, known_, file.lock.asked)) {
      if (grouping_ == Grouping::advisory) {
        by_advisory(file, upgrade);
      } else {
        by_package(file, upgrade);
      }
    }
  }

  UpgradesFound take() {
    UpgradesFound found;
    for (auto& [key, group] : groups_) {
      group.key = key;
      group.branch = "vigil/upgrade-" + slug_of(key);
      group.title = title_of(key, group);
      group.target = target_of(group);
      found.groups.push_back(std::move(group));
    }
    std::ranges::sort(found.groups, [](const UpgradeGroup& a, const UpgradeGroup& b) {
      return a.severity != b.severity ? a.severity > b.severity : a.key < b.key;
    });
    found.stuck = std::move(stuck_);
    return found;
  }

 private:
  void by_package(const PinnedFile& file, const deps::Upgrade& upgrade) {
    const auto& to = best_version(upgrade);
    if (to.empty()) return stuck(file, upgrade);
    const auto& left = upgrade.held_by.empty() ? upgrade.left : upgrade.allowed_left;
    std::set<std::string> ids;
    for (const auto& step : upgrade.steps) {
      if (std::ranges::find(left, step.id) == left.end()) ids.insert(step.id);
    }
    const auto key =
        grouping_ == Grouping::ecosystem
            ? upgrade.ecosystem
            : fmt::format("{}/{}", upgrade.ecosystem, family_of(upgrade.ecosystem, upgrade.name));
    add(key, file, upgrade, to, ids);
  }

  void by_advisory(const PinnedFile& file, const deps::Upgrade& upgrade) {
    for (const auto& step : upgrade.steps) {
      const bool held = !upgrade.held_by.empty();
      const auto& to = held ? upgrade.allowed : step.to;
      const bool settles =
          !held || std::ranges::find(upgrade.allowed_left, step.id) == upgrade.allowed_left.end();
      if (to.empty() || !settles) {
        stuck(file, upgrade);
        continue;
      }
      add(step.id, file, upgrade, to, {step.id});
    }
  }

  void add(const std::string& key, const PinnedFile& file, const deps::Upgrade& upgrade,
           const std::string& to, const std::set<std::string>& ids) {
    auto& group = groups_[key];
    if (group.changes.size() >= changes_max) return;
    UpgradeChange change;
    change.file = file.path;
    change.raise = {upgrade.ecosystem, upgrade.name, upgrade.from, to};
    change.ids.assign(ids.begin(), ids.end());
    change.breaking = deps::is_breaking(upgrade.ecosystem, upgrade.from, to);
    const auto matches = index_.match(upgrade.ecosystem, upgrade.name, upgrade.from);
    group.severity = std::max(group.severity, severity_among(matches, ids));
    group.changes.push_back(std::move(change));
  }

  void stuck(const PinnedFile& file, const deps::Upgrade& upgrade) {
    if (stuck_.size() >= stuck_max) return;
    auto line = fmt::format("{}: {} {}: {}", file.path, upgrade.name, upgrade.from,
                            upgrade.to.empty() ? "no later version without the flaw is known"
                                               : "who asks for it does not allow " + upgrade.to);
    if (!upgrade.held_by.empty()) line += fmt::format(" ({})", upgrade.held_by.front());
    line = one_line(line, 300);
    if (std::ranges::find(stuck_, line) == stuck_.end()) stuck_.push_back(std::move(line));
  }

  static std::string title_of(const std::string& key, const UpgradeGroup& group) {
    std::set<std::pair<std::string, std::string>> raised;
    for (const auto& change : group.changes) raised.emplace(change.raise.name, change.raise.to);
    if (raised.size() == 1) {
      return fmt::format("upgrade {} to {}", raised.begin()->first, raised.begin()->second);
    }
    return fmt::format("upgrade {} packages of {}", raised.size(), key);
  }

  static std::string target_of(const UpgradeGroup& group) {
    std::string all;
    for (const auto& change : group.changes) {
      all += fmt::format("{}\n{}\n{}\n{}\n", change.file, change.raise.name, change.raise.from,
                         change.raise.to);
    }
    return to_hex(as_bytes(sha256(all))).substr(0, 16);
  }

  const deps::AdvisoryIndex& index_;
  const deps::KnownVersions& known_;
  Grouping grouping_;
  std::map<std::string, UpgradeGroup> groups_;
  std::vector<std::string> stuck_;
};

}  // namespace

Result<Grouping> grouping_from(std::string_view text) {
  if (text.empty() || text == "family") return Grouping::family;
  if (text == "ecosystem") return Grouping::ecosystem;
  if (text == "advisory") return Grouping::advisory;
  return fail(ErrorCode::invalid_input,
              fmt::format("group {}: expected family, ecosystem or advisory", vigil::quoted(text)));
}

UpgradesFound find_upgrades(const deps::AdvisoryIndex& index, const std::vector<PinnedFile>& files,
                            const deps::KnownVersions& known, Grouping grouping) {
  Finder finder(index, known, grouping);
  for (const auto& file : files) finder.look_at(file);
  return finder.take();
}

json::object to_json(const UpgradeGroup& group) {
  json::array changes;
  for (const auto& change : group.changes) {
    json::array ids;
    for (const auto& id : change.ids) ids.emplace_back(id);
    changes.emplace_back(json::object{{"file", to_valid_utf8(change.file)},
                                      {"ecosystem", change.raise.ecosystem},
                                      {"name", change.raise.name},
                                      {"from", change.raise.from},
                                      {"to", change.raise.to},
                                      {"breaking", change.breaking},
                                      {"ids", std::move(ids)}});
  }
  return {{"key", group.key},
          {"title", group.title},
          {"branch", group.branch},
          {"target", group.target},
          {"severity", to_text(group.severity)},
          {"changes", std::move(changes)}};
}

Result<UpgradeGroup> upgrade_group_from_json(const json::value& value) {
  const auto text = [](const json::value& of, std::string_view key) {
    return std::string(find_text(of, key).value_or(""));
  };
  UpgradeGroup group{text(value, "key"),    text(value, "title"), text(value, "branch"),
                     text(value, "target"), Severity::info,       {}};
  if (const auto severity = severity_from(text(value, "severity"))) group.severity = *severity;
  const auto* changes = find_path(value, "changes");
  if (group.key.empty() || !group.branch.starts_with("vigil/upgrade-") || changes == nullptr ||
      !changes->is_array()) {
    return fail(
        ErrorCode::invalid_input,
        "group: expected one of those that codebase.upgrade_find tells (key, branch, changes)");
  }
  for (const auto& one : changes->get_array()) {
    UpgradeChange change;
    change.file = text(one, "file");
    change.raise = {text(one, "ecosystem"), text(one, "name"), text(one, "from"), text(one, "to")};
    const auto* breaking = find_path(one, "breaking");
    change.breaking = breaking != nullptr && breaking->is_bool() && breaking->get_bool();
    if (const auto* ids = find_path(one, "ids"); ids != nullptr && ids->is_array()) {
      for (const auto& id : ids->get_array()) {
        if (id.is_string()) change.ids.emplace_back(std::string_view(id.get_string()));
      }
    }
    group.changes.push_back(std::move(change));
  }
  return group;
}

}  // namespace vigil::entities::codebase
