#pragma once
// Which case an alert belongs to, what makes two incidents alike, and when a second message says
// nothing new. Pure; any thread.
#include <string>
#include <vector>

#include "entities/ops/alert.hpp"

namespace vigil::entities::ops {

// The labels of the group that `group_by` names; where there are none, the sender's own group. It
// is the same for every message of a group, whichever of its alerts are in it.
std::string case_of(const Delivery& delivery, const std::vector<std::string>& group_by);
// For people: the case key without what only tells groups apart.
std::string title_of(const Delivery& delivery, const std::vector<std::string>& group_by);

// The same for the same group with the same alerts in the same states, in whatever order.
std::string state_digest(const Delivery& delivery);

// The same for incidents of one nature, wherever they happen: the name and which labels there are.
std::string nature_of(const Alert& alert);

// Labels that all of them share.
Labels shared_labels(const std::vector<Alert>& alerts);

}  // namespace vigil::entities::ops
