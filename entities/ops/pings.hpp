#pragma once
// Jobs that must report: a ping of each run, and what its absence means. An event is a ping when
// its type ends in `.ping` or `.ping.*`: `data.check` (else the subject) names the check, and
// `data.state` is ok (when not said), start, fail or log, or `data.exit` the exit code; `data.rid`
// tells overlapping runs apart, `data.message` and `data.body` are what the job said. Pure; any
// thread.
#include <optional>
#include <string>

#include "config/ops.hpp"
#include "core/event.hpp"
#include "entities/ops/alert.hpp"

namespace vigil::entities::ops {

struct Ping {
  std::string id;
  enum class Kind { ok, start, fail, log } kind = Kind::ok;
  std::string run;   // which one, where the job says so
  std::string said;  // one line: exit code, message, else the last of the body
  std::string body;  // all of it, as far as it was kept
};
// Nothing when the event is no ping.
std::optional<Ping> read_ping(const Event& event);
const config::OpsCheck* find_check(const config::Ops& settings, std::string_view id);

// What a check says as an alert, so that it lives as any other.
Alert alert_of(const config::OpsCheck& check, Status status, std::string summary);

}  // namespace vigil::entities::ops
