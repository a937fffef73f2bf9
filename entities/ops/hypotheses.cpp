#include "entities/ops/hypotheses.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/advice.hpp"
#include "entities/ops/silence.hpp"

namespace vigil::entities::ops {
namespace {

constexpr std::size_t hypotheses_max = 3;
constexpr std::string_view prompt =
    "Something broke on a machine; the material shows the alerts and what was looked at the moment "
    "it began. What may have caused it? At most three hypotheses, the likeliest first, each in one "
    "sentence with the names of the results it rests on (\"journal\", \"disk\", or \"E1\" of "
    "input.memory). Guess nothing that no result shows: if the evidence is not enough, answer with "
    "unknown = true and no hypotheses.";
constexpr const char* schema = R"({"type":"object","required":["unknown","hypotheses"],
 "additionalProperties":false,"properties":{"unknown":{"type":"boolean"},
 "hypotheses":{"type":"array","maxItems":3,"items":{"type":"object",
 "required":["text","evidence","confidence"],"additionalProperties":false,
 "properties":{"text":{"type":"string","maxLength":400},
 "evidence":{"type":"array","minItems":1,"maxItems":10,"items":{"type":"string"}},
 "confidence":{"type":"number","minimum":0,"maximum":1}}}}}})";

json::value input_of(const Incident& incident) {
  json::array alerts;
  for (const auto& [fingerprint, known] : incident.alerts) {
    json::object labels;
    for (const auto& [name, value] : known.labels) labels[name] = value;
    alerts.push_back(json::object{
        {"name", known.name}, {"summary", known.summary}, {"labels", std::move(labels)}});
  }
  json::array memory;
  for (const auto& line : incident.evidence) memory.emplace_back(line);
  return json::object{{"alerts", std::move(alerts)}, {"memory", std::move(memory)}};
}

// All of its evidence, by the ids people see; none when some of it is not there.
std::vector<std::string> cited(const json::value& hypothesis,
                               const std::map<std::string, std::string>& ids) {
  std::vector<std::string> out;
  const auto* names = find_path(hypothesis, "evidence");
  if (names == nullptr || !names->is_array()) return {};
  for (const auto& name : names->as_array()) {
    const auto found = name.is_string() ? ids.find(std::string(name.as_string())) : ids.end();
    if (found == ids.end()) return {};
    if (std::ranges::find(out, found->second) == out.end()) out.push_back(found->second);
  }
  return out;
}

}  // namespace

void ask_for_hypotheses(const config::Advice& advice, const Incident& incident, swarm::Plan& plan) {
  if (!may_ask(advice, "incident") || plan.tasks.empty()) return;
  auto task = question(advice, std::string(hypotheses_task), prompt, schema, input_of(incident));
  for (const auto& one : plan.tasks) task.needs.push_back(one.name);
  plan.tasks.push_back(std::move(task));
  // Not all that is looked at can be seen on every machine.
  plan.on_failure = swarm::OnFailure::partial;
  plan.timeout += advice.timeout;
}

std::vector<std::string> hypotheses_of(const json::value& answer,
                                       const std::map<std::string, std::string>& ids) {
  std::vector<std::string> out;
  for (const auto& one : list_at(answer, "hypotheses")) {
    const auto evidence = cited(one, ids);
    if (evidence.empty() || out.size() >= hypotheses_max) continue;
    out.push_back(fmt::format("a model's guess ({:.0f} %): {} [{}]", confidence_in(one) * 100,
                              plain(find_text(one, "text").value_or(""), 400),
                              fmt::join(evidence, ", ")));
  }
  if (out.empty() && find_bool(answer, "unknown").value_or(false)) {
    out.emplace_back("a model finds no cause in the evidence");
  }
  return out;
}

}  // namespace vigil::entities::ops
