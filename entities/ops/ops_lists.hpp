#pragma once
// What the guardian keeps beside its incidents, each in a case of its own: silences, and checks
// that never reported. Pure.
#include "config/ops.hpp"
#include "entities/guardian.hpp"

namespace vigil::entities::ops {

// Only who may write to the admin door, or to a source that is trusted, gives commands.
bool is_command(const Event& event);

Decision decide_on_silences(const Wake& wake, const Recollection& memory);
Decision decide_on_checks(const config::Ops& settings, const Wake& wake,
                          const Recollection& memory);

}  // namespace vigil::entities::ops
