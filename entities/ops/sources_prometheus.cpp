// Alertmanager's webhook, version 4, and Grafana's, which has the same form with more in it.
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/ops/sources.hpp"

namespace vigil::entities::ops {
namespace {

std::string values_text(const json::value& alert) {
  std::string out;
  const auto* values = find_path(alert, "values");
  if (values == nullptr || !values->is_object()) return text_at(alert, "valueString", 200);
  for (const auto& [name, value] : values->get_object()) {
    auto text = find_scalar_text(value, "");
    if (const auto* number = value.if_double()) text = fmt::format("{}", *number);
    if (!text || out.size() > 150) continue;
    out += fmt::format("{}{}={}", out.empty() ? "" : ", ", plain(name, 40), plain(*text, 40));
  }
  return out;
}

std::string name_of(const Labels& labels) {
  for (const auto* name : {"alertname", "rulename", "job", "service"}) {
    if (const auto found = labels.find(name); found != labels.end() && !found->second.empty()) {
      return found->second;
    }
  }
  return "alert";
}

Severity severity_in(const Labels& labels) {
  for (const auto* name : {"severity", "priority", "level"}) {
    if (const auto found = labels.find(name); found != labels.end()) {
      return severity_from(found->second);
    }
  }
  return Severity::warning;
}

Alert read_one(const json::value& from, std::string_view source) {
  Alert alert;
  alert.source = source;
  alert.labels = labels_at(from, "labels");
  alert.name = name_of(alert.labels);
  alert.severity = severity_in(alert.labels);
  alert.status = text_at(from, "status", 20) == "resolved" ? Status::resolved : Status::firing;
  alert.starts = time_at(from, "startsAt");
  alert.ends = alert.status == Status::resolved ? time_at(from, "endsAt") : std::nullopt;
  alert.fingerprint = text_at(from, "fingerprint", 100);
  if (alert.fingerprint.empty()) alert.fingerprint = digest_of({to_text(alert.labels)});
  alert.summary = first_text(from,
                             {"annotations.summary", "annotations.message",
                              "annotations.description", "annotations.title", "annotations.name"},
                             summary_bytes_max);
  alert.value = values_text(from);
  if (alert.value.empty()) alert.value = text_at(from, "annotations.value", 100);
  for (const auto* path : {"annotations.runbook_url", "annotations.dashboard", "generatorURL",
                           "dashboardURL", "panelURL", "silenceURL"}) {
    if (const auto link = find_text(from, path)) add_link(alert, *link);
  }
  return alert;
}

}  // namespace

Result<Delivery> read_prometheus(const json::value& data) {
  Delivery out;
  const bool grafana = find_path(data, "orgId") != nullptr || text_at(data, "version", 8) == "1";
  out.source = grafana ? "grafana" : "alertmanager";
  out.group = find_scalar_text(data, "groupKey").value_or("");
  if (out.group.empty()) out.group = text_at(data, "receiver", 200);
  out.group_labels = labels_at(data, "groupLabels");
  if (const auto missing = find_integer(data, "truncatedAlerts"); missing && *missing > 0) {
    out.truncated = static_cast<std::size_t>(*missing);
  }
  const auto& alerts = find_path(data, "alerts")->get_array();
  for (const auto& one : alerts) {
    if (!one.is_object()) continue;
    if (out.alerts.size() >= alerts_max) {
      ++out.truncated;
      continue;
    }
    out.alerts.push_back(read_one(one, out.source));
  }
  if (out.alerts.empty()) return fail(ErrorCode::invalid_input, "it holds no alerts");
  return out;
}

}  // namespace vigil::entities::ops
