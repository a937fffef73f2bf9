#include "entities/codebase/forge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/log.hpp"
#include "entities/codebase/finding.hpp"
#include "entities/codebase/git.hpp"
#include "entities/forge_facts.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::size_t name_bytes_max = 180;
constexpr std::size_t said_bytes_max = 1000;

std::string text_at(const json::value& data, std::initializer_list<std::string_view> paths) {
  for (const auto path : paths) {
    if (const auto text = find_text(data, path); text && !text->empty()) {
      return one_line(*text, name_bytes_max);
    }
  }
  return {};
}

bool has_object(const json::value& data, std::string_view path) {
  const auto* found = find_path(data, path);
  return found != nullptr && found->is_object();
}

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, word) != words.end();
}

// github.pull_request.opened: what stands between the dots.
std::string_view word_of(std::string_view type, int place) {
  for (; place > 0; --place) {
    const auto dot = type.find('.');
    if (dot == std::string_view::npos) return {};
    type.remove_prefix(dot + 1);
  }
  return type.substr(0, type.find('.'));
}

ForgeEvent nothing(std::string why) {
  ForgeEvent event;
  event.why_not = std::move(why);
  return event;
}

// A commit hash, or nothing: what a payload says is put into arguments later.
std::string hash_at(const json::value& data, std::initializer_list<std::string_view> paths) {
  const auto text = text_at(data, paths);
  return is_hash(text) && !is_null_hash(text) ? text : std::string();
}

std::string without_refs(std::string ref) {
  for (const std::string_view start : {"refs/heads/", "refs/remotes/origin/"}) {
    if (ref.starts_with(start)) return ref.substr(start.size());
  }
  return ref;
}

Step step_of(std::string_view verb) {
  constexpr std::array<std::string_view, 14> changes{
      "opened",           "reopened", "synchronize", "synchronized", "ready_for_review", "open",
      "reopen",           "created",  "updated",     "pushed",       "enqueued",         "rebased",
      "from_ref_updated", ""};
  constexpr std::array<std::string_view, 9> ends{"closed",   "close",     "merge",
                                                 "merged",   "fulfilled", "rejected",
                                                 "declined", "deleted",   "abandoned"};
  if (is_one_of(verb, changes)) return Step::changed;
  if (is_one_of(verb, ends)) return Step::closed;
  return Step::other;
}

std::string verb_of(const Event& event) {
  auto verb = text_at(event.data, {"action"});
  if (verb.empty()) verb = one_line(word_of(event.type, 2), name_bytes_max);
  const auto colon = verb.rfind(':');  // pullrequest:created, pr:opened
  return colon == std::string::npos ? verb : verb.substr(colon + 1);
}

// The dotted places of one forge's fields.
struct Places {
  std::string_view number;
  std::string_view repository;
  std::string_view repository_else;
  std::string_view head;
  std::string_view base;
  std::string_view base_ref;
  std::string_view branch;
  std::string_view title;
};
constexpr Places github_places{
    "pull_request.number",   "repository.full_name",  "pull_request.base.repo.full_name",
    "pull_request.head.sha", "pull_request.base.sha", "pull_request.base.ref",
    "pull_request.head.ref", "pull_request.title"};
constexpr Places gogs_places{"pull_request.number",      "repository.full_name",
                             "repository.name",          "pull_request.head_sha",
                             "pull_request.base_sha",    "pull_request.base_branch",
                             "pull_request.head_branch", "pull_request.title"};
constexpr Places gitlab_places{"object_attributes.iid",
                               "project.path_with_namespace",
                               "object_attributes.target.path_with_namespace",
                               "object_attributes.last_commit.id",
                               "object_attributes.base_sha",
                               "object_attributes.target_branch",
                               "object_attributes.source_branch",
                               "object_attributes.title"};
constexpr Places bitbucket_places{"pullrequest.id",
                                  "repository.full_name",
                                  "pullrequest.destination.repository.full_name",
                                  "pullrequest.source.commit.hash",
                                  "pullrequest.destination.commit.hash",
                                  "pullrequest.destination.branch.name",
                                  "pullrequest.source.branch.name",
                                  "pullrequest.title"};
constexpr Places stash_places{"pullRequest.id",
                              "pullRequest.toRef.repository.project.key",
                              "pullRequest.toRef.repository.slug",
                              "pullRequest.fromRef.latestCommit",
                              "pullRequest.toRef.latestCommit",
                              "pullRequest.toRef.displayId",
                              "pullRequest.fromRef.displayId",
                              "pullRequest.title"};

