#pragma once
// What the webhooks of forges say, in one form for all of them: GitHub, Gitea, Forgejo, Gogs,
// GitLab, Bitbucket Cloud and Server. Rules ask for it as forge.NAME. Reads leniently: what is not
// there stays empty. Pure; any thread.
#include <cstdint>
#include <optional>
#include <string>

#include "core/json.hpp"

namespace vigil::entities {

struct ForgeFacts {
  // pull_request push branch tag issue comment review release deployment check alert advisory ping;
  // of anything else the forge's own word.
  std::string kind;
  // opened closed merged reopened updated synchronized ready labeled created deleted edited
  // submitted pushed ...; empty where a forge names none.
  std::string action;
  std::string repository;   // octo/repo
  std::string sender;       // who did it, by login
  std::int64_t number = 0;  // of the pull request, else of the issue
  bool on_pull_request = false;
  std::string title;
  std::string source;  // the branch proposed from
  std::string target;  // the branch it is meant for; of a deployment the environment
  std::string sha;     // the commit it is about
  std::string before;  // of a push: the commit before; empty when there was none
  std::string ref;     // refs/heads/main, refs/tags/v1, or as the forge writes it
  std::string tag;
  std::string state;  // of a check its conclusion, of an alert whether it is open
  std::string body;   // what somebody wrote
  std::string url;
  std::optional<bool> draft;
  std::optional<bool> merged;
  std::optional<bool> deleted;
  std::optional<bool> forced;
  int commits = 0;
  // Of alerts and advisories about a dependency.
  std::string advisory;
  std::string severity;
  std::string ecosystem;
  std::string package;
  std::string vulnerable;  // ">= 2.0.4, < 2.0.6"
  std::string fixed;       // the first version without the flaw
};

// `type` as the presets of sources name it: github.pull_request.opened. Without a kind when the
// payload is none of a forge.
ForgeFacts read_forge_facts(std::string_view type, const json::value& data);

// Only what is there.
json::object to_json(const ForgeFacts& facts);

}  // namespace vigil::entities
