#include "entities/codebase/upgrade_guard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <map>

#include "core/log.hpp"
#include "entities/deps/rewrite_file.hpp"

namespace vigil::entities::codebase {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view fact_prefix = "upgrade:";
constexpr int proposals_max = 1000;
constexpr Duration work_max = 6h;  // after which a swarm that never ended counts as lost
constexpr std::size_t text_bytes_max = 20'000;

// working: a swarm makes it; open: it is proposed; failed, by_hand: it was tried on `base`;
// denied: a person said no to this `target`; withdrawn: it is not needed any more.
struct Proposal {
  std::string key;
  std::string state;
  std::string target;
  std::string title;
  std::string branch;
  std::string base;
  std::string commit;
  std::string why;
  std::int64_t since_us = 0;
};

json::object to_json(const Proposal& of) {
  return {{"state", of.state},   {"target", of.target},    {"title", of.title},
          {"branch", of.branch}, {"base", of.base},        {"commit", of.commit},
          {"why", of.why},       {"since_us", of.since_us}};
}

Proposal proposal_from(const std::string& key, const json::value& value) {
  const auto text = [&](std::string_view name) {
    return std::string(find_text(value, name).value_or(""));
  };
  return {key,
          text("state"),
          text("target"),
          text("title"),
          text("branch"),
          text("base"),
          text("commit"),
          text("why"),
          find_integer(value, "since_us").value_or(0)};
}

using Proposals = std::map<std::string, Proposal>;
Proposals proposals_of(const Recollection& memory) {
  Proposals all;
  for (const auto& fact : memory.facts(std::string(fact_prefix), proposals_max)) {
    if (!fact.key.starts_with(fact_prefix) || fact.value.is_null()) continue;
    const auto key = fact.key.substr(fact_prefix.size());
    all[key] = proposal_from(key, fact.value);
  }
  return all;
}

std::optional<Proposal> proposal_of(const Recollection& memory, std::string_view key) {
  const auto fact = memory.fact(fmt::format("{}{}", fact_prefix, key));
  if (!fact || fact->value.is_null()) return std::nullopt;
  return proposal_from(std::string(key), fact->value);
}

void remember(Decision& decision, const Proposal& proposal) {
  decision.facts.push_back({fmt::format("{}{}", fact_prefix, proposal.key),
                            json::value(to_json(proposal)), 1.0, "upgrades"});
}

Decision answer(Verdict verdict, std::string rule, std::string why) {
  Decision decision;
  decision.verdict = verdict;
  decision.rule = std::move(rule);
  decision.why = std::move(why);
  return decision;
}

const json::value* result_of(const swarm::Report& report, std::string_view task) {
  for (const auto& one : report.tasks) {
    if (one.name == task && one.state == swarm::TaskState::done) return &one.result;
  }
  return nullptr;
}

std::string reason_of(const swarm::Report& report) {
  for (const auto& task : report.tasks) {
    if (task.state == swarm::TaskState::failed) {
      return fmt::format("{}: {}", task.name, one_line(task.error, 300));
    }
  }
  return report.error.empty() ? "the swarm gave no result" : one_line(report.error, 300);
}

Action pull_request(const UpgradeSetup& setup, const Proposal& proposal, std::string_view state,
                    std::string body) {
  const auto& upgrades = *setup.review.settings.upgrades;
  Action action;
  action.kind = pull_action;
  action.sink = upgrades.pull_sink;
  action.sticky_key = fmt::format("pull:{}", proposal.key);
  action.payload = {{"repository", upgrades.forge_repository},
                    {"head", proposal.branch},
                    {"base", setup.review.settings.branch},
                    {"title", proposal.title},
                    {"state", state},
                    {"draft", true},
                    {"body", body},
                    {"text", fmt::format("{}: {}", proposal.title, one_line(body, 200))}};
  return action;
}

// What is worth a swarm now, in the order of severity and within the limits.
class Chooser {
 public:
  Chooser(const UpgradeSetup& setup, TimePoint now, std::string base, Proposals known)
      : setup_(setup), now_us_(to_unix_us(now)), base_(std::move(base)), known_(std::move(known)) {
    constexpr std::int64_t hour_us = std::chrono::microseconds(1h).count();
    for (const auto& [key, one] : known_) {
      if (is_live(one)) ++open_;
      if (one.since_us > now_us_ - hour_us) ++this_hour_;
    }
  }