ForgeEvent proposal(const Event& event, const Places& places) {
  ForgeEvent out;
  out.subject = Subject::pull_request;
  out.verb = verb_of(event);
  out.step = step_of(out.verb);
  out.number = find_integer(event.data, places.number)
                   .value_or(find_integer(event.data, "number").value_or(0));
  out.repository = text_at(event.data, {places.repository, places.repository_else});
  out.head = hash_at(event.data, {places.head});
  out.base = hash_at(event.data, {places.base});
  out.base_ref = text_at(event.data, {places.base_ref});
  out.branch = text_at(event.data, {places.branch});
  out.title = text_at(event.data, {places.title});
  if (out.repository.empty() || out.number <= 0) {
    return nothing("it speaks of a pull request but names no repository or number");
  }
  return out;
}

ForgeEvent from_github(const Event& event) {
  auto out = proposal(event, github_places);
  if (out.subject == Subject::nothing) return out;
  if (out.head.empty()) out.head = hash_at(event.data, {gogs_places.head});
  if (out.base_ref.empty()) out.base_ref = text_at(event.data, {gogs_places.base_ref});
  if (out.branch.empty()) out.branch = text_at(event.data, {gogs_places.branch});
  out.merged = find_bool(event.data, "pull_request.merged").value_or(false);
  // Only the branch it is meant for makes an edit a new change.
  if (out.verb == "edited" && has_object(event.data, "changes.base")) out.step = Step::changed;
  return out;
}

ForgeEvent from_gitlab(const Event& event) {
  auto out = proposal(event, gitlab_places);
  if (out.subject == Subject::nothing) return out;
  if (const auto verb = text_at(event.data, {"object_attributes.action"}); !verb.empty()) {
    out.verb = verb;
    out.step = step_of(verb);
  }
  // An update without an old revision is about words, not code.
  if (out.verb == "update") {
    const bool code = !text_at(event.data, {"object_attributes.oldrev"}).empty();
    out.step = code ? Step::changed : Step::other;
  }
  out.merged = out.verb == "merge";
  return out;
}

// What happened stands in a header alone; the body tells how things are now.
ForgeEvent from_bitbucket(const Event& event) {
  auto out = proposal(event, bitbucket_places);
  if (out.subject == Subject::nothing) return out;
  const auto state = text_at(event.data, {"pullrequest.state"});
  if (!state.empty() && state != "OPEN") out.step = Step::closed;
  if (has_object(event.data, "approval")) out.step = Step::other;
  out.merged = state == "MERGED";
  return out;
}

ForgeEvent from_stash(const Event& event) {
  auto out = proposal(event, stash_places);
  if (out.subject == Subject::nothing) return out;
  if (const auto key = text_at(event.data, {"eventKey"}); !key.empty()) {
    out.verb = key.substr(key.rfind(':') + 1);
    out.step = step_of(out.verb);
  }
  const auto slug = text_at(event.data, {stash_places.repository_else});
  if (!slug.empty() && slug != out.repository) out.repository += "/" + slug;
  out.merged = out.verb == "merged";
  return out;
}

ForgeEvent pushed(const json::value& data, std::string ref, std::string before, std::string after,
                  bool removed) {
  ForgeEvent out;
  out.subject = Subject::push;
  out.verb = removed ? "deleted" : "pushed";
  out.step = removed ? Step::closed : Step::changed;
  out.repository = text_at(data, {"repository.full_name", "project.path_with_namespace",
                                  "repository.name", "repository.slug"});
  if (ref.starts_with("refs/tags/")) return nothing("a tag names code that was pushed before");
  out.branch = without_refs(std::move(ref));
  out.base = std::move(before);
  out.head = std::move(after);
  if (out.repository.empty() || out.branch.empty()) {
    return nothing("it speaks of a push but names no repository or branch");
  }
  if (out.head.empty() && !removed) return nothing("it names no commit that was pushed");
  return out;
}

ForgeEvent from_push(const json::value& data) {
  const bool removed = find_bool(data, "deleted").value_or(false) ||
                       is_null_hash(find_text(data, "after").value_or(""));
  return pushed(data, text_at(data, {"ref"}), hash_at(data, {"before"}), hash_at(data, {"after"}),
                removed);
}

ForgeEvent from_bitbucket_push(const json::value& data) {
  const bool removed = !has_object(data, "push.changes.0.new");
  const auto kind = text_at(data, {"push.changes.0.new.type", "push.changes.0.old.type"});
  if (kind == "tag") return nothing("a tag names code that was pushed before");
  return pushed(data, text_at(data, {"push.changes.0.new.name", "push.changes.0.old.name"}),
                hash_at(data, {"push.changes.0.old.target.hash"}),
                hash_at(data, {"push.changes.0.new.target.hash"}), removed);
}

