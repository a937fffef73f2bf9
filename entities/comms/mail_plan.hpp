#pragma once
// Sorting a mail: its class is asked for, then the rules apply. Private to this folder; pure.
#include "entities/comms/course.hpp"

namespace vigil::entities::comms {

// Applies the rules at once, or first asks triage, and does it when the answer is there.
void sort_mail(Course& course, const json::value& data);
// The user put it where mail of that class is.
std::string learn_class(Course& course, const json::value& data, const std::string& of_class);

}  // namespace vigil::entities::comms
