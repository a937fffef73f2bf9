#pragma once
// Where the daemon's own requests may go, and what is asked for again at GitHub. Plain values;
// settings.hpp holds them.
#include <optional>
#include <string>
#include <vector>

#include "config/secret.hpp"
#include "core/time.hpp"

namespace vigil::config {

using namespace std::chrono_literals;

// Public addresses may always be reached. Any other only when it stands here, or literally in the
// address of the source or sink itself.
struct Outgoing {                  // [outgoing]
  std::vector<std::string> allow;  // "10.0.0.0/8", "host", "*.lan", "host:443", "[fd00::1]:443"
  bool operator==(const Outgoing&) const = default;
};

// Deliveries of a GitHub webhook that did not arrive are asked for again.
struct Redelivery {                // [source.NAME.redelivery]
  std::vector<std::string> hooks;  // "repos/OWNER/REPO/hooks/ID", "orgs/ORG/hooks/ID", "app/hook"
  std::string base_url = "https://api.github.com";
  std::optional<SecretRef> token;  // read anew at each look
  std::string app_id;              // of a GitHub App, with its private key: for app/hook
  std::optional<SecretRef> private_key;
  Duration every = 15min;
  Duration within = 72h;  // GitHub keeps deliveries for three days
  int attempts_max = 5;   // of one delivery, the first one included
  Duration timeout = 20s;
};

}  // namespace vigil::config
