#pragma once
// The API's answers as pages for a person. Pure: JSON in, text out. An empty list says what to do
// next.
#include <string>

#include "core/json.hpp"
#include "ctl/picture.hpp"
#include "ctl/render.hpp"

namespace vigil::ctl {

// pages_status.cpp
std::string status_page(const json::value& answer, const Style& style);
std::string top_page(const json::value& status, const json::value& swarms,
                     const json::value& decisions, const Style& style);
std::string entities_page(const json::value& answer, const Style& style);
std::string entity_page(const json::value& answer, const Style& style);
std::string budget_page(const json::value& answer, const Style& style);

// pages_events.cpp
std::string events_page(const json::value& answer, const Style& style);
std::string event_page(const json::value& answer, const Style& style);
std::string explain_page(const json::value& answer, const Style& style);
std::string news_line(const json::value& item, const Style& style);  // of the tail, with line end

// pages_work.cpp
std::string cases_page(const json::value& answer, const Style& style);
std::string case_page(const json::value& answer, const Style& style);
std::string decisions_page(const json::value& answer, const Style& style);
std::string actions_page(const json::value& answer, const Style& style);
std::string action_page(const json::value& answer, const Style& style);

// pages_swarms.cpp
std::string swarms_page(const json::value& answer, const Style& style);
std::string swarm_page(const json::value& answer, const Style& style);
std::string swarm_chart_page(const json::value& answer, const Style& style, Fold fold);
std::string swarm_end_page(const json::value& swarm, const Style& style);  // its report's text

// pages_rest.cpp
std::string trend_page(const json::value& answer, const Style& style);
// What the tasks answered, cut to the terminal; `nothing` folded: every line of every task.
std::string results_page(const json::value& swarm, const Style& style, Fold fold);
std::string timers_page(const json::value& answer, const Style& style);
std::string next_page(const json::value& answer, const Style& style);
std::string dead_page(const json::value& answer, const Style& style);
std::string audit_page(const json::value& answer, const Style& style);
std::string found_page(const json::value& answer, const Style& style);
std::string memory_page(const json::value& answer, const Style& style);
std::string documents_page(const json::value& answer, const Style& style);
std::string check_page(const json::value& answer, const Style& style);
std::string diff_page(const json::value& answer, const Style& style);

// "entity/case" as one cell.
std::string place_of(const json::value& row);
// "one task", "5 tasks".
std::string count_text(std::int64_t count, std::string_view noun);

}  // namespace vigil::ctl