  bool is_new(const UpgradeGroup& group) const {
    const auto found = known_.find(group.key);
    if (found == known_.end() || found->second.target != group.target) return true;
    const auto& one = found->second;
    if (one.state == "working") return !is_live(one);
    if (one.state == "failed" || one.state == "by_hand") return one.base != base_;
    return one.state == "withdrawn";
  }

  // Plans it, or says that a limit was met.
  bool take(const UpgradeGroup& group, Decision& decision) {
    const auto& upgrades = *setup_.review.settings.upgrades;
    const auto found = known_.find(group.key);
    const bool replaces = found != known_.end() && is_live(found->second);
    if (this_hour_ >= upgrades.per_hour) return false;
    if (!replaces && open_ >= upgrades.open_max) return false;
    ++this_hour_;
    open_ += replaces ? 0 : 1;
    remember(decision, {group.key,
                        "working",
                        group.target,
                        group.title,
                        group.branch,
                        base_,
                        {},
                        replaces ? "replaces " + found->second.title : "",
                        now_us_});
    decision.plans.push_back(plan_upgrade(setup_, group, base_));
    return true;
  }

 private:
  bool is_live(const Proposal& one) const {
    if (one.state == "open") return true;
    return one.state == "working" &&
           one.since_us > now_us_ - std::chrono::microseconds(work_max).count();
  }

