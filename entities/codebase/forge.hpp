#pragma once
// What the webhooks of forges say, in one form: GitHub, Gitea and Gogs, GitLab, Bitbucket Cloud and
// Server. Reads leniently: only what is used must be there. Pure; any thread.
#include <string>

#include "core/event.hpp"

namespace vigil::entities::codebase {

enum class Subject { pull_request, push, check, schedule, nothing };
enum class Step {
  changed,  // there is something new to look at
  closed,   // merged or given up; a branch that was removed
  other,    // about the same code: a label, an assignee, a result of a check
};

struct ForgeEvent {
  Subject subject = Subject::nothing;
  Step step = Step::other;
  std::string verb;        // opened, synchronize, labeled, as the forge says it
  std::string repository;  // octo/repo
  std::int64_t number = 0;
  std::string branch;    // pushed to, or proposed from
  std::string base;      // the commit before; empty: not said
  std::string head;      // the commit now
  std::string base_ref;  // the branch it is meant for
  std::string title;
  bool merged = false;
  std::string check;    // name of a check, with its conclusion in `verb`
  std::string said;     // and what it says of it
  std::string why_not;  // when nothing: one clause
};

ForgeEvent read_forge_event(const Event& event);

// octo/repo#12, octo/repo@main; at most 400 bytes, no control characters.
std::string case_key_of(const ForgeEvent& event);

}  // namespace vigil::entities::codebase
