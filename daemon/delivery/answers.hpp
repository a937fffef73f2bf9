#pragma once
// What the answer of an HTTP server means for an action. Pure.
#include "daemon/delivery/sinks.hpp"
#include "daemon/http/client.hpp"

namespace vigil::delivery {

// Of an exchange that ended without an answer.
Outcome outcome_of(const http::Failure& failure);
// Of an answer that is not 2xx.
Outcome outcome_of(const http::Answer& answer, TimePoint now);

}  // namespace vigil::delivery
