#pragma once
// Was this request made by who holds the secret? Over the raw bytes, before anything is parsed; in
// constant time; every active secret is tried. Formats: docs.github.com "Validating webhook
// deliveries", docs.gitlab.com "Webhooks", docs.gitea.com "Webhooks", api.slack.com "Verifying
// requests", docs.stripe.com "Verify webhook signatures", standardwebhooks.com, PagerDuty V3
// "Verifying signatures". Pure; any thread.
#include <span>

#include "config/secret.hpp"
#include "config/settings.hpp"
#include "daemon/ingress/http_server.hpp"

namespace vigil::ingress {

// Can it be a secret of that scheme at all? Asked when it is read: a bad copy is noticed before the
// first sender is turned away. The message does not hold it.
Result<void> check_secret(config::Scheme scheme, const config::Secret& secret);

// An error is ErrorCode::unauthorized with what to check; it never holds a part of a secret or of
// what was expected. `path_rest` is what follows /hooks/<source>, without a leading slash.
Result<void> verify(const config::Webhook& source, std::span<const config::Secret> secrets,
                    const Request& request, std::string_view path_rest, TimePoint now);

// The MAC over the body that a proven request carries, in one spelling; empty where its scheme has
// none. Who has no secret cannot make a second one for the same body: it stands for the body.
std::string body_mac_of(const config::Webhook& source, const Request& request);

}  // namespace vigil::ingress
