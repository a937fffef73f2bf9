#pragma once
// What is looked at the moment an incident begins, and what of it is worth telling. The commands
// are those of the list here and of the configuration; an event gives at most a word in an
// argument, and only one that looks harmless. Pure; any thread.
#include <string>
#include <vector>

#include "config/ops.hpp"
#include "entities/ops/incident.hpp"
#include "swarm/plan.hpp"
#include "swarm/report.hpp"

namespace vigil::entities::ops {

// The built-in commands with those of the configuration over them.
std::vector<config::OpsCommand> evidence_commands(const config::Ops& settings);

// Nothing when no command fits.
swarm::Plan plan_evidence(const config::Ops& settings, const Incident& incident, TimePoint now,
                          std::string title);

// "E1 journal: ..." for each task, also for those that could not look and why.
struct Bundle {
  std::vector<std::string> lines;  // one for each item
  std::string document;            // all of it, in Markdown
};
Bundle bundle_of(const swarm::Report& report, const std::vector<std::string>& from_memory);

// Each argument with its {placeholders} filled in; nothing when a value is missing or looks like
// anything but a plain name.
using Fillings = std::map<std::string, std::string, std::less<>>;
std::optional<std::vector<std::string>> filled(const std::vector<std::string>& argv,
                                               const Fillings& fillings);
bool is_plain_argument(std::string_view text);

}  // namespace vigil::entities::ops
