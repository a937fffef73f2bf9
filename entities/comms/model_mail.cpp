#include "entities/comms/model_mail.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/advice.hpp"
#include "entities/comms/letters.hpp"
#include "entities/comms/words.hpp"

namespace vigil::entities::comms {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t asked_max = 5;  // mails of a thread that wait for an answer
constexpr std::size_t points_max = 5;
constexpr std::size_t draft_bytes_max = 4000;
constexpr std::string_view judged_task = "held";
constexpr std::string_view prompt =
    "input.text is a mail to a person and what it quotes of the thread before. If input.wanted "
    "holds \"summary\": say in at most five points what the thread comes to, each in one sentence "
    "with a quotation, copied as it is, of the words it rests on. If it holds \"draft\": draft the "
    "person's answer to input.questions in the language of the mail. Promise nothing, agree to "
    "nothing and give nothing away that the mail does not hold already; leave gaps as [...]. What "
    "is not wanted, or cannot be said, stays empty.";
constexpr const char* schema = R"({"type":"object","required":["points","draft"],
 "additionalProperties":false,"properties":{"points":{"type":"array","maxItems":5,"items":
 {"type":"object","required":["text","quotation"],"additionalProperties":false,
 "properties":{"text":{"type":"string","maxLength":300},
 "quotation":{"type":"string","maxLength":500}}}},
 "draft":{"type":"string","maxLength":4000}}})";

// What is needed to answer the mail later.
json::object kept_of(const json::value& data) {
  json::object out;
  for (const auto* name : {"account", "from", "reply_to", "subject", "message_id", "references",
                           "kind", "folder", "raw_ref"}) {
    if (const auto* value = find_path(data, name)) out[name] = *value;
  }
  return out;
}

void tell_points(Course& course, const json::value& data, const json::array& points) {
  if (points.empty()) return;
  std::string text;
  for (const auto& one : points) {
    text += (text.empty() ? "" : "; ") + text_of(one, "text");
  }
  tell(course, {fmt::format("a model's summary of {}: {}", text_of(data, "subject", 120), text),
                "summary", text_of(data, "from.0.address", 320)});
}

}  // namespace

void ask_about_mail(Course& course, const json::value& data) {
  const auto& advice = course.setup.advice;
  if (!may_ask(advice, "mail")) return;
  const auto id = text_of(data, "message_id", 500);
  json::array wanted;
  if (course.list("messages").size() >= long_thread) wanted.emplace_back("summary");
  const auto questions = list_at(data, "questions");
  const bool drafted = std::ranges::any_of(
      course.decision.actions, [](const Action& action) { return action.kind == "draft"; });
  if (!questions.empty() && !drafted) wanted.emplace_back("draft");
  if (wanted.empty()) return;
  const auto text = cut_text(fmt::format("{}\n{}", find_text(data, "text").value_or(""),
                                         find_text(data, "quoted").value_or("")),
                             advice.input_bytes_max);
  swarm::Plan plan;
  plan.title = std::string(asked_title) + id;
  plan.timeout = advice.timeout + 1min;
  plan.tasks.push_back(question(advice, "said", prompt, schema,
                                json::object{{"subject", text_of(data, "subject")},
                                             {"wanted", wanted},
                                             {"questions", questions},
                                             {"text", text}}));
  plan.tasks.push_back(judgement(std::string(judged_task), "comms.model_mail", "said",
                                 json::object{{"text", text}, {"wanted", wanted}}));
  course.decision.plans.push_back(std::move(plan));
  auto& asked = course.state["asked"];
  if (!asked.is_object()) asked = json::object{};
  // What is not answered by then was never asked: the day's budget was spent.
  auto& waiting = asked.get_object();
  if (waiting.size() >= asked_max) waiting.erase(waiting.begin());
  waiting[id] = kept_of(data);
}

Result<json::value> run_model_mail(const Request& request) {
  const auto* said = request.inputs.if_contains("said");
  if (said == nullptr) return fail(ErrorCode::invalid_input, "inputs.said is missing");
  const auto text = find_text(request.input, "text").value_or("");
  const auto wanted = list_at(request.input, "wanted");
  const auto wants = [&](const char* what) {
    return std::ranges::find(wanted, json::value(what)) != wanted.end();
  };
  json::array points;
  for (const auto& one : wants("summary") ? list_at(*said, "points") : json::array{}) {
    if (points.size() >= points_max) break;
    if (stands_in(find_text(one, "quotation").value_or(""), text)) points.push_back(one);
  }
  const auto draft = wants("draft")
                         ? cut_text(find_text(*said, "draft").value_or(""), draft_bytes_max)
                         : std::string();
  const auto summary = fmt::format("{} points that quote the mail{}", points.size(),
                                   draft.empty() ? "" : ", and a draft");
  return json::value{{"points", std::move(points)}, {"draft", draft}, {"summary", summary}};
}

std::string on_mail_asked(Course& course, const swarm::Report& report) {
  const auto id = report.title.substr(asked_title.size());
  auto& asked = course.state["asked"];
  const auto* kept = asked.is_object() ? asked.get_object().if_contains(id) : nullptr;
  if (kept == nullptr) {
    course.say("the mail is not asked about any more");
    return "late-report";
  }
  const json::value data = *kept;
  asked.get_object().erase(id);
  const auto found = std::ranges::find(report.tasks, judged_task, &swarm::TaskOutcome::name);
  if (found == report.tasks.end() || found->state != swarm::TaskState::done) {
    course.say("no model said anything about it");
    return "advice";
  }
  tell_points(course, data, list_at(found->result, "points"));
  const auto draft = find_text(found->result, "draft").value_or("");
  const auto before = course.decision.actions.size();
  if (draft.find_first_not_of(" \n\r\t") != std::string::npos) {
    write_answer(course, data, std::string(draft), Way::draft);
  }
  // Nobody but the model says that it is right.
  for (auto at = before; at < course.decision.actions.size(); ++at) {
    course.decision.actions[at].ask_first = true;
  }
  course.say(text_of(found->result, "summary"));
  return "advice";
}

}  // namespace vigil::entities::comms
