#pragma once
// What an answer that is not 2xx means. Pure.
#include <optional>
#include <string>

#include "daemon/http/client.hpp"

namespace vigil::http {

struct Refusal {
  std::string text;                 // what the server said and what to do
  bool worth_retrying = false;      // 408, 425, 429, 5xx, and a 403 by GitHub's limits
  std::optional<Duration> not_for;  // as long as the server wants to be left alone
};

// GitHub refuses by its limits with a 403 that has `Retry-After` or no requests left.
Refusal refusal_of(const Answer& answer, TimePoint now);

}  // namespace vigil::http
