#include "entities/ops/sources.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/digest.hpp"

namespace vigil::entities::ops {
namespace {

bool has(const json::value& data, std::string_view path) {
  return find_path(data, path) != nullptr;
}

// SNS wraps the alarm as JSON in a JSON text, bare or in a list of records.
const json::value* sns_envelope(const json::value& data) {
  if (has(data, "Message") && (has(data, "TopicArn") || has(data, "MessageId"))) return &data;
  return find_path(data, "Records.0.Sns");
}

Result<Delivery> read_sns(const json::value& envelope) {
  const auto text = find_text(envelope, "Message");
  if (!text) return fail(ErrorCode::invalid_input, "a message of SNS without a text");
  const auto message = parse_json(*text);
  if (!message || !has(*message, "AlarmName")) {
    return fail(ErrorCode::invalid_input, "a message of SNS that is no alarm");
  }
  return read_cloudwatch(*message);
}

bool is_time_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

Result<Delivery> read_alerts(const Event& event) {
  const auto& data = event.data;
  if (!data.is_object()) return fail(ErrorCode::invalid_input, "it is no JSON object");
  if (const auto* alerts = find_path(data, "alerts"); alerts != nullptr && alerts->is_array()) {
    return read_prometheus(data);
  }
  if (has(data, "event.event_type") && has(data, "event.data")) return read_pagerduty(data);
  if (const auto* envelope = sns_envelope(data)) return read_sns(*envelope);
  if (has(data, "AlarmName")) return read_cloudwatch(data);
  if (has(data, "alert.alertId") && has(data, "action")) return read_opsgenie(data);
  const bool sentry = has(data, "data.event") || has(data, "data.issue") ||
                      has(data, "data.metric_alert") || has(data, "data.description_title");
  if (sentry && has(data, "action")) return read_sentry(data);
  return read_generic(data, event.source);
}

std::string text_at(const json::value& data, std::string_view path, std::size_t bytes_max) {
  return plain(find_scalar_text(data, path).value_or(""), bytes_max);
}

std::string first_text(const json::value& data, std::initializer_list<std::string_view> paths,
                       std::size_t bytes_max) {
  for (const auto path : paths) {
    if (auto found = text_at(data, path, bytes_max); !found.empty()) return found;
  }
  return {};
}

std::optional<TimePoint> time_at(const json::value& data, std::string_view path) {
  const auto found = find_text(data, path);
  if (!found || found->size() > 64 || found->starts_with("0001-")) return std::nullopt;
  std::string text(*found);
  const auto size = text.size();
  // +0000 as +00:00
  if (size > 5 && (text[size - 5] == '+' || text[size - 5] == '-') &&
      is_time_digit(text[size - 1]) && is_time_digit(text[size - 2]) &&
      is_time_digit(text[size - 3])) {
    text.insert(size - 2, ":");
  }
  const auto parsed = parse_rfc3339(text);
  return parsed ? std::optional(*parsed) : std::nullopt;
}

void add_label(Labels& labels, std::string_view name, std::string_view value) {
  if (name.empty() || labels.size() >= labels_max) return;
  labels[plain(name, label_name_bytes_max)] = plain(value, label_value_bytes_max);
}

Labels labels_at(const json::value& data, std::string_view path) {
  Labels out;
  const auto* found = find_path(data, path);
  if (found == nullptr || !found->is_object()) return out;
  for (const auto& [name, value] : found->get_object()) {
    if (value.is_object() || value.is_array() || value.is_null()) continue;
    add_label(out, name, find_scalar_text(value, "").value_or(""));
  }
  return out;
}

void add_link(Alert& alert, std::string_view link) {
  constexpr std::size_t link_bytes_max = 1000;
  constexpr std::size_t links_max = 8;
  const bool web = link.starts_with("https://") || link.starts_with("http://");
  if (!web || link.size() > link_bytes_max || alert.links.size() >= links_max) return;
  for (const char c : link) {  // nothing that could end it where it is written
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || std::string_view("<>\"'()[]`\\|").contains(c)) return;
  }
  alert.links.emplace_back(link);
}

std::string digest_of(std::initializer_list<std::string_view> parts) {
  std::string whole;
  for (const auto part : parts) {
    whole += part;
    whole += '\0';
  }
  return to_hex(as_bytes(sha256(whole)).substr(0, 8));
}

}  // namespace vigil::entities::ops