  const UpgradeSetup& setup_;
  std::int64_t now_us_;
  std::string base_;
  Proposals known_;
  int open_ = 0;
  int this_hour_ = 0;
};

// What nobody needs any more: its advisory is gone, or somebody upgraded by hand.
int withdraw(const UpgradeSetup& setup, const std::vector<UpgradeGroup>& groups, Proposals& known,
             Decision& decision) {
  int withdrawn = 0;
  for (auto& [key, proposal] : known) {
    const auto is_it = [&](const UpgradeGroup& group) { return group.key == key; };
    if (std::ranges::any_of(groups, is_it)) continue;
    if (proposal.state == "withdrawn" || proposal.state == "working") continue;
    const bool told = proposal.state == "open";
    proposal.state = "withdrawn";
    proposal.why = "nothing the branch is pinned to asks for it any more";
    remember(decision, proposal);
    ++withdrawn;
    if (told && !setup.review.settings.upgrades->pull_sink.empty()) {
      decision.actions.push_back(
          pull_request(setup, proposal, "closed", "Not needed any more: " + proposal.why + "."));
    }
  }
  return withdrawn;
}

Decision on_scan(const UpgradeSetup& setup, const Wake& wake, const swarm::Report& report,
                 const Recollection& memory) {
  const auto* groups = find_path(report.result, "groups");
  const auto head = std::string(find_text(report.result, "head").value_or(""));
  if (!report.ok || groups == nullptr || !groups->is_array()) {
    return answer(Verdict::noted, "upgrades",
                  "nobody could look for upgrades: " + reason_of(report));
  }
  std::vector<UpgradeGroup> found;
  for (const auto& one : groups->get_array()) {
    if (auto group = upgrade_group_from_json(one)) found.push_back(std::move(*group));
  }
  auto decision = answer(Verdict::noted, "upgrades", {});
  auto known = proposals_of(memory);
  const int withdrawn = withdraw(setup, found, known, decision);
  Chooser chooser(setup, wake.now, head, std::move(known));
  const auto least = severity_from(setup.review.settings.upgrades->severity);
  std::size_t later = 0;
  for (const auto& group : found) {
    if ((least && group.severity < *least) || !chooser.is_new(group)) continue;
    later += chooser.take(group, decision) ? 0 : 1;
  }
  if (!decision.plans.empty()) decision.verdict = Verdict::acted;
  decision.why = fmt::format("{} upgrades are worth proposing at {}: {} are made now, {} later",
                             found.size(), head.substr(0, 9), decision.plans.size(), later);
  if (withdrawn > 0) decision.why += fmt::format("; {} are withdrawn", withdrawn);
  TimerSet again{std::string(upgrades_timer), std::nullopt, nullptr};
  if (later > 0) again.due = wake.now + 1h;
  decision.timers.push_back(std::move(again));
  return decision;
}

std::string body_of(const json::value& edit, const json::value* keep) {
  std::string body;
  if (keep != nullptr) body = find_text(*keep, "message").value_or("");
  const auto* tests = keep == nullptr ? nullptr : find_path(*keep, "tests");
  if (tests != nullptr && tests->is_array()) {
    body += tests->get_array().empty() ? "\nNo commands are configured: nothing was run.\n"
                                       : "\nWhat was run:\n";
    for (const auto& one : tests->get_array()) {
      if (one.is_string())
        body += fmt::format("- {}\n", one_line(std::string_view(one.get_string()), 200));
    }
  }
  const auto* by_hand = find_path(edit, "by_hand");
  if (by_hand != nullptr && by_hand->is_array()) {
    for (const auto& one : by_hand->get_array()) {
      if (one.is_string())
        body += fmt::format("by hand: {}\n", one_line(std::string_view(one.get_string()), 400));
    }
  }
  return body;
}

Document document_of(const Proposal& proposal, const std::string& body, const json::value& edit) {
  const auto patch = find_text(edit, "patch").value_or("");
  return {fmt::format("{}{}", fact_prefix, proposal.key), proposal.title,
          fmt::format("{}\n{}", body, patch)};
}

Decision on_proposal(const UpgradeSetup& setup, const swarm::Report& report,
                     const Recollection& memory) {
  const auto key = report.title.substr(upgrade_title("").size());
  auto proposal = proposal_of(memory, key);
  const auto* edit = result_of(report, "edit");
  const auto* keep = result_of(report, "keep");
  if (!proposal) return answer(Verdict::ignored, "upgrade", "nobody waits for this upgrade");
  const auto made_for = edit == nullptr ? std::nullopt : find_text(*edit, "group.target");
  if (made_for && *made_for != proposal->target) {
    return answer(Verdict::ignored, "upgrade",
                  fmt::format("{} was made for what is out of date", report.title));
  }
  const auto flag = [](const json::value* of, std::string_view name) {
    const auto* found = of == nullptr ? nullptr : find_path(*of, name);
    return found != nullptr && found->is_bool() && found->get_bool();
  };
  const auto summary = [&](const json::value& of) {
    return one_line(find_text(of, "summary").value_or(""), 500);
  };
  const bool kept = flag(keep, "kept");
  const bool edited = flag(edit, "ok");
  proposal->state = kept ? "open" : edit != nullptr && !edited ? "by_hand" : "failed";
  proposal->why = kept                         ? summary(*keep)
                  : edit != nullptr && !edited ? summary(*edit)
                  : keep != nullptr            ? summary(*keep)
                                               : reason_of(report);
  if (kept) proposal->commit = find_text(*keep, "commit").value_or("");
  auto decision = answer(
      kept ? Verdict::acted : Verdict::noted, "upgrade",
      kept ? fmt::format("{} is on branch {}: its tests pass", proposal->title, proposal->branch)
           : fmt::format("{} is not proposed: {}", proposal->title, proposal->why));
  remember(decision, *proposal);
  decision.episodes.push_back({"upgrade", decision.why + ".", json::object{{"key", key}}});
  if (edit == nullptr) return decision;
  const auto body = body_of(*edit, keep);
  decision.documents.push_back(document_of(*proposal, body, *edit));
  const auto& upgrades = *setup.review.settings.upgrades;
  if (!kept || upgrades.push_sink.empty()) return decision;
  Action action;
  action.kind = upgrade_action;
  action.sink = upgrades.push_sink;
  action.sticky_key = fmt::format("{}{}", fact_prefix, key);
  const auto patch = find_text(*edit, "patch").value_or("");
  action.payload = {{"branch", proposal->branch},
                    {"commit", proposal->commit},
                    {"title", proposal->title},
                    {"body", body},
                    {"text", to_valid_utf8(fmt::format("{}\n\n{}\n{}", proposal->title, body,
                                                       patch.substr(0, text_bytes_max)))}};
  decision.actions.push_back(std::move(action));
  return decision;
}

Decision decide_to_scan(const UpgradeSetup& setup, std::string why) {
  auto decision = answer(Verdict::acted, "upgrades", std::move(why));
  decision.plans.push_back(plan_upgrade_scan(setup));
  return decision;
}

bool is_about_upgrades(const swarm::Report& report) {
  return report.title == upgrades_title || report.title.starts_with(upgrade_title(""));
}

bool changes_dependencies(const swarm::Report& report) {
  const auto* changes = result_of(report, "changes");
  const auto* files = changes == nullptr ? nullptr : find_path(*changes, "files");
  if (files == nullptr || !files->is_array()) return false;
  return std::ranges::any_of(files->get_array(), [](const json::value& file) {
    return deps::is_dependency_file(find_text(file, "path").value_or(""));
  });
}

Decision on_action(const UpgradeSetup& setup, const ActionSettled& settled,
                   const Recollection& memory) {
  auto decision =
      answer(Verdict::noted, "upgrade",
             fmt::format("the {} was {}{}", settled.kind == pull_action ? "pull request" : "push",
                         settled.outcome,
                         settled.error.empty() ? "" : ": " + one_line(settled.error, 200)));
  const auto colon = settled.sticky_key.find(':');
  if (colon == std::string::npos) return decision;
  auto proposal = proposal_of(memory, settled.sticky_key.substr(colon + 1));
  if (!proposal || proposal->state != "open") return decision;
  decision.why = fmt::format("{}: {}", proposal->title, decision.why);
  if (settled.outcome == "denied") {
    proposal->state = "denied";
    proposal->why = "a person said no; it is not proposed again until there is another version";
  } else if (settled.outcome == "expired" || settled.outcome == "failed") {
    proposal->state = "failed";
    proposal->why = decision.why;
  } else if (settled.outcome == "delivered" && settled.kind == upgrade_action &&
             !setup.review.settings.upgrades->pull_sink.empty()) {
    decision.verdict = Verdict::acted;
    decision.actions.push_back(pull_request(setup, *proposal, "open", proposal->why));
    return decision;
  } else {
    return decision;
  }
  remember(decision, *proposal);
  return decision;
}

}  // namespace

