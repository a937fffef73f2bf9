#pragma once
// Alerts out of what monitoring systems post: Alertmanager (webhook version 4), Grafana, PagerDuty
// (v3), Sentry, CloudWatch through SNS, OpsGenie, and any JSON that names a status. Told apart by
// their form, as one source may pass on several. Lenient: only what is used is required. Pure.
#include "core/event.hpp"
#include "entities/ops/alert.hpp"

namespace vigil::entities::ops {

// Fails with why it is no alert, one clause.
Result<Delivery> read_alerts(const Event& event);

// The forms by themselves; `data` is known to have the form.
Result<Delivery> read_prometheus(const json::value& data);
Result<Delivery> read_pagerduty(const json::value& data);
Result<Delivery> read_sentry(const json::value& data);
Result<Delivery> read_cloudwatch(const json::value& message);
Result<Delivery> read_opsgenie(const json::value& data);
Result<Delivery> read_generic(const json::value& data, std::string_view source);

// ---- for the readers
std::string text_at(const json::value& data, std::string_view path, std::size_t bytes_max);
// The first of the paths that holds a text or number that is not empty.
std::string first_text(const json::value& data, std::initializer_list<std::string_view> paths,
                       std::size_t bytes_max);
// RFC 3339, also with the zone written +0000; the year 1 is no time.
std::optional<TimePoint> time_at(const json::value& data, std::string_view path);
void add_label(Labels& labels, std::string_view name, std::string_view value);
Labels labels_at(const json::value& data, std::string_view path);
void add_link(Alert& alert, std::string_view link);
// Of alerts whose sender gives none: sixteen hex digits over its parts.
std::string digest_of(std::initializer_list<std::string_view> parts);

}  // namespace vigil::entities::ops
