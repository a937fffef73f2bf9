#pragma once
// What may be done about an incident: check, act, verify, and roll back or call somebody. Checks
// are tasks; what acts is an action, so it waits for a person unless the entity may act. Pure.
#include "entities/guardian.hpp"
#include "entities/ops/evidence.hpp"
#include "entities/ops/silence.hpp"

namespace re2 {
class RE2;
}

namespace vigil::entities::ops {

struct Runbook {
  config::OpsRunbook settings;
  Matchers match;
  std::shared_ptr<const re2::RE2> pattern;
};
Result<Runbook> make_runbook(const config::OpsRunbook& settings);

// What a step came to; `call` is why a person is needed.
struct Step {
  std::string why;  // empty: nothing was done
  std::string call;
};

// Begins the first that fits an incident and has runs left.
Step begin_runbook(const std::vector<Runbook>& all, Incident& incident, TimePoint now,
                   Decision& decision);
// A check or a verification has ended.
Step runbook_report(const std::vector<Runbook>& all, Incident& incident,
                    const swarm::Report& report, TimePoint now, Decision& decision);
// It is time to verify.
Step runbook_verify(const std::vector<Runbook>& all, Incident& incident, TimePoint now,
                    Decision& decision);
// What acts was delivered, or not.
Step runbook_settled(const std::vector<Runbook>& all, Incident& incident,
                     const ActionSettled& settled, TimePoint now, Decision& decision);

// Whether it has acted and is not verified yet: then the incident is not over.
bool is_verifying(const std::vector<Runbook>& all, const Incident& incident);

}  // namespace vigil::entities::ops