ForgeEvent from_stash_push(const json::value& data) {
  const auto after = find_text(data, "changes.0.toHash").value_or("");
  return pushed(data, text_at(data, {"changes.0.ref.id", "changes.0.refId"}),
                hash_at(data, {"changes.0.fromHash"}), hash_at(data, {"changes.0.toHash"}),
                is_null_hash(after));
}

// Results of checks: kept with the pull request they belong to, else with their branch.
ForgeEvent from_check(const Event& event, std::string_view word) {
  const auto& data = event.data;
  const std::string root = word == "pipeline" ? "object_attributes" : std::string(word);
  const auto at = [&](std::string_view key) { return root + "." + std::string(key); };
  ForgeEvent out;
  out.subject = Subject::check;
  out.repository = text_at(data, {"repository.full_name", "project.path_with_namespace"});
  out.number = find_integer(data, at("pull_requests.0.number"))
                   .value_or(find_integer(data, "merge_request.iid").value_or(0));
  out.branch = text_at(data, {at("head_branch"), at("check_suite.head_branch"), at("ref")});
  out.head = hash_at(data, {at("head_sha"), at("sha"), "sha", "commit.sha"});
  out.check = text_at(data, {at("name"), at("app.name"), "context", "build_name",
                             "commit_status.name", "commit_status.key"});
  out.verb = text_at(data, {at("conclusion"), at("status"), "state", "build_status"});
  const auto facts = read_forge_facts(event.type, data);
  if (out.verb.empty()) out.verb = one_line(facts.state, name_bytes_max);
  if (out.head.empty() && is_hash(facts.sha)) out.head = facts.sha;
  if (out.repository.empty()) out.repository = one_line(facts.repository, name_bytes_max);
  for (const char* key : {"check_run.output.title", "check_run.output.summary", "description",
                          "commit_status.description", "build_failure_reason"}) {
    out.said += std::string(find_text(data, key).value_or("").substr(0, said_bytes_max)) + "\n";
  }
  if (out.branch.empty()) {
    out.branch = text_at(data, {"branches.0.name", "ref", "commit_status.refname"});
  }
  if (out.check.empty()) out.check = root;
  if (out.repository.empty() || (out.number <= 0 && out.branch.empty())) {
    return nothing("a check that belongs to no pull request and no branch");
  }
  return out;
}

}  // namespace

ForgeEvent read_forge_event(const Event& event) {
  const auto& data = event.data;
  const auto word = word_of(event.type, 1);
  if (event.type.starts_with("schedule.")) {
    ForgeEvent out;
    out.subject = Subject::schedule;
    out.step = Step::changed;
    out.verb = "due";
    return out;
  }
  if (!data.is_object()) return nothing("it has no payload that could name commits");
  for (const std::string_view check :
       {"check_run", "check_suite", "workflow_run", "workflow_job", "status", "pipeline"}) {
    if (word == check) return from_check(event, check);
  }
  const auto kind = text_at(data, {"object_kind"});
  if (kind == "build" || has_object(data, "commit_status")) return from_check(event, kind);
  if (kind == "pipeline") return from_check(event, "pipeline");
  if (kind == "merge_request") return from_gitlab(event);
  if (kind == "push") return from_push(data);
  if (!kind.empty()) return nothing(fmt::format("a GitLab {} changes no code", quoted(kind)));
  const bool talk = word.find("review") != std::string_view::npos ||
                    word.find("comment") != std::string_view::npos || has_object(data, "comment");
  if (talk) return nothing("what people say about a change does not change its code");
  if (has_object(data, "pull_request")) return from_github(event);
  if (has_object(data, "pullrequest")) return from_bitbucket(event);
  if (has_object(data, "pullRequest")) return from_stash(event);
  if (find_path(data, "push.changes.0") != nullptr) return from_bitbucket_push(data);
  if (find_path(data, "changes.0.toHash") != nullptr) return from_stash_push(data);
  if (find_path(data, "ref") != nullptr && find_path(data, "after") != nullptr) {
    return from_push(data);
  }
  return nothing(fmt::format("{} says nothing about the code of a repository", quoted(event.type)));
}

std::string case_key_of(const ForgeEvent& event) {
  if (event.number > 0) return fmt::format("{}#{}", event.repository, event.number);
  return fmt::format("{}@{}", event.repository, event.branch);
}

}  // namespace vigil::entities::codebase
