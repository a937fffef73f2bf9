#pragma once
// A review by a model: what it finds on lines the change added, each finding looked at by a second
// question before anybody sees it. The plan's part is pure; the analysers run in vigil-task.
#include "entities/analyser.hpp"
#include "entities/codebase/finding.hpp"
#include "entities/codebase/review_plan.hpp"

namespace vigil::entities::codebase {

constexpr std::string_view model_task = "model";  // the one whose result is like an analyser's

bool asks_a_model(const ReviewSetup& setup);
// Adds the tasks, all of them optional: lines, question, lines it may speak of, second questions,
// verdict.
void add_model_review(const ReviewSetup& setup, swarm::Plan& plan);

// codebase.model_lines: the added lines as text, each with its place; input: bytes_max.
Result<json::value> run_model_lines(const Request& request);
// codebase.model_keep: of inputs.model_find what speaks of added lines, most severe first; input:
// findings_max.
Result<json::value> run_model_keep(const Request& request);
// codebase.model_judge: of inputs.model_keep what inputs.model_verify let stand; input: sure.
Result<json::value> run_model_judge(const Request& request);

}  // namespace vigil::entities::codebase
