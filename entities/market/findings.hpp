#pragma once
// What a swarm finds out about one alert, task by task, and the report made of it. Pure; runs in
// contained tasks.
#include "entities/analyser.hpp"

namespace vigil::entities::market {

// News near the move, nearest first: before it and, within bounds, after it.
Result<json::value> find_news(const Request& request);
// Whether peers moved with it.
Result<json::value> compare_peers(const Request& request);
// Moves as large in its own past, and what followed them.
Result<json::value> recall_moves(const Request& request);
// The text for people, with links and numbers.
Result<json::value> make_report(const Request& request);

}  // namespace vigil::entities::market
