#pragma once
// An immutable fact from outside, with the attributes of CloudEvents 1.0
// (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md). Shared between threads as
// std::shared_ptr<const Event>; nobody changes one after it was made.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/ids.hpp"
#include "core/json.hpp"
#include "core/time.hpp"

namespace vigil {

// Whether the content may have been written by a stranger (docs/design.md part 6).
enum class Taint { trusted, untrusted };

struct Event {
  EventId id;           // place in the journal
  std::string uid;      // CloudEvents `id`: the sender's delivery id, unique per source
  std::string source;   // name of the source in the configuration
  std::string type;     // dotted: github.pull_request.opened
  std::string subject;  // what it is about, as the source names it: octo/repo#12
  TimePoint time;       // when it happened, as the sender says; else received_at
  TimePoint received_at;
  std::string content_type;
  std::vector<std::pair<std::string, std::string>> headers;  // kept ones, names in lower case
  Taint taint = Taint::untrusted;
  json::value data;  // the payload; null when there was none
};

using EventPtr = std::shared_ptr<const Event>;

// As one JSON object with the CloudEvents names, for process guardians, filters and people.
json::object to_json(const Event& event);

}  // namespace vigil
