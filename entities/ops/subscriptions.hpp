#pragma once
// A topic of Amazon SNS asks whether it may send alarms: a person is given the link. Pure.
#include "core/event.hpp"
#include "entities/guardian.hpp"

namespace vigil::entities::ops {

bool is_subscription(const Event& event);
Decision decide_on_subscriptions(const std::string& report_sink, const Wake& wake);

}  // namespace vigil::entities::ops
