#pragma once
// Why a price may have moved, as a model reads the news near it: each explanation cites items by
// id, and "unknown" is an answer. It is told as a guess; nothing is done because of it. Pure; any
// thread.
#include <string>

#include "config/minds.hpp"
#include "swarm/plan.hpp"
#include "swarm/report.hpp"

namespace vigil::entities::market {

constexpr std::string_view explanation_task = "explanation";

// Adds the question to the plan of an investigation, if a model may be asked and there are news
// near the move. `subject` and `news` are what market.news is given.
void ask_for_explanation(const config::Advice& advice, const json::object& subject,
                         const json::value& news, swarm::Plan& plan);

// The lines to tell; empty: there is none that cites what is in the `news` of the report.
std::string explanation_of(const swarm::Report& report, const json::value& found);

}  // namespace vigil::entities::market
