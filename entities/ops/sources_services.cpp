// Services that post one alert at a time: PagerDuty, Sentry, CloudWatch, OpsGenie; and any JSON
// that says what is wrong.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/ops/sources.hpp"

namespace vigil::entities::ops {
namespace {

Delivery one(Alert alert, std::string group) {
  Delivery out;
  out.source = alert.source;
  out.group = std::move(group);
  out.own_case = alert.source + "/" + out.group;
  alert.labels.try_emplace("alertname", alert.name);
  out.alerts.push_back(std::move(alert));
  return out;
}

std::string dimension_text(const json::value& trigger, std::size_t at) {
  const auto base = fmt::format("Dimensions.{}.", at);
  return text_at(trigger, base + "value", label_value_bytes_max);
}

void add_dimensions(Labels& labels, const json::value& trigger) {
  const auto* dimensions = find_path(trigger, "Dimensions");
  if (dimensions == nullptr || !dimensions->is_array()) return;
  for (std::size_t at = 0; at < dimensions->get_array().size() && at < 30; ++at) {
    const auto name = text_at(trigger, fmt::format("Dimensions.{}.name", at), 100);
    add_label(labels, name, dimension_text(trigger, at));
  }
}

// A metric-math alarm has a list of metrics and expressions where others have one metric.
std::string metric_of(const json::value& message) {
  auto metric = text_at(message, "Trigger.MetricName", 100);
  const auto* metrics = find_path(message, "Trigger.Metrics");
  if (!metric.empty() || metrics == nullptr || !metrics->is_array()) return metric;
  for (const auto& entry : metrics->get_array()) {
    const auto name =
        first_text(entry, {"Expression", "MetricStat.Metric.MetricName", "Label"}, 100);
    if (name.empty() || metric.size() > 200) continue;
    metric += (metric.empty() ? "" : "; ") + name;
  }
  return metric;
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace

Result<Delivery> read_pagerduty(const json::value& data) {
  const auto type = text_at(data, "event.event_type", 100);
  // Notes, responders and workflows speak of an incident that they carry inside.
  const auto* incident = find_path(data, "event.data.incident");
  if (incident == nullptr) incident = find_path(data, "event.data");
  const auto id = text_at(*incident, "id", 100);
  if (id.empty())
    return fail(ErrorCode::invalid_input, "an event of PagerDuty without an incident");
  if (!type.starts_with("incident.")) {
    return fail(ErrorCode::invalid_input, "an event of PagerDuty that is about no incident");
  }
  Alert alert;
  alert.source = "pagerduty";
  alert.fingerprint = id;
  const auto status = text_at(*incident, "status", 40);
  if (status == "resolved" || type == "incident.resolved") {
    alert.status = Status::resolved;
  } else if (status == "acknowledged" || type == "incident.acknowledged") {
    alert.status = Status::acknowledged;
  }
  if (type == "incident.unacknowledged") alert.status = Status::firing;
  const auto said = first_text(*incident, {"priority.summary", "urgency"}, 40);
  alert.severity = severity_from(said);
  alert.name = first_text(*incident, {"title", "summary"}, 200);
  if (alert.name.empty()) alert.name = "incident " + id;
  alert.summary = alert.name;
  add_label(alert.labels, "service", text_at(*incident, "service.summary", 200));
  add_label(alert.labels, "incident", id);
  alert.starts = time_at(*incident, "created_at");
  if (!alert.starts) alert.starts = time_at(data, "event.occurred_at");
  if (alert.status == Status::resolved) alert.ends = time_at(data, "event.occurred_at");
  if (const auto link = find_text(*incident, "html_url")) add_link(alert, *link);
  auto out = one(std::move(alert), id);
  out.who = text_at(data, "event.agent.summary", 100);
  return out;
}

Result<Delivery> read_sentry(const json::value& data) {
  Alert alert;
  alert.source = "sentry";
  const auto action = text_at(data, "action", 40);
  if (is_one_of(action, {"resolved", "ignored", "archived", "ok"})) {
    alert.status = Status::resolved;
  } else if (!is_one_of(action, {"triggered", "created", "critical", "warning", "unresolved"})) {
    return fail(ErrorCode::invalid_input,
                "Sentry says " + plain(action, 40) + ", which is no alert");
  }
  const auto id = first_text(
      data, {"data.issue.id", "data.event.issue_id", "data.metric_alert.id", "data.event.event_id"},
      100);
  if (id.empty()) return fail(ErrorCode::invalid_input, "a hook of Sentry without an issue");
  alert.fingerprint = id;
  alert.name = first_text(data,
                          {"data.issue.title", "data.event.title", "data.metric_alert.title",
                           "data.description_title", "data.triggered_rule"},
                          200);
  if (alert.name.empty()) alert.name = "issue " + id;
  alert.summary =
      first_text(data, {"data.event.culprit", "data.issue.culprit", "data.description_text"}, 300);
  auto level = first_text(data, {"data.issue.level", "data.event.level"}, 40);
  if (level.empty()) level = action;
  alert.severity = severity_from(level);
  const auto project = first_text(
      data, {"data.issue.project.slug", "data.event.project_name", "data.event.project"}, 100);
  add_label(alert.labels, "service", project);
  for (const auto* path :
       {"data.issue.firstSeen", "data.event.datetime", "data.metric_alert.date_started"}) {
    if (!alert.starts) alert.starts = time_at(data, path);
  }
  for (const auto* path :
       {"data.issue.web_url", "data.event.web_url", "data.issue.permalink", "data.web_url"}) {
    if (const auto link = find_text(data, path)) add_link(alert, *link);
  }
  auto out = one(std::move(alert), id);
  out.who = text_at(data, "actor.name", 100);
  return out;
}

Result<Delivery> read_cloudwatch(const json::value& message) {
  Alert alert;
  alert.source = "cloudwatch";
  alert.name = text_at(message, "AlarmName", 200);
  if (alert.name.empty()) return fail(ErrorCode::invalid_input, "an alarm without a name");
  const auto state = text_at(message, "NewStateValue", 40);
  if (state == "OK") {
    alert.status = Status::resolved;
  } else if (state != "ALARM") {
    return fail(ErrorCode::invalid_input,
                "the state of the alarm is " + (state.empty() ? "not said" : state));
  }
  auto id = text_at(message, "AlarmArn", 300);
  if (id.empty()) {
    id = fmt::format("{}:{}:{}", text_at(message, "AWSAccountId", 40),
                     text_at(message, "Region", 40), alert.name);
  }
  alert.fingerprint = digest_of({id});
  alert.summary = first_text(message, {"NewStateReason", "AlarmDescription"}, summary_bytes_max);
  add_label(alert.labels, "region", text_at(message, "Region", 60));
  add_label(alert.labels, "account", text_at(message, "AWSAccountId", 40));
  add_label(alert.labels, "namespace", text_at(message, "Trigger.Namespace", 100));
  add_label(alert.labels, "metric", metric_of(message));
  if (const auto* trigger = find_path(message, "Trigger")) add_dimensions(alert.labels, *trigger);
  alert.starts = time_at(message, "StateChangeTime");
  if (alert.status == Status::resolved) {
    alert.ends = alert.starts;
    alert.starts = std::nullopt;
  }
  return one(std::move(alert), std::move(id));
}

Result<Delivery> read_opsgenie(const json::value& data) {
  const auto action = lower(text_at(data, "action", 40));
  Alert alert;
  alert.source = "opsgenie";
  if (is_one_of(action, {"close", "delete", "resolve"})) {
    alert.status = Status::resolved;
  } else if (action == "acknowledge") {
    alert.status = Status::acknowledged;
  } else if (!is_one_of(action, {"create", "unacknowledge", "escalate", "reopen"})) {
    return fail(ErrorCode::invalid_input, "OpsGenie says " + action + ", which changes nothing");
  }
  const auto id = first_text(data, {"alert.alias", "alert.alertId"}, 300);
  alert.fingerprint = id;
  alert.name = first_text(data, {"alert.message"}, 200);
  if (alert.name.empty()) alert.name = "alert " + id;
  alert.summary = first_text(data, {"alert.description", "alert.message"}, summary_bytes_max);
  alert.severity = severity_from(text_at(data, "alert.priority", 20));
  alert.labels = labels_at(data, "alert.details");
  add_label(alert.labels, "service", text_at(data, "alert.entity", 200));
  auto out = one(std::move(alert), id);
  out.who = first_text(data, {"alert.username", "source.name"}, 100);
  return out;
}

Result<Delivery> read_generic(const json::value& data, std::string_view source) {
  const auto said = lower(first_text(data, {"status", "state", "alert_status"}, 40));
  Alert alert;
  alert.source = plain(source, 64);
  if (is_one_of(said,
                {"resolved", "ok", "up", "recovered", "closed", "normal", "healthy", "success"})) {
    alert.status = Status::resolved;
  } else if (is_one_of(said, {"acknowledged", "acked", "ack"})) {
    alert.status = Status::acknowledged;
  } else if (!is_one_of(said,
                        {"firing", "alerting", "alarm", "down", "triggered", "open", "problem",
                         "critical", "warning", "error", "failed", "fail", "unhealthy"})) {
    return fail(ErrorCode::invalid_input,
                "it is no alert: its form is not known, and it has no "
                "`status` such as firing or resolved");
  }
  alert.name = first_text(data,
                          {"name", "alertname", "title", "check", "monitor.name", "rule",
                           "labels.alertname", "subject"},
                          200);
  if (alert.name.empty()) {
    return fail(ErrorCode::invalid_input, "it is no alert: it has a status and no name");
  }
  alert.labels = labels_at(data, "labels");
  for (const auto* label : {"host", "service", "instance", "cluster", "namespace", "job", "unit"}) {
    if (const auto text = text_at(data, label, 300); !text.empty()) {
      add_label(alert.labels, label, text);
    }
  }
  const auto level = first_text(data, {"severity", "level", "priority", "labels.severity"}, 40);
  alert.severity = severity_from(level.empty() ? said : level);
  alert.summary =
      first_text(data, {"summary", "message", "description", "text"}, summary_bytes_max);
  alert.value = text_at(data, "value", 100);
  alert.starts = time_at(data, "starts");
  if (!alert.starts) alert.starts = time_at(data, "startsAt");
  alert.ends = time_at(data, "ends");
  for (const auto* path : {"url", "link", "runbook_url"}) {
    if (const auto link = find_text(data, path)) add_link(alert, *link);
  }
  alert.fingerprint = first_text(data, {"fingerprint", "id", "dedup_key", "incident_key"}, 200);
  if (alert.fingerprint.empty()) alert.fingerprint = digest_of({alert.name, to_text(alert.labels)});
  alert.labels.try_emplace("alertname", alert.name);
  Delivery out;
  out.source = alert.source;
  out.group_labels = alert.labels;  // one alert: all of its labels are the group's
  out.group = alert.fingerprint;
  out.alerts.push_back(std::move(alert));
  return out;
}

}  // namespace vigil::entities::ops
