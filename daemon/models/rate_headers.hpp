#pragma once
// What an API says about its limits. Pure; any thread. Sources:
// https://platform.openai.com/docs/guides/rate-limits (x-ratelimit-remaining-requests,
// x-ratelimit-reset-requests: "1s", "6m0s", and the same of tokens) and
// https://docs.anthropic.com/en/api/rate-limits (anthropic-ratelimit-requests-remaining,
// anthropic-ratelimit-requests-reset: RFC 3339).
#include <optional>

#include "core/time.hpp"
#include "daemon/http/client.hpp"

namespace vigil::models {

struct RateLimits {
  std::optional<TimePoint> closed_until;  // nothing is left until then
};
RateLimits rate_limits_of(const http::Answer& answer, TimePoint now);

}  // namespace vigil::models
