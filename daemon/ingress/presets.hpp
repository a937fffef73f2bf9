#pragma once
// What a webhook is about, as each sender writes it: delivery id, event type, subject. Reads
// leniently: a field that is not there leaves its part out, an unknown type is a type like any
// other. Pure; any thread.
#include <optional>
#include <string>

#include "config/settings.hpp"
#include "core/json.hpp"
#include "daemon/ingress/http_server.hpp"

namespace vigil::ingress {

struct Described {
  std::string uid;  // the sender's delivery id; empty: it has none
  bool signed_id =
      true;  // false: the signature covers the body alone, so a replay may choose the id
  std::string type;
  std::string subject;
  // The uid says how things stand, not which message said so: it may come back later.
  bool names_state = false;
  std::optional<TimePoint> time;  // when it happened, as the sender says
};

Described describe(const std::string& source, const config::Webhook& settings,
                   const Request& request, const json::value& data);

// The headers that are kept with the event: never signatures, credentials or cookies.
std::vector<std::pair<std::string, std::string>> kept_headers(const Request& request);

}  // namespace vigil::ingress
