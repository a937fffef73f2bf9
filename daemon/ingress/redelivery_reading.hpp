#pragma once
// What GitHub says of the deliveries of a webhook, and which of them are asked for again. Pure.
// https://docs.github.com/en/rest/repos/webhooks (deliveries): newest first, several attempts of
// one delivery share its guid, which is what X-GitHub-DeliveryAttempt holds.
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/time.hpp"

namespace vigil::ingress {

struct DeliveryAttempt {
  std::int64_t id = 0;  // of the attempt: what is asked for
  std::string guid;     // of the delivery
  TimePoint at;
  bool answered = false;  // with 2xx
};

// One page of the list. What is no delivery is left out.
Result<std::vector<DeliveryAttempt>> read_deliveries(std::string_view body);

struct Wanted {
  TimePoint since;  // older ones are left alone
  int attempts_max = 0;
  std::function<bool(const std::string& guid)> have;
};

// The newest attempt of each delivery that is not here, oldest first. One that was answered and is
// not here all the same, as after a backup was restored, is asked for once.
std::vector<DeliveryAttempt> missed_of(const std::vector<DeliveryAttempt>& attempts,
                                       const Wanted& wanted);

// The token of a GitHub App for its own requests: a JWT (RFC 7519) that holds for nine minutes.
// https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
Result<std::string> app_token(const std::string& app_id, std::string_view key_pem, TimePoint now);

}  // namespace vigil::ingress
