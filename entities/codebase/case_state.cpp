#include "entities/codebase/case_state.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace vigil::entities::codebase {
namespace {

constexpr std::size_t findings_kept_max = 200;  // as many as a review tells
constexpr std::size_t checks_kept_max = 50;
constexpr std::size_t failing_kept_max = 200;
constexpr std::array<std::string_view, 3> told_words{"nothing", "asked", "delivered"};

json::object to_json(const Ran& ran) {
  json::array failing;
  for (const auto& test : ran.failing) {
    if (failing.size() < failing_kept_max) failing.emplace_back(test);
  }
  return {{"commit", ran.commit}, {"ok", ran.ok}, {"failing", std::move(failing)}};
}

Ran ran_from(const json::value& value) {
  Ran ran{std::string(find_text(value, "commit").value_or("")),
          find_bool(value, "ok").value_or(false),
          {}};
  const auto* failing = find_path(value, "failing");
  for (const auto& test :
       failing != nullptr && failing->is_array() ? failing->get_array() : json::array{}) {
    if (test.is_string()) ran.failing.emplace_back(std::string_view(test.get_string()));
  }
  return ran;
}

json::object object_at(const json::value& value, std::string_view key) {
  const auto* found = find_path(value, key);
  return found != nullptr && found->is_object() ? found->get_object() : json::object{};
}

}  // namespace

std::string CaseState::name() const {
  return number > 0 ? fmt::format("{}#{}", repository, number)
                    : fmt::format("{}@{}", repository, branch);
}

std::string CaseState::swarm_title() const {
  return fmt::format("review {} at {}", name(),
                     head.empty() ? "its latest commits" : head.substr(0, 9));
}

json::object to_json(const CaseState& state) {
  json::array findings;
  for (const auto& finding : state.findings) {
    if (findings.size() == findings_kept_max) break;
    findings.emplace_back(to_json(finding));
  }
  json::object passed;
  for (const auto& [task, at] : state.passed) passed[task] = at;
  json::object ran;
  for (const auto& [task, one] : state.ran) ran[task] = to_json(one);
  json::object checks;
  for (const auto& [name, one] : state.checks) {
    if (checks.size() == checks_kept_max) break;
    checks[name] =
        json::object{{"commit", one.commit}, {"ok", one.ok}, {"fingerprint", one.fingerprint}};
  }
  json::object searches;
  for (const auto& [task, one] : state.searches) searches[task] = to_json(one);
  return {{"repository", state.repository},
          {"number", state.number},
          {"branch", state.branch},
          {"title", state.title},
          {"head", state.head},
          {"pending", state.pending},
          {"closed", state.closed},
          {"reviews", state.reviews},
          {"reviewed_head", state.reviewed_head},
          {"looked_head", state.looked_head},
          {"looked_base", state.looked_base},
          {"looked_with", state.looked_with},
          {"asked_with", state.asked_with},
          {"passed", std::move(passed)},
          {"findings", std::move(findings)},
          {"comment", told_words.at(static_cast<std::size_t>(state.comment))},
          {"base_ref", state.base_ref},
          {"held", state.held},
          {"quiet_until", state.quiet_until == TimePoint{} ? "" : to_rfc3339(state.quiet_until)},
          {"untold", state.untold},
          {"checks", std::move(checks)},
          {"ran", std::move(ran)},
          {"searches", std::move(searches)}};
}

CaseState case_state_from_json(const json::object& object) {
  const json::value value(object);
  const auto text = [&](std::string_view key) {
    return std::string(find_text(value, key).value_or(""));
  };
  CaseState state;
  state.repository = text("repository");
  state.number = find_integer(value, "number").value_or(0);
  state.branch = text("branch");
  state.title = text("title");
  state.head = text("head");
  state.pending = find_bool(value, "pending").value_or(false);
  state.closed = find_bool(value, "closed").value_or(false);
  state.reviews = static_cast<int>(find_integer(value, "reviews").value_or(0));
  state.reviewed_head = text("reviewed_head");
  state.looked_head = text("looked_head");
  state.looked_base = text("looked_base");
  state.looked_with = text("looked_with");
  state.asked_with = text("asked_with");
  for (const auto& [task, at] : object_at(value, "passed")) {
    if (at.is_string()) state.passed[task] = std::string_view(at.get_string());
  }
  state.base_ref = text("base_ref");
  state.held = find_bool(value, "held").value_or(false);
  state.quiet_until = parse_rfc3339(text("quiet_until")).value_or(TimePoint{});
  state.untold = find_bool(value, "untold").value_or(false);
  for (const auto& [name, one] : object_at(value, "checks")) {
    state.checks[name] = {std::string(find_text(one, "commit").value_or("")),
                          find_bool(one, "ok").value_or(false),
                          std::string(find_text(one, "fingerprint").value_or(""))};
  }
  for (const auto& [task, one] : object_at(value, "ran")) state.ran[task] = ran_from(one);
  for (const auto& [task, one] : object_at(value, "searches")) {
    state.searches[task] = search_from_json(one);
  }
  const auto* findings = find_path(value, "findings");
  if (findings != nullptr && findings->is_array()) {
    for (const auto& one : findings->get_array()) {
      if (auto finding = finding_from_json(one)) state.findings.push_back(std::move(*finding));
    }
  }
  for (std::size_t i = 0; i < told_words.size(); ++i) {
    if (told_words[i] == text("comment")) state.comment = static_cast<Told>(i);
  }
  return state;
}

void take(CaseState& state, const ForgeEvent& event) {
  const auto keep = [](std::string& to, const std::string& from) {
    if (!from.empty()) to = from;
  };
  keep(state.repository, event.repository);
  keep(state.branch, event.branch);
  keep(state.title, event.title);
  keep(state.base_ref, event.base_ref);
  if (event.number > 0) state.number = event.number;
}

}  // namespace vigil::entities::codebase
