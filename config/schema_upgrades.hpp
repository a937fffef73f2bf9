#pragma once
// Every key of [entity.NAME.codebase.upgrades]. See schema.hpp.
#include "config/schema.hpp"

namespace vigil::config {

inline constexpr std::array<std::string_view, 3> upgrade_groups{"family", "ecosystem", "advisory"};
inline constexpr std::array<std::string_view, 5> flaw_severities{"info", "low", "medium", "high",
                                                                 "critical"};
inline constexpr std::array<std::string_view, 2> upgrade_sandboxes{"strict", "net"};

template <class Visitor>
void describe(Visitor& v, UpgradeCommand& of) {
  v.value(Spec{.name = "ecosystem",
               .meaning = "lock format or ecosystem it writes: npm, cargo, PyPI...",
               .presence = Presence::required},
          of.ecosystem);
  v.value(Spec{.name = "argv",
               .meaning = "writes the lock file; may hold {package}, {version} and {from}",
               .presence = Presence::required,
               .form = Form::argv,
               .least = 1},
          of.argv);
}

template <class Visitor>
void describe(Visitor& v, Upgrades& of) {
  v.value(Spec{.name = "group",
               .meaning = "one proposal for packages of one family, ecosystem or advisory",
               .choices = upgrade_groups},
          of.group);
  v.value(Spec{.name = "severity",
               .meaning = "less severe flaws are worth no proposal",
               .choices = flaw_severities},
          of.severity);
  v.value(Spec{.name = "per_hour", .meaning = "proposals made in an hour", .least = 1},
          of.per_hour);
  v.value(Spec{.name = "open_max", .meaning = "proposals open at once", .least = 1}, of.open_max);
  v.value(Spec{.name = "author", .meaning = "of the commits: \"Name <mail>\""}, of.author);
  v.value(Spec{.name = "versions",
               .meaning = "JSON of the versions that exist; empty: those that advisories name",
               .form = Form::path},
          of.versions);
  v.value(Spec{.name = "push_sink",
               .meaning = "sink that pushes the branch; empty: it stays in the clone",
               .form = Form::name},
          of.push_sink);
  v.value(Spec{.name = "pull_sink",
               .meaning = "sink that opens a draft pull request for what was pushed",
               .form = Form::name},
          of.pull_sink);
  v.value(Spec{.name = "forge_repository", .meaning = "where that is opened: \"owner/name\""},
          of.forge_repository);
  v.value(Spec{.name = "sandbox",
               .meaning = "of the commands: net lets them reach the network",
               .choices = upgrade_sandboxes},
          of.sandbox);
  v.value(Spec{.name = "read_paths",
               .meaning = "what the commands may read: a toolchain, a cache of packages",
               .form = Form::path},
          of.read_paths);
  v.value(Spec{.name = "timeout", .meaning = "for the edits and the commands", .least = in_us(1s)},
          of.timeout);
  v.tables(Spec{.name = "command", .meaning = "writes lock files that only their tool can write"},
           of.commands);
}

}  // namespace vigil::config
