#include "entities/codebase/model_review.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>

#include "core/sorted.hpp"
#include "entities/advice.hpp"
#include "entities/codebase/look.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::string_view find_prompt =
    "Review a change to a program. The material shows the lines it adds, each as PATH:LINE: TEXT. "
    "Report defects alone: wrong results, crashes, lost data, races, leaks, holes. No style, no "
    "praise, no advice. Name the path and the line of an added line, what goes wrong and with "
    "which "
    "input. Report nothing you could not defend before its author; an empty list is a good answer.";
constexpr std::string_view verify_prompt =
    "Somebody claims that a change has a defect: input.item says where and what. The added lines "
    "are in the material. Try to refute it: is it really so, on that line, in this change? `real` "
    "is "
    "true only if you would bet on it. Say why in one sentence.";

constexpr const char* find_schema = R"({"type":"object","required":["findings"],
 "additionalProperties":false,"properties":{"findings":{"type":"array","maxItems":40,"items":
 {"type":"object","required":["path","line","severity","title","why"],"additionalProperties":false,
 "properties":{"path":{"type":"string"},"line":{"type":"integer"},
 "severity":{"enum":["low","medium","high"]},"title":{"type":"string","maxLength":200},
 "why":{"type":"string","maxLength":1000}}}}}})";
constexpr const char* verify_schema = R"({"type":"object","required":["real","confidence","why"],
 "additionalProperties":false,"properties":{"real":{"type":"boolean"},
 "confidence":{"type":"number","minimum":0,"maximum":1},"why":{"type":"string"}}})";

constexpr std::int64_t bytes_default = 128 * 1024;

std::shared_ptr<const swarm::Ask> ask(const std::string& model, std::string_view prompt,
                                      const char* schema) {
  swarm::Ask out;
  out.model = model;
  out.prompt = prompt;
  out.schema = parse_json(schema).value().as_object();
  return std::make_shared<const swarm::Ask>(std::move(out));
}

// The added lines of each path: their text by number.
using AddedLines = std::map<std::string, std::map<int, std::string>>;

AddedLines added_lines(const Diff& diff) {
  AddedLines out;
  for (const auto& file : diff.files) {
    for (const auto& line : file.added) out[to_valid_utf8(file.new_path)][line.number] = line.text;
  }
  return out;
}

Result<AddedLines> lines_of(const Request& request) {
  auto look = Look::at(request);
  if (!look) return std::unexpected(look.error());
  auto diff = look->diff();
  if (!diff) return std::unexpected(diff.error());
  return added_lines(*diff);
}

int rank_of(const json::value& finding) {
  const auto severity = find_text(finding, "severity").value_or("low");
  return severity == "high" ? 2 : severity == "medium" ? 1 : 0;
}

// The line's own text makes it this finding, so that it keeps its key when lines move and when the
// model says it in other words. No model turns a status red: medium is the most.
Finding finding_of(const json::value& said) {
  Finding out;
  out.analyser = model_task;
  out.rule = "model";
  out.severity = rank_of(said) > 0 ? Severity::medium : Severity::low;
  out.path = find_text(said, "path").value_or("");
  out.line = static_cast<int>(find_integer(said, "line").value_or(0));
  out.title = one_line(find_text(said, "title").value_or("a defect"), 200);
  out.hint = one_line(find_text(said, "why").value_or(""), 500);
  out.key = finding_key(model_task, out.rule, out.path, find_text(said, "text").value_or(""));
  return out;
}

const json::array& list_at(const json::object& inputs, const char* task, std::string_view path) {
  static const json::array none;
  const auto* result = inputs.if_contains(task);
  const auto* list = result ? find_path(*result, path) : nullptr;
  return list != nullptr && list->is_array() ? list->as_array() : none;
}

}  // namespace

bool asks_a_model(const ReviewSetup& setup) { return may_ask(setup.advice, "review"); }