bool asks_for_upgrades(const Event& event) { return event.type.ends_with(".upgrades"); }

std::optional<Decision> decide_on_upgrades(const UpgradeSetup& setup, const Wake& wake,
                                           const Recollection& memory) {
  if (const auto* events = std::get_if<EventsArrived>(&wake.because)) {
    if (!asks_for_upgrades(*events->events.front())) return std::nullopt;
    return decide_to_scan(setup, "it is time to look for upgrades");
  }
  if (const auto* timer = std::get_if<TimerDue>(&wake.because)) {
    if (timer->name != upgrades_timer) return std::nullopt;
    return decide_to_scan(setup, "upgrades had to wait for their hour");
  }
  if (const auto* ended = std::get_if<SwarmEnded>(&wake.because)) {
    if (!is_about_upgrades(ended->report)) return std::nullopt;
    if (ended->report.title == upgrades_title) return on_scan(setup, wake, ended->report, memory);
    return on_proposal(setup, ended->report, memory);
  }
  if (const auto* settled = std::get_if<ActionSettled>(&wake.because)) {
    if (settled->kind != upgrade_action && settled->kind != pull_action) return std::nullopt;
    return on_action(setup, *settled, memory);
  }
  return std::nullopt;
}

void scan_after_review(const UpgradeSetup& setup, const swarm::Report& report,
                       const Recollection& memory, Decision& decision) {
  const json::value state(memory.case_state());
  const auto& branch = setup.review.settings.branch;
  const bool is_push = find_integer(state, "number").value_or(0) == 0;
  if (branch.empty() || !is_push || find_text(state, "branch").value_or("") != branch) return;
  if (!changes_dependencies(report)) return;
  decision.plans.push_back(plan_upgrade_scan(setup));
  decision.why += "; its dependencies changed, so upgrades are looked for";
}

}  // namespace vigil::entities::codebase
