#include "entities/codebase/model_failure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/advice.hpp"
#include "entities/codebase/case_state.hpp"

namespace vigil::entities::codebase {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view failure_title = "why ";
constexpr std::string_view judged_task = "failure";
constexpr std::size_t quotations_max = 3;
constexpr std::string_view prompt =
    "A command of a repository (a build, tests, a linter) failed. input.log is the end of what it "
    "printed, and what its test reports say. Why did it fail? One sentence that names the cause, "
    "and one to three quotations, each a line of the log, copied as it is, that shows it. Guess "
    "nothing that no line shows: if the log does not tell, answer with unknown = true, an empty "
    "cause and no quotations.";
constexpr const char* schema = R"({"type":"object",
 "required":["unknown","cause","quotations","confidence"],"additionalProperties":false,
 "properties":{"unknown":{"type":"boolean"},"cause":{"type":"string","maxLength":400},
 "quotations":{"type":"array","maxItems":3,"items":{"type":"string","maxLength":500}},
 "confidence":{"type":"number","minimum":0,"maximum":1}}})";

// What it printed, then what its reports say of each test that failed.
std::string log_of(const Build& build, const Review& review, std::size_t bytes_max) {
  std::string out = build.output;
  for (const auto& finding : review.findings) {
    if (finding.analyser != "command" || finding.key == build.verdict_key()) continue;
    const bool is_its =
        std::ranges::find(build.failing, finding.key, &FailingTest::key) != build.failing.end();
    if (is_its) out += fmt::format("\n{}", finding.title);
  }
  if (out.size() > bytes_max) out.erase(0, out.size() - bytes_max);
  return to_valid_utf8(out);
}

}  // namespace

std::optional<swarm::Plan> plan_failure_question(const ReviewSetup& setup, const Build& build,
                                                 const Review& review) {
  if (!may_ask(setup.advice, "failure")) return std::nullopt;
  const auto log = log_of(build, review, setup.advice.input_bytes_max);
  if (log.find_first_not_of(" \n\r\t") == std::string::npos) return std::nullopt;
  swarm::Plan plan;
  plan.title =
      fmt::format("{}{} failed at {}", failure_title, build.command, build.commit.substr(0, 9));
  plan.timeout = setup.advice.timeout + 1min;
  plan.tasks.push_back(question(setup.advice, "guess", prompt, schema,
                                json::object{{"command", build.command}, {"log", log}}));
  plan.tasks.push_back(judgement(
      std::string(judged_task), "codebase.model_failure", "guess",
      json::object{{"log", log}, {"key", build.verdict_key()}, {"command", build.command}}));
  return plan;
}

Result<json::value> run_model_failure(const Request& request) {
  const auto* guess = request.inputs.if_contains("guess");
  const auto log = find_text(request.input, "log").value_or("");
  if (guess == nullptr) return fail(ErrorCode::invalid_input, "inputs.guess is missing");
  json::object out{{"key", find_text(request.input, "key").value_or("")},
                   {"command", find_text(request.input, "command").value_or("")}};
  json::array stood;
  std::size_t made_up = 0;
  for (const auto& one : list_at(*guess, "quotations")) {
    const auto text = one.is_string() ? std::string_view(one.get_string()) : std::string_view();
    if (!stands_in(text, log)) {
      ++made_up;
    } else if (stood.size() < quotations_max) {
      stood.emplace_back(one_line(text, 300));
    }
  }
  const auto cause = one_line(find_text(*guess, "cause").value_or(""), 400);
  const bool holds = made_up == 0 && !stood.empty() && !cause.empty() &&
                     !find_bool(*guess, "unknown").value_or(false);
  out["holds"] = holds;
  out["summary"] = holds
                       ? "its quotations stand in the log"
                       : fmt::format("no cause that the log shows; {} quotations made up", made_up);
  if (!holds) return json::value(std::move(out));
  out["cause"] = cause;
  out["quotations"] = std::move(stood);
  out["confidence"] = confidence_in(*guess);
  return json::value(std::move(out));
}

std::optional<Decision> decide_on_failure(const Wake& wake, const Recollection& memory) {
  const auto* ended = std::get_if<SwarmEnded>(&wake.because);
  if (ended == nullptr || !ended->report.title.starts_with(failure_title)) return std::nullopt;
  const auto& tasks = ended->report.tasks;
  Decision decision;
  decision.verdict = Verdict::noted;
  decision.rule = "failure";
  const auto found = std::ranges::find(tasks, judged_task, &swarm::TaskOutcome::name);
  const bool good = found != tasks.end() && found->state == swarm::TaskState::done;
  if (!good || !find_bool(found->result, "holds").value_or(false)) {
    decision.why = good
                       ? fmt::format("a model does not know {}", one_line(ended->report.title, 200))
                       : "no model said why the build is red";
    return decision;
  }
  const auto command = one_line(find_text(found->result, "command").value_or(""), 100);
  const auto guess =
      fmt::format("a model's guess ({:.0f} %): {}", confidence_in(found->result) * 100,
                  one_line(find_text(found->result, "cause").value_or(""), 400));
  std::string text = fmt::format("{}: {}\n", one_line(ended->report.title, 200), guess);
  for (const auto& one : list_at(found->result, "quotations")) {
    if (one.is_string()) text += fmt::format("> {}\n", std::string_view(one.get_string()));
  }
  decision.why = fmt::format("{}: {}", one_line(ended->report.title, 200), guess);
  decision.episodes.push_back({"guess", text, found->result});
  auto state = case_state_from_json(memory.case_state());
  const auto key = find_text(found->result, "key").value_or("");
  const auto told = std::ranges::find(state.findings, key, &Finding::key);
  if (told != state.findings.end()) {
    told->hint += (told->hint.empty() ? "" : ". ") + guess;
    decision.state = to_json(state);
  }
  return decision;
}

}  // namespace vigil::entities::codebase
