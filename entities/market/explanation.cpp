#include "entities/market/explanation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <set>

#include "entities/advice.hpp"
#include "entities/market/findings.hpp"
#include "entities/ops/alert.hpp"

namespace vigil::entities::market {
namespace {

constexpr std::size_t items_max = 10;  // the nearest ones
constexpr std::size_t explanations_max = 3;
constexpr std::string_view prompt =
    "The price of something that is watched moved; input.alert says how, input.news are the items "
    "of news near it, with the minutes before (less than 0) or after the move. Why may it have "
    "moved? At most three explanations, the likeliest first, each in one sentence with the `id`s "
    "of the items it rests on, spelled as they are. What was published after the move reports it "
    "and is no reason. Explain nothing that no item says: if none does, answer with unknown = true "
    "and no explanations. No advice.";
constexpr const char* schema = R"({"type":"object","required":["unknown","explanations"],
 "additionalProperties":false,"properties":{"unknown":{"type":"boolean"},
 "explanations":{"type":"array","maxItems":3,"items":{"type":"object",
 "required":["text","items","confidence"],"additionalProperties":false,
 "properties":{"text":{"type":"string","maxLength":400},
 "items":{"type":"array","minItems":1,"maxItems":10,"items":{"type":"string"}},
 "confidence":{"type":"number","minimum":0,"maximum":1}}}}}})";

// All that it cites; none when some of it is not there.
std::vector<std::string> cited(const json::value& explanation, const std::set<std::string>& ids) {
  std::vector<std::string> out;
  for (const auto& one : list_at(explanation, "items")) {
    const auto id = one.is_string() ? std::string(std::string_view(one.get_string())) : "";
    if (!ids.contains(id)) return {};
    const auto shown = ops::marked(id);
    if (std::ranges::find(out, shown) == out.end()) out.push_back(shown);
  }
  return out;
}

}  // namespace

void ask_for_explanation(const config::Advice& advice, const json::object& subject,
                         const json::value& news, swarm::Plan& plan) {
  if (!may_ask(advice, "move")) return;
  const auto near = find_news({.input = news});
  json::array items;
  std::size_t bytes = 0;
  for (const auto& item : near ? list_at(*near, "items") : json::array{}) {
    json::object told;
    for (const auto* key : {"id", "at", "minutes", "title", "summary"}) {
      if (const auto* value = find_path(item, key)) told[key] = *value;
    }
    bytes += to_text(json::value(told)).size();
    if (items.size() >= items_max || bytes > advice.input_bytes_max) break;
    items.emplace_back(std::move(told));
  }
  if (items.empty()) return;
  auto task = question(advice, std::string(explanation_task), prompt, schema,
                       json::object{{"alert", subject}, {"news", std::move(items)}});
  task.cache = true;  // looked at again with the same news, it is not asked again
  plan.tasks.push_back(std::move(task));
  plan.timeout += advice.timeout;
}

std::string explanation_of(const swarm::Report& report, const json::value& found) {
  const auto task = std::ranges::find(report.tasks, explanation_task, &swarm::TaskOutcome::name);
  if (task == report.tasks.end() || task->state != swarm::TaskState::done) return {};
  std::set<std::string> ids;
  for (const auto& item : list_at(found, "news")) {
    if (const auto id = find_text(item, "id")) ids.emplace(*id);
  }
  std::string out;
  std::size_t told = 0;
  for (const auto& one : list_at(task->result, "explanations")) {
    const auto items = cited(one, ids);
    if (items.empty() || told >= explanations_max) continue;
    ++told;
    out += fmt::format("A model's guess ({:.0f} %): {} [{}]\n", 100 * confidence_in(one),
                       ops::marked(ops::plain(find_text(one, "text").value_or(""), 400)),
                       fmt::join(items, ", "));
  }
  if (told == 0 && find_bool(task->result, "unknown").value_or(false)) {
    out = "A model finds no reason in the news.\n";
  }
  return out;
}

}  // namespace vigil::entities::market
