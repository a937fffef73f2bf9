#include "entities/comms/mail_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/comms/letters.hpp"
#include "entities/comms/origin.hpp"
#include "entities/comms/words.hpp"

namespace vigil::entities::comms {
namespace {

constexpr std::size_t pending_max = 5;
constexpr std::string_view classify_title = "class of ";
constexpr std::string_view learn_title = "learn ";

json::array array_of(const std::vector<std::string>& texts) {
  json::array out;
  for (const auto& one : texts) out.emplace_back(one);
  return out;
}

swarm::Plan triage_plan(const Course& course, std::string title, json::object input) {
  const auto& file = course.setup.settings.triage_file;
  swarm::Task task;
  task.name = "triage";
  task.builtin = "comms.triage";
  input["file"] = file;
  task.input = std::move(input);
  task.timeout = std::chrono::minutes{1};
  task.retries = 2;
  const auto folder = file.substr(0, std::max<std::size_t>(file.rfind('/'), 1));
  task.read_paths.push_back(folder);
  task.write_paths.push_back(folder);
  swarm::Plan plan;
  plan.title = std::move(title);
  plan.tasks.push_back(std::move(task));
  plan.result_of = "triage";
  return plan;
}

std::vector<AuthResult> auth_in(const json::value& data) {
  std::vector<AuthResult> out;
  const auto* list = find_path(data, "auth");
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& one : list->get_array()) {
    out.push_back({text_of(one, "server"), text_of(one, "spf"), text_of(one, "dkim"),
                   text_of(one, "dmarc"), text_of(one, "domain")});
  }
  return out;
}

// What an action needs to find the message again.
json::object reference_to(const json::value& data) {
  json::object out;
  for (const auto* name : {"account", "folder", "message_id", "raw_ref"}) {
    if (const auto* value = find_path(data, name)) out[name] = *value;
  }
  return out;
}

bool is_protected(const config::Comms& settings, std::string_view label) {
  return std::ranges::any_of(settings.protected_labels, [&](const auto& one) {
    return lower_ascii(one) == lower_ascii(label);
  });
}

bool has_protected(const config::Comms& settings, const json::value& data) {
  for (const auto* member : {"flags", "labels"}) {
    const auto* list = find_path(data, member);
    if (list == nullptr || !list->is_array()) continue;
    for (const auto& one : list->get_array()) {
      if (one.is_string() && is_protected(settings, std::string_view(one.get_string())))
        return true;
    }
  }
  return false;
}

std::vector<std::string> unprotected(const config::Comms& settings,
                                     const std::vector<std::string>& labels) {
  std::vector<std::string> out;
  for (const auto& one : labels) {
    if (!is_protected(settings, one)) out.push_back(one);
  }
  return out;
}

void apply(Course& course, const config::CommsRule& rule, const json::value& data) {
  const auto& settings = course.setup.settings;
  const auto change = [&](const char* kind, const std::vector<std::string>& add,
                          const std::vector<std::string>& remove) {
    const auto adds = unprotected(settings, add);
    const auto removes = unprotected(settings, remove);
    if (adds.empty() && removes.empty()) return;
    act(course, kind,
        {{"message", reference_to(data)}, {"add", array_of(adds)}, {"remove", array_of(removes)}});
  };
  change("flag", rule.flag, rule.unflag);
  change("label", rule.label, rule.unlabel);
  if (!rule.move.empty() && text_of(data, "folder", 200) != rule.move) {
    course.decision.facts.push_back(
        {own_move_key(text_of(data, "message_id", 500)), json::value(rule.move), 1.0, "comms"});
    act(course, "move", {{"message", reference_to(data)}, {"to", rule.move}});
  }
  if (!rule.draft.empty()) write_answer(course, data, rule.draft, Way::draft);
  if (!rule.send.empty()) write_answer(course, data, rule.send, Way::send);
  if (!rule.forward.empty()) forward_mail(course, data, rule.forward);
  if (rule.remove) act(course, "delete", {{"message", reference_to(data)}});
}

void apply_rules(Course& course, const json::value& data, const std::string& of_class) {
  const auto& settings = course.setup.settings;
  const MailView view{data, verdict_of(auth_in(data), settings.authserv_ids), of_class};
  const bool left_alone = has_protected(settings, data);
  for (const auto* rule : rules_for(course.setup.rules, view)) {
    course.say("rule " + rule->settings.name);
    if (rule->settings.notify) {
      tell(course, {fmt::format("{}: {} ({})", rule->settings.name, text_of(data, "subject", 120),
                                text_of(data, "from.0.address", 100)),
                    "rule", text_of(data, "from.0.address", 320), Urgency::at_once});
    }
    if (left_alone) {
      course.say("it has a protected label and stays as it is");
      continue;
    }
    apply(course, rule->settings, data);
  }
}

}  // namespace

