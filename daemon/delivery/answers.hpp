#pragma once
// What the answer of an HTTP server means for an action. Pure.
#include "daemon/delivery/http_client.hpp"
#include "daemon/delivery/sinks.hpp"

namespace vigil::delivery {

// Of an exchange that ended without an answer.
Outcome outcome_of(const HttpFailure& failure);
// Of an answer that is not 2xx. 408, 425, 429 and 5xx are tried again, when `Retry-After` says so;
// a refusal by GitHub's limits is a 403 with such a header or with no requests left.
Outcome outcome_of(const HttpAnswer& answer, TimePoint now);

}  // namespace vigil::delivery
