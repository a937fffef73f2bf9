#include "entities/advice.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace vigil::entities {
namespace {

constexpr std::size_t quotation_bytes_min = 8;

std::string folded(std::string_view text) {
  std::string out;
  bool blank = true;  // none at the beginning
  for (const char c : text) {
    const bool is_blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (is_blank && blank) continue;
    out += is_blank ? ' ' : c;
    blank = is_blank;
  }
  if (blank && !out.empty()) out.pop_back();
  return out;
}

}  // namespace

bool may_ask(const config::Advice& advice, std::string_view about) {
  return !advice.model.empty() &&
         (advice.about.empty() || std::ranges::find(advice.about, about) != advice.about.end());
}

swarm::Task question(const config::Advice& advice, std::string name, std::string_view prompt,
                     const char* schema, json::value input) {
  swarm::Ask ask;
  ask.model = advice.model;
  ask.prompt = prompt;
  ask.schema = parse_json(schema).value().as_object();
  swarm::Task task;
  task.name = std::move(name);
  task.input = std::move(input);
  task.ask = std::make_shared<const swarm::Ask>(std::move(ask));
  task.timeout = advice.timeout;
  task.optional = true;
  return task;
}

swarm::Task judgement(std::string name, std::string analyser, std::string asked,
                      json::value input) {
  swarm::Task task;
  task.name = std::move(name);
  task.builtin = std::move(analyser);
  task.needs = {std::move(asked)};
  task.optional = true;
  task.timeout = std::chrono::minutes{1};
  task.input = std::move(input);
  return task;
}

const json::array& list_at(const json::value& answer, std::string_view path) {
  static const json::array none;
  const auto* found = find_path(answer, path);
  return found != nullptr && found->is_array() ? found->get_array() : none;
}

double confidence_in(const json::value& answer) {
  const auto* found = find_path(answer, "confidence");
  return found != nullptr && found->is_number() ? found->to_number<double>() : 0;
}

bool stands_in(std::string_view quotation, std::string_view text) {
  const auto quoted = folded(quotation);
  return quoted.size() >= quotation_bytes_min && folded(text).contains(quoted);
}

}  // namespace vigil::entities
