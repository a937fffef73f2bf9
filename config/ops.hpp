#pragma once
// What [entity.NAME.ops] can say: how alerts become incidents, who is told, what is looked at and
// what may be done about it. Values only; config/schema_ops.hpp names the keys, entities/ops reads
// the matchers, which are written as Alertmanager writes them: alertname="Disk", service=~"api.*".
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/watches.hpp"
#include "core/time.hpp"

namespace vigil::config {

struct OpsCommand {  // [[entity.NAME.ops.evidence]]
  std::string name;
  std::vector<std::string> argv;  // {unit} {since} {until} {label:NAME} in all but the first
  std::vector<std::string> match;
  std::vector<std::string> read_paths;
  Duration timeout = std::chrono::seconds{10};
  std::string sandbox = "strict";
};

struct OpsRunbook {  // [[entity.NAME.ops.runbook]]
  std::string name;
  std::vector<std::string> match;
  std::vector<std::string> arguments;  // labels whose values it is given
  std::string argument_pattern = "[A-Za-z0-9][A-Za-z0-9_.@:-]{0,99}";
  std::vector<std::string> check;  // argv; another exit code than 0: not the time to act
  std::string sink;                // acts: a command sink
  Duration verify_after = std::chrono::seconds{30};
  std::vector<std::string> verify;  // argv; empty: the alert must have resolved by then
  std::string rollback_sink;
  int per_hour_max = 3;
  Duration timeout = std::chrono::seconds{30};  // of check and verify
  std::string sandbox = "strict";
};

struct OpsSilence {  // [[entity.NAME.ops.silence]]
  std::vector<std::string> match;
  std::optional<TimePoint> from;
  std::optional<TimePoint> until;
  std::string why;
};

struct OpsInhibit {  // [[entity.NAME.ops.inhibit]]
  std::vector<std::string> source;
  std::vector<std::string> target;
  std::vector<std::string> equal;  // labels that must be the same
};

struct OpsCheck {  // [[entity.NAME.ops.check]]
  std::string id;
  Duration every{0};
  Duration grace = std::chrono::minutes{5};
  Duration run_max{0};  // from /start to the end; 0: any time
  std::string severity = "critical";
};

struct Ops {  // [entity.NAME.ops]
  std::vector<std::string> group_by = {"alertname", "cluster", "namespace", "service", "job"};
  std::string report_sink;
  std::string escalation_sink;
  std::string tell_from = "warning";
  Duration escalate_after = std::chrono::minutes{15};
  int escalations_max = 3;
  Duration remind_every = std::chrono::hours{4};
  Duration settle = std::chrono::minutes{5};
  int flap_changes = 6;
  Duration flap_window = std::chrono::minutes{30};
  bool investigate = true;
  std::vector<std::string> unit_labels = {"unit", "systemd_unit", "name"};
  std::vector<std::string> repositories;
  std::vector<OpsCommand> evidence;
  std::vector<OpsRunbook> runbooks;
  std::vector<OpsSilence> silences;
  std::vector<OpsInhibit> inhibits;
  std::vector<OpsCheck> checks;
  std::vector<OpsWatch> watches;
  std::vector<OpsScale> scales;
};

}  // namespace vigil::config
