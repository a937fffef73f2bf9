#pragma once
// What tokens cost. Pure; any thread.
#include <string_view>

#include "config/minds.hpp"
#include "daemon/models/talk.hpp"

namespace vigil::models {

// In millionths of the unit of money, to the nearest.
std::int64_t money_micros(const Usage& usage, const config::Price& price);

// As a task tells its cost: whole numbers, which are summed over attempts, tasks and days.
json::object cost_of(const Usage& usage, std::int64_t micros);

// Of a text, for limits before anything is sent and for answers that broke off before the API told:
// four bytes a token, and two where it is not ASCII.
std::int64_t estimated_tokens(std::string_view text);

}  // namespace vigil::models
