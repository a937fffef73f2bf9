#pragma once
// How each agent program is called and what it prints. Pure; any thread.
// Sources: claude: https://docs.claude.com/en/docs/claude-code/sdk/sdk-headless (-p,
// --output-format json, --resume; one object of type "result" with session_id, total_cost_usd and
// modelUsage). codex: docs/exec.md and codex-rs/exec/src/exec_events.rs of github.com/openai/codex
// (exec --json, exec --json resume ID -; lines thread.started, item.completed, turn.completed).
// That both count over a whole conversation, and what they say when they know it no longer, was
// seen with the versions docs/models.md names.
#include <string>
#include <string_view>
#include <vector>

#include "config/minds.hpp"
#include "daemon/models/talk.hpp"

namespace vigil::models {

struct AgentCommand {
  std::vector<std::string> argv;
  std::string standard_input;
};
// `conversation`: what an earlier run said; empty: a new one.
AgentCommand command_of(const config::Agent& agent, const std::string& prompt,
                        const std::string& conversation);

struct AgentSaid {
  bool ok = false;
  bool has_spoken = false;  // of how it ended
  std::string error;        // why not
  std::string answer;
  std::string conversation;  // to go on with; empty: it cannot
  // Of the whole conversation, what went before this run included.
  Usage usage;
  std::int64_t micros = -1;  // what it says it cost; -1: it does not say
};
AgentSaid understood(const config::Agent& agent, std::string_view printed);

// Whether a program that failed with this error did so because it knows the conversation no longer.
bool has_forgotten(const config::Agent& agent, std::string_view error);

}  // namespace vigil::models
