#include "entities/forge_facts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <initializer_list>
#include <utility>

namespace vigil::entities {
namespace {

using Paths = std::initializer_list<std::string_view>;
using Words = std::initializer_list<std::pair<std::string_view, std::string_view>>;

constexpr std::size_t text_bytes_max = 64 * 1024;

std::string text_at(const json::value& data, Paths paths) {
  for (const auto path : paths) {
    const auto text = find_text(data, path);
    if (text && !text->empty()) return std::string(text->substr(0, text_bytes_max));
  }
  return {};
}

std::int64_t number_at(const json::value& data, Paths paths) {
  for (const auto path : paths) {
    if (const auto number = find_integer(data, path); number && *number > 0) return *number;
  }
  return 0;
}

std::optional<bool> flag_at(const json::value& data, Paths paths) {
  for (const auto path : paths) {
    if (const auto flag = find_bool(data, path)) return flag;
  }
  return std::nullopt;
}

bool has(const json::value& data, std::string_view path) {
  const auto* found = find_path(data, path);
  return found != nullptr && !found->is_null();
}

bool is_nothing(std::string_view hash) {
  return !hash.empty() && hash.find_first_not_of('0') == std::string_view::npos;
}

std::string_view word_of(std::string_view type, int place) {
  for (; place > 0; --place) {
    const auto dot = type.find('.');
    if (dot == std::string_view::npos) return {};
    type.remove_prefix(dot + 1);
  }
  return type.substr(0, type.find('.'));
}

std::string_view renamed(std::string_view word, Words words) {
  for (const auto& [from, to] : words) {
    if (word == from) return to;
  }
  return word;
}

// GitLab's word for what it is about stands in the body, those of the others in a header.
std::string_view kind_of(std::string_view word, const json::value& data) {
  const auto object = find_text(data, "object_kind").value_or("");
  if (object == "note" || has(data, "comment")) {
    return has(data, "review") || word == "pull_request_review" ? "review" : "comment";
  }
  if (!object.empty()) {
    return renamed(object, {{"merge_request", "pull_request"},
                            {"tag_push", "tag"},
                            {"pipeline", "check"},
                            {"build", "check"}});
  }
  if (has(data, "review")) return "review";
  for (const std::string_view check :
       {"check_run", "check_suite", "workflow_run", "workflow_job", "commit_status"}) {
    if (has(data, check)) return "check";
  }
  if (word == "status") return "check";
  if (has(data, "pull_request") || has(data, "pullrequest") || has(data, "pullRequest")) {
    return word.starts_with("pull_request_review") ? "review" : "pull_request";
  }
  if (has(data, "release")) return "release";
  if (has(data, "deployment")) return "deployment";
  if (has(data, "zen")) return "ping";
  if (has(data, "issue")) return "issue";
  if (has(data, "security_advisory")) return "advisory";
  if (has(data, "alert")) return "alert";
  if (has(data, "push.changes") || has(data, "changes.0.toHash")) return "push";
  if (const auto type = find_text(data, "ref_type")) return *type == "tag" ? "tag" : "branch";
  if (has(data, "ref") && has(data, "after")) return "push";
  return word;
}

// One word for one thing, whatever the forge calls it.
std::string action_of(std::string_view type, std::string_view kind, const json::value& data) {
  auto action = text_at(data, {"object_attributes.action", "action", "eventKey"});
  if (action.empty() && type.find(':') != std::string_view::npos) action = word_of(type, 1);
  // pr:opened, pullrequest:created
  if (const auto colon = action.rfind(':'); colon != std::string::npos) action.erase(0, colon + 1);
  if (find_text(data, "object_kind").value_or("") == "note" && action.empty()) return "created";
  if (kind == "pull_request") {
    if (action == "created") return "opened";
    if (action == "update") {  // GitLab tells by what else is there
      if (has(data, "object_attributes.oldrev")) return "synchronized";
      const auto draft = find_bool(data, "changes.draft.current");
      if (draft) return *draft ? "converted_to_draft" : "ready";
      return "edited";
    }
  }
  return std::string(renamed(action, {{"open", "opened"},
                                      {"close", "closed"},
                                      {"reopen", "reopened"},
                                      {"merge", "merged"},
                                      {"fulfilled", "merged"},
                                      {"rejected", "closed"},
                                      {"declined", "closed"},
                                      {"synchronize", "synchronized"},
                                      {"from_ref_updated", "synchronized"},
                                      {"update", "edited"},
                                      {"modified", "edited"},
                                      {"ready_for_review", "ready"},
                                      {"create", "created"},
                                      {"comment_created", "created"},
                                      {"comment_updated", "edited"},
                                      {"comment_deleted", "deleted"},
                                      {"refs_changed", ""}}));
}

std::string repository_of(const json::value& data) {
  auto named = text_at(data, {"repository.full_name", "project.path_with_namespace"});
  if (!named.empty()) return named;
  for (const std::string_view at : {"repository", "pullRequest.toRef.repository"}) {
    const auto* found = find_path(data, at);
    if (found == nullptr) continue;
    const auto key = find_text(*found, "project.key");
    const auto slug = find_text(*found, "slug");
    if (key && slug) return fmt::format("{}/{}", *key, *slug);
  }
  const auto owner = text_at(data, {"repository.owner.login", "repository.owner.username"});
  const auto name = text_at(data, {"repository.name"});
  return owner.empty() || name.empty() ? name : fmt::format("{}/{}", owner, name);
}

void read_change(ForgeFacts& facts, const json::value& data) {
  facts.on_pull_request =
      has(data, "pull_request") || has(data, "pullrequest") || has(data, "pullRequest") ||
      has(data, "merge_request") || has(data, "issue.pull_request") ||
      find_text(data, "object_kind").value_or("") == "merge_request" ||
      has(data, "workflow_run.pull_requests.0") || has(data, "check_run.pull_requests.0");
  facts.number = number_at(
      data, {"pull_request.number", "number", "issue.number", "pullrequest.id", "pullRequest.id",
             "merge_request.iid", "issue.iid", "workflow_run.pull_requests.0.number",
             "check_run.pull_requests.0.number", "check_suite.pull_requests.0.number"});
  const auto kind = find_text(data, "object_kind").value_or("");
  if (kind == "merge_request" || kind == "issue") {
    facts.number = number_at(data, {"object_attributes.iid"});
  }
  facts.title = text_at(data, {"pull_request.title", "pullrequest.title", "pullRequest.title",
                               "merge_request.title", "issue.title", "release.name",
                               "object_attributes.title", "security_advisory.summary"});
  facts.source = text_at(
      data, {"pull_request.head.ref", "pull_request.head_branch", "pullrequest.source.branch.name",
             "pullRequest.fromRef.displayId", "object_attributes.source_branch",
             "merge_request.source_branch", "workflow_run.pull_requests.0.head.ref"});
  facts.target = text_at(data, {"pull_request.base.ref", "pull_request.base_branch",
                                "pullrequest.destination.branch.name",
                                "pullRequest.toRef.displayId", "object_attributes.target_branch",
                                "merge_request.target_branch", "deployment.environment",
                                "workflow_run.pull_requests.0.base.ref", "merge_group.base_ref"});
  facts.sha = text_at(data, {"pull_request.head.sha",
                             "pull_request.head_sha",
                             "pullrequest.source.commit.hash",
                             "pullRequest.fromRef.latestCommit",
                             "object_attributes.last_commit.id",
                             "merge_request.last_commit.id",
                             "workflow_run.head_sha",
                             "workflow_job.head_sha",
                             "check_run.head_sha",
                             "check_suite.head_sha",
                             "object_attributes.sha",
                             "deployment.sha",
                             "merge_group.head_sha",
                             "commit_status.commit.hash",
                             "after",
                             "push.changes.0.new.target.hash",
                             "changes.0.toHash",
                             "commit.sha",
                             "commit.id",
                             "commit_oid",
                             "sha"});
  facts.draft = flag_at(data, {"pull_request.draft", "object_attributes.draft",
                               "object_attributes.work_in_progress", "pullrequest.draft"});
  facts.merged = flag_at(data, {"pull_request.merged"});
  if (facts.action == "merged") facts.merged = true;
}

void read_refs(ForgeFacts& facts, const json::value& data) {
  facts.ref =
      text_at(data, {"ref", "changes.0.refId", "changes.0.ref.id", "deployment.ref",
                     "object_attributes.ref", "commit_status.refname", "merge_group.head_ref"});
  facts.before = text_at(data, {"before", "push.changes.0.old.target.hash", "changes.0.fromHash"});
  if (facts.ref.empty() && has(data, "push.changes.0")) {
    const auto kind = text_at(data, {"push.changes.0.new.type", "push.changes.0.old.type"});
    const auto name = text_at(data, {"push.changes.0.new.name", "push.changes.0.old.name"});
    facts.ref = fmt::format("refs/{}/{}", kind == "tag" ? "tags" : "heads", name);
  }
  if (facts.kind == "push" || facts.kind == "tag") {
    facts.deleted = flag_at(data, {"deleted", "push.changes.0.closed"});
    if (is_nothing(facts.sha)) facts.deleted = true;
    facts.forced = flag_at(data, {"forced", "push.changes.0.forced"});
    if (facts.sha.empty() && has(data, "push.changes.0")) facts.deleted = true;
    const bool is_new = is_nothing(facts.before) || (facts.before.empty() && !facts.sha.empty());
    if (facts.action.empty() && (has(data, "after") || has(data, "changes.0.toHash"))) {
      facts.action = facts.deleted.value_or(false) ? "deleted" : is_new ? "created" : "pushed";
    }
  }
  if (facts.ref.starts_with("refs/tags/")) {
    facts.tag = facts.ref.substr(10);
    if (facts.kind == "push") facts.kind = "tag";
  }
  if (facts.kind == "tag" && facts.tag.empty()) facts.tag = facts.ref;
  if (facts.kind == "release") facts.tag = text_at(data, {"release.tag_name"});
  if (is_nothing(facts.before)) facts.before.clear();
  if (is_nothing(facts.sha)) facts.sha.clear();
  for (const std::string_view at : {"commits", "push.changes.0.commits"}) {
    const auto* found = find_path(data, at);
    if (found != nullptr && found->is_array()) {
      facts.commits = static_cast<int>(found->get_array().size());
    }
  }
  const auto total = find_integer(data, "total_commits_count");
  if (total && *total > 0 && *total < 1'000'000) facts.commits = static_cast<int>(*total);
}

void read_words(ForgeFacts& facts, const json::value& data) {
  facts.body = text_at(
      data, {"comment.body", "comment.content.raw", "comment.text", "review.body",
             "object_attributes.note", "issue.body", "pull_request.body", "pullrequest.description",
             "pullRequest.description", "object_attributes.description", "release.body", "zen"});
  facts.state =
      text_at(data, {"check_run.conclusion", "check_suite.conclusion", "workflow_run.conclusion",
                     "workflow_job.conclusion", "check_run.status", "workflow_run.status",
                     "workflow_job.status", "commit_status.state", "alert.state",
                     "object_attributes.status", "deployment_status.state", "review.state", "state",
                     "pull_request.state", "pullrequest.state", "pullRequest.state",
                     "object_attributes.state", "issue.state"});
  if (facts.kind == "check") {
    std::ranges::transform(facts.state, facts.state.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    facts.state = renamed(facts.state, {{"successful", "success"},
                                        {"failed", "failure"},
                                        {"inprogress", "running"},
                                        {"in_progress", "running"}});
  }
  facts.url = text_at(data, {"comment.html_url", "pull_request.html_url", "issue.html_url",
                             "release.html_url", "check_run.html_url", "workflow_run.html_url",
                             "object_attributes.url", "pullrequest.links.html.href", "compare",
                             "compare_url", "alert.html_url", "target_url", "commit_status.url"});
}

void read_alert(ForgeFacts& facts, const json::value& data) {
  facts.advisory = text_at(
      data, {"alert.security_advisory.ghsa_id", "alert.ghsa_id", "security_advisory.ghsa_id"});
  facts.severity = text_at(data, {"alert.security_advisory.severity", "alert.severity",
                                  "security_advisory.severity", "alert.rule.severity"});
  facts.ecosystem = text_at(data, {"alert.dependency.package.ecosystem"});
  facts.package = text_at(data, {"alert.dependency.package.name", "alert.affected_package_name"});
  facts.vulnerable = text_at(
      data, {"alert.security_vulnerability.vulnerable_version_range", "alert.affected_range"});
  facts.fixed = text_at(
      data, {"alert.security_vulnerability.first_patched_version.identifier", "alert.fixed_in"});
}

void put(json::object& out, std::string_view name, const std::string& text) {
  if (!text.empty()) out[name] = to_valid_utf8(text);
}
void put(json::object& out, std::string_view name, std::optional<bool> flag) {
  if (flag) out[name] = *flag;
}

}  // namespace

ForgeFacts read_forge_facts(std::string_view type, const json::value& data) {
  ForgeFacts facts;
  if (!data.is_object()) return facts;
  facts.kind = kind_of(word_of(type, 1), data);
  facts.action = action_of(type, facts.kind, data);
  facts.repository = repository_of(data);
  facts.sender = text_at(data, {"sender.login", "sender.username", "user.username", "user_username",
                                "actor.username", "actor.name", "actor.nickname", "user_name"});
  read_change(facts, data);
  read_refs(facts, data);
  read_words(facts, data);
  read_alert(facts, data);
  // The forges that tell by the state of the change what became of it.
  if (facts.kind == "pull_request" && facts.action == "updated" && facts.state == "MERGED") {
    facts.action = "merged";
  }
  const bool makes_names = facts.kind == "branch" || facts.kind == "tag";
  if (makes_names && facts.action.empty()) {
    facts.action = renamed(word_of(type, 1), {{"create", "created"}, {"delete", "deleted"}});
  }
  return facts;
}

json::object to_json(const ForgeFacts& facts) {
  json::object out;
  put(out, "kind", facts.kind);
  put(out, "action", facts.action);
  put(out, "repository", facts.repository);
  put(out, "sender", facts.sender);
  if (facts.number > 0) out["number"] = facts.number;
  if (facts.on_pull_request) out["on_pull_request"] = true;
  put(out, "title", facts.title);
  put(out, "source", facts.source);
  put(out, "target", facts.target);
  put(out, "sha", facts.sha);
  put(out, "before", facts.before);
  put(out, "ref", facts.ref);
  put(out, "tag", facts.tag);
  put(out, "state", facts.state);
  put(out, "body", facts.body);
  put(out, "url", facts.url);
  put(out, "draft", facts.draft);
  put(out, "merged", facts.merged);
  put(out, "deleted", facts.deleted);
  put(out, "forced", facts.forced);
  if (facts.commits > 0) out["commits"] = facts.commits;
  put(out, "advisory", facts.advisory);
  put(out, "severity", facts.severity);
  put(out, "ecosystem", facts.ecosystem);
  put(out, "package", facts.package);
  put(out, "vulnerable", facts.vulnerable);
  put(out, "fixed", facts.fixed);
  return out;
}

}  // namespace vigil::entities