void add_model_review(const ReviewSetup& setup, swarm::Plan& plan) {
  const auto& advice = setup.advice;
  const auto add = [&](const char* name, std::vector<std::string> needs) -> swarm::Task& {
    swarm::Task task;
    task.name = name;
    task.needs = std::move(needs);
    task.timeout = advice.timeout;
    task.optional = true;
    task.read_paths = setup.read_paths;
    plan.tasks.push_back(std::move(task));
    return plan.tasks.back();
  };
  const json::object where{{"repository", setup.settings.repository}};
  auto& lines = add("model_lines", {"changes"});
  lines.builtin = "codebase.model_lines";
  lines.input = where;
  lines.input.as_object()["bytes_max"] = advice.input_bytes_max;
  auto& found = add("model_find", {"model_lines"});
  found.ask = ask(advice.model, find_prompt, find_schema);
  found.retries = 1;
  found.cache = true;  // the same lines are not asked about twice
  auto& keep = add("model_keep", {"changes", "model_find"});
  keep.builtin = "codebase.model_keep";
  keep.input = where;
  keep.input.as_object()["findings_max"] = advice.findings_max;
  auto& verify = add("model_verify", {"model_lines", "model_keep"});
  const auto& second = advice.strong.empty() ? advice.model : advice.strong;
  verify.ask = ask(second, verify_prompt, verify_schema);
  verify.cache = true;
  verify.for_each = "model_keep.findings";
  auto& judge = add(model_task.data(), {"model_keep", "model_verify"});
  judge.builtin = "codebase.model_judge";
  judge.input = json::object{{"sure", advice.sure}};
}

Result<json::value> run_model_lines(const Request& request) {
  auto lines = lines_of(request);
  if (!lines) return std::unexpected(lines.error());
  const auto most = static_cast<std::size_t>(
      std::max<std::int64_t>(find_integer(request.input, "bytes_max").value_or(bytes_default), 0));
  std::string text;
  std::size_t left_out = 0;
  for (const auto& [path, added] : *lines) {
    for (const auto& [number, line] : added) {
      auto shown = fmt::format("{}:{}: {}\n", path, number, to_valid_utf8(line));
      if (text.size() + shown.size() > most) {
        ++left_out;
        continue;
      }
      text += shown;
    }
  }
  if (left_out > 0) text += fmt::format("({} more lines are not shown)\n", left_out);
  if (text.empty()) return fail(ErrorCode::invalid_input, "the change adds no lines");
  return json::value(json::string(text));
}

Result<json::value> run_model_keep(const Request& request) {
  auto lines = lines_of(request);
  if (!lines) return std::unexpected(lines.error());
  std::vector<json::value> kept;
  std::int64_t elsewhere = 0;
  for (const auto& finding : list_at(request.inputs, "model_find", "findings")) {
    const auto file = lines->find(std::string(find_text(finding, "path").value_or("")));
    const auto number = static_cast<int>(find_integer(finding, "line").value_or(0));
    if (file == lines->end() || !file->second.contains(number)) {
      ++elsewhere;
      continue;
    }
    kept.push_back(finding);
    kept.back().as_object()["text"] = to_valid_utf8(file->second.at(number));
  }
  sort_stably(kept, [](const json::value& one, const json::value& other) {
    return rank_of(one) > rank_of(other);
  });
  const auto most = static_cast<std::size_t>(
      std::max<std::int64_t>(find_integer(request.input, "findings_max").value_or(5), 0));
  if (kept.size() > most) kept.resize(most);
  return json::value(
      json::object{{"findings", json::array(kept.begin(), kept.end())}, {"elsewhere", elsewhere}});
}

Result<json::value> run_model_judge(const Request& request) {
  const auto& claims = list_at(request.inputs, "model_keep", "findings");
  const auto& verdicts = list_at(request.inputs, "model_verify", "");
  double sure = 0.7;
  const auto* wanted = find_path(request.input, "sure");
  if (wanted != nullptr && wanted->is_number()) sure = wanted->to_number<double>();
  std::vector<Finding> stood;
  for (std::size_t i = 0; i < claims.size() && i < verdicts.size(); ++i) {
    const auto* confidence = find_path(verdicts[i], "confidence");
    const bool is_real = find_bool(verdicts[i], "real").value_or(false) && confidence != nullptr &&
                         confidence->is_number() && confidence->to_number<double>() >= sure;
    if (is_real) stood.push_back(finding_of(claims[i]));
  }
  auto summary =
      fmt::format("{} of {} findings of a model stood a second look", stood.size(), claims.size());
  return json::value(analysis(std::move(summary), std::move(stood)));
}

}  // namespace vigil::entities::codebase
