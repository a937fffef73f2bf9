#include "entities/ops/subscriptions.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "entities/ops/sources.hpp"

namespace vigil::entities::ops {

bool is_subscription(const Event& event) {
  return find_text(event.data, "Type") == "SubscriptionConfirmation" &&
         find_text(event.data, "SubscribeURL").value_or("").starts_with("https://sns.");
}

Decision decide_on_subscriptions(const std::string& report_sink, const Wake& wake) {
  Decision decision;
  decision.rule = "subscription";
  decision.verdict = Verdict::ignored;
  decision.why = "nothing follows from it";
  const auto* events = std::get_if<EventsArrived>(&wake.because);
  if (events == nullptr) return decision;
  for (const auto& event : events->events) {
    const auto topic = plain(event->subject, 200);
    const auto link = text_at(event->data, "SubscribeURL", 1000);
    decision.verdict = Verdict::noted;
    decision.why = fmt::format("{} asks whether it may send", topic);
    if (report_sink.empty()) continue;
    Action action;
    action.sink = report_sink;
    action.sticky_key = "subscription:" + topic;
    action.payload = {
        {"topic", topic},
        {"link", link},
        {"text", fmt::format("{} asks whether it may send alarms here. If so, open {} within three "
                             "days; `confirm = true` in the source answers by itself",
                             topic, link)}};
    decision.actions.push_back(std::move(action));
    decision.verdict = Verdict::acted;
  }
  return decision;
}

}  // namespace vigil::entities::ops
