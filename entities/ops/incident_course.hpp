#pragma once
// How an incident goes on: it begins, is told, taken on, called about again, settles and ends.
// Pure.
#include "config/minds.hpp"
#include "config/ops.hpp"
#include "entities/guardian.hpp"
#include "entities/ops/incident.hpp"
#include "entities/ops/runbook.hpp"
#include "entities/ops/silence.hpp"
#include "entities/ops/watch.hpp"

namespace vigil::entities::ops {

struct Inhibit {
  Matchers source;
  Matchers target;
  std::vector<std::string> equal;
};

struct OpsSetup {
  config::Ops settings;
  Severity tell_from = Severity::warning;
  std::vector<Silence> silences;
  std::vector<Inhibit> inhibits;
  std::vector<Runbook> runbooks;
  std::vector<Watch> watches;
  std::vector<Scale> scales;
  config::Advice advice = {};
};

// One wake of one incident, while it is decided.
struct Course {
  const OpsSetup& setup;
  const Wake& wake;
  const Recollection& memory;
  Incident incident;
  Decision decision;
  std::vector<std::string> remarks;    // what is new, for the message and the ledger
  std::optional<json::value> watch{};  // what a watch remembers from now on

  void say(std::string remark);  // also into the timeline
};

enum class Tell { if_changed, always };
// Once the alerts are as they are now: phases, timers, evidence, runbooks, escalation, the message.
void follow(Course& course, Tell tell);
void call_somebody(Course& course, std::string_view why);
void tell_again(Course& course);
void close_incident(Course& course);
// Why nobody is told, one clause; empty: they are.
struct Quiet {
  std::string why;
  std::optional<TimePoint> until;  // when to look again
};
Quiet quiet_of(const Course& course);

}  // namespace vigil::entities::ops
