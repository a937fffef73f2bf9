#pragma once
// How a watch goes on: it looks when its timer is due, and what it finds becomes the alerts of its
// case, which is watch:NAME and lives as any other. Pure.
#include "entities/ops/incident_course.hpp"

namespace vigil::entities::ops {

constexpr std::string_view watch_prefix = "watch:";  // of the key of such a case

bool is_watch_case(std::string_view case_key);
// The cases that are there whether or not something happened: one for each watch.
std::vector<std::string> watch_cases(const OpsSetup& setup);
// Nullptr: it was taken out of the configuration.
const Watch* watch_of(const OpsSetup& setup, std::string_view case_key);

bool is_watch_timer(std::string_view timer);  // "look", and settings_timer
void on_watch_timer(Course& course, const TimerDue& due);
// The name of the rule.
std::string on_look(Course& course, const swarm::Report& report);
void on_scale_settled(Course& course, const ActionSettled& settled);
// Every decision about the case keeps what the watch remembers.
void keep_watch(const Course& course, json::object& state);

}  // namespace vigil::entities::ops