void sort_mail(Course& course, const json::value& data) {
  const auto features = find_text(data, "features").value_or("");
  const auto id = text_of(data, "message_id", 500);
  auto& pending = course.state["pending"];
  if (!pending.is_object()) pending = json::object{};
  if (course.setup.settings.triage_file.empty() || features.empty() ||
      pending.get_object().size() >= pending_max) {
    return apply_rules(course, data, {});
  }
  course.decision.plans.push_back(
      triage_plan(course, std::string(classify_title) + id, {{"id", id}, {"features", features}}));
  auto kept = data.is_object() ? data.get_object() : json::object{};
  for (const auto* name : {"features", "quoted", "calendar", "signature"}) kept.erase(name);
  const bool forwards = std::ranges::any_of(
      course.setup.rules, [](const auto& rule) { return !rule.settings.forward.empty(); });
  if (!forwards) kept.erase("text");
  pending.get_object()[id] = std::move(kept);
}

std::string on_triage(Course& course, const swarm::Report& report) {
  if (report.title.starts_with(learn_title)) {
    course.say(report.ok ? text_of(report.result, "summary") : "not learned: " + report.error);
    return "learned";
  }
  if (!report.title.starts_with(classify_title)) {
    course.say("a report nobody waits for");
    return "late-report";
  }
  const auto id = report.title.substr(classify_title.size());
  auto& pending = course.state["pending"];
  const auto* kept = pending.is_object() ? pending.get_object().if_contains(id) : nullptr;
  if (kept == nullptr) {
    course.say("the message is not waited for any more");
    return "late-report";
  }
  const json::value data = *kept;
  pending.get_object().erase(id);
  // The class is a number's answer; without one the rules that need none still apply.
  std::string of_class;
  const auto* verdict = find_path(report.result, "mails.0");
  if (report.ok && verdict != nullptr) {
    const auto* sure = find_path(*verdict, "sure");
    const double share = sure != nullptr && sure->is_number() ? sure->to_number<double>() : 0;
    of_class =
        share >= course.setup.settings.triage_sure ? text_of(*verdict, "class", 60) : "unsure";
    course.say(fmt::format("class {} ({:.0f} %)", text_of(*verdict, "class", 60), 100 * share));
  } else if (!report.ok) {
    course.say("its class could not be told: " + report.error);
  }
  apply_rules(course, data, of_class);
  return "sorted";
}

std::string learn_class(Course& course, const json::value& data, const std::string& of_class) {
  const auto features = find_text(data, "features").value_or("");
  const auto id = text_of(data, "message_id", 500);
  if (course.setup.settings.triage_file.empty() || features.empty() || of_class.empty()) {
    course.say("nothing can be learned from it");
    return "moved";
  }
  course.decision.plans.push_back(
      triage_plan(course, fmt::format("{}{}", learn_title, of_class),
                  {{"id", id}, {"features", features}, {"learn", of_class}}));
  course.decision.episodes.push_back({"learned", fmt::format("the user has {} as {}", id, of_class),
                                      json::object{{"id", id}, {"class", of_class}}});
  course.say("learned from the user's own move: " + of_class);
  return "learn";
}

}  // namespace vigil::entities::comms
