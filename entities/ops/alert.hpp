#pragma once
// An alert, whoever sent it: one form for all monitoring systems. Everything in it was written
// outside, so it is cut to bounds and made one line where it is read; it is data, and never becomes
// a command. Values; any thread.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "core/time.hpp"

namespace vigil::entities::ops {

enum class Status { firing, resolved, acknowledged };
std::string_view to_text(Status status);

enum class Severity { info, warning, critical };
std::string_view to_text(Severity severity);
// What senders call it: "page", "P1", "error", "high" ...; warning when it says nothing known.
Severity severity_from(std::string_view text);

using Labels = std::map<std::string, std::string, std::less<>>;

struct Alert {
  std::string source;       // alertmanager, grafana, pagerduty, sentry, cloudwatch, ...
  std::string fingerprint;  // who it is; nothing else is: times may change
  Status status = Status::firing;
  Severity severity = Severity::warning;
  std::string name;
  Labels labels;
  std::string summary;
  std::optional<TimePoint> starts;
  std::optional<TimePoint> ends;
  std::vector<std::string> links;  // http or https
  std::string value;               // what was measured, as text
};
json::object to_json(const Alert& alert);

// What came in one message.
struct Delivery {
  std::string source;
  std::string group;     // how the sender names the group; never parsed
  Labels group_labels;   // those that make it one; they do not change while it lives
  std::string own_case;  // of senders whose alerts have a life of their own: pagerduty/PGR0VU2
  std::vector<Alert> alerts;
  std::size_t truncated = 0;  // alerts that the sender left out, or that were beyond our bound
  std::string who;            // acknowledged or resolved it, where it says so
};

constexpr std::size_t alerts_max = 1000;  // of one message
constexpr std::size_t labels_max = 64;
constexpr std::size_t label_name_bytes_max = 100;
constexpr std::size_t label_value_bytes_max = 300;
constexpr std::size_t summary_bytes_max = 500;

// One line of valid UTF-8: control characters become spaces, a long text ends in "...".
std::string plain(std::string_view text, std::size_t bytes_max);
// The same for Markdown: what would be markup or a mention is escaped.
std::string marked(std::string_view text, std::size_t bytes_max = label_value_bytes_max);
// `name="value", ...`
std::string to_text(const Labels& labels);

}  // namespace vigil::entities::ops
