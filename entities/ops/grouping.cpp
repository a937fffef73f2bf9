#include "entities/ops/grouping.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "entities/case_key.hpp"
#include "entities/ops/sources.hpp"

namespace vigil::entities::ops {
namespace {

Labels chosen(const Delivery& delivery, const std::vector<std::string>& group_by) {
  Labels out;
  for (const auto& name : group_by) {
    const auto found = delivery.group_labels.find(name);
    if (found != delivery.group_labels.end() && !found->second.empty()) out.insert(*found);
  }
  return out;
}

}  // namespace

std::string case_of(const Delivery& delivery, const std::vector<std::string>& group_by) {
  if (!delivery.own_case.empty()) return case_key_of(delivery.own_case);
  const auto labels = chosen(delivery, group_by);
  if (!labels.empty()) return case_key_of("alert:" + to_text(labels));
  return case_key_of(fmt::format("group:{}/{}", delivery.source, digest_of({delivery.group})));
}

std::string title_of(const Delivery& delivery, const std::vector<std::string>& group_by) {
  const auto labels = chosen(delivery, group_by);
  if (delivery.own_case.empty() && !labels.empty()) {
    std::string out;
    if (const auto name = labels.find("alertname"); name != labels.end()) out = name->second;
    for (const auto& [name, value] : labels) {
      if (name == "alertname") continue;
      out += fmt::format("{}{}={}", out.empty() ? "" : " ", name, value);
    }
    return plain(out, 200);
  }
  return delivery.alerts.empty() ? delivery.source : plain(delivery.alerts.front().name, 200);
}

std::string state_digest(const Delivery& delivery) {
  std::vector<std::string> states;
  for (const auto& alert : delivery.alerts) {
    states.push_back(fmt::format("{}={}", alert.fingerprint, to_text(alert.status)));
  }
  std::ranges::sort(states);
  return digest_of({delivery.group, fmt::format("{}", fmt::join(states, "\n")),
                    std::to_string(delivery.truncated)});
}

std::string nature_of(const Alert& alert) {
  std::string names;
  for (const auto& [name, value] : alert.labels) names += name + ",";
  return digest_of({alert.name, names});
}

Labels shared_labels(const std::vector<Alert>& alerts) {
  if (alerts.empty()) return {};
  Labels out = alerts.front().labels;
  for (const auto& alert : alerts) {
    std::erase_if(out, [&](const auto& label) {
      const auto found = alert.labels.find(label.first);
      return found == alert.labels.end() || found->second != label.second;
    });
  }
  return out;
}

}  // namespace vigil::entities::ops
