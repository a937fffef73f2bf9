#include "daemon/models/agent_recipes.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cmath>

#include "core/log.hpp"
#include "daemon/models/dialect.hpp"

namespace vigil::models {
namespace {

AgentCommand claude(const config::Agent& agent, const std::string& prompt,
                    const std::string& conversation) {
  AgentCommand out{agent.argv, prompt};
  if (out.argv.empty()) out.argv = {"claude", "--permission-mode", "acceptEdits"};
  out.argv.insert(out.argv.end(), {"-p", "--output-format", "json"});
  if (!agent.model.empty()) out.argv.insert(out.argv.end(), {"--model", agent.model});
  if (!conversation.empty()) out.argv.insert(out.argv.end(), {"--resume", conversation});
  return out;
}

AgentCommand codex(const config::Agent& agent, const std::string& prompt,
                   const std::string& conversation) {
  AgentCommand out{agent.argv, prompt};
  if (out.argv.empty()) {
    out.argv = {"codex", "exec", "--skip-git-repo-check"};
    // Its own sandbox needs namespaces, which nobody can make inside ours: no command would run.
    if (agent.sandbox == "none") {
      out.argv.insert(out.argv.end(), {"--sandbox", "workspace-write"});
    } else {
      out.argv.emplace_back("--dangerously-bypass-approvals-and-sandbox");
    }
  }
  out.argv.emplace_back("--json");
  if (!agent.model.empty()) out.argv.insert(out.argv.end(), {"--model", agent.model});
  if (!conversation.empty()) out.argv.insert(out.argv.end(), {"resume", conversation});
  out.argv.emplace_back("-");  // the prompt stands on standard input
  return out;
}

AgentCommand command(const config::Agent& agent, const std::string& prompt) {
  constexpr std::string_view mark = "{prompt}";
  AgentCommand out{agent.argv, prompt};
  for (auto& argument : out.argv) {
    const auto at = argument.find(mark);
    if (at == std::string::npos) continue;
    argument.replace(at, mark.size(), prompt);
    out.standard_input.clear();
  }
  return out;
}

// By model, those of its sub-agents included; `usage` beside it leaves these out.
Usage usage_of_models(const json::object& models) {
  Usage out;
  for (const auto& model : models) {
    out.input += count_of(model.value(), "inputTokens");
    out.output += count_of(model.value(), "outputTokens");
    out.cache_read += count_of(model.value(), "cacheReadInputTokens");
    out.cache_write += count_of(model.value(), "cacheCreationInputTokens");
  }
  out.told = true;
  return out;
}

// One object; with --verbose the last of a list.
AgentSaid from_claude(std::string_view printed) {
  AgentSaid out;
  const auto parsed = parse_json(printed);
  const json::value* result = parsed ? &*parsed : nullptr;
  if (result != nullptr && result->is_array()) {
    const auto& list = result->as_array();
    result = list.empty() ? nullptr : &list.back();
  }
  if (result == nullptr || find_text(*result, "type").value_or("") != "result") {
    out.error = fmt::format("it printed no result: {}", vigil::quoted(printed));
    return out;
  }
  out.has_spoken = true;
  out.answer = find_text(*result, "result").value_or("");
  out.conversation = find_text(*result, "session_id").value_or("");
  if (const auto* models = find_path(*result, "modelUsage"); models && models->is_object()) {
    out.usage = usage_of_models(models->as_object());
  }
  if (const auto* cost = find_path(*result, "total_cost_usd"); cost && cost->is_number()) {
    out.micros = std::llround(cost->to_number<double>() * 1e6);
  }
  // What the API refused is told as an error of the subtype "success".
  const auto subtype = find_text(*result, "subtype").value_or("success");
  out.ok = !find_bool(*result, "is_error").value_or(false) && subtype == "success";
  if (out.ok) return out;
  const auto* why = find_path(*result, "errors.0");
  const std::string_view text = !out.answer.empty()                  ? std::string_view(out.answer)
                                : why != nullptr && why->is_string() ? why->get_string()
                                                                     : std::string_view();
  out.error = fmt::format("it ended with {}{}", subtype == "success" ? "an error" : subtype,
                          text.empty() ? "" : ": " + vigil::quoted(text));
  return out;
}

void hear_codex(const json::value& event, AgentSaid& out) {
  const auto type = find_text(event, "type").value_or("");
  if (type == "thread.started") {
    out.conversation = find_text(event, "thread_id").value_or("");
  } else if (type == "item.completed" &&
             find_text(event, "item.type").value_or("") == "agent_message") {
    out.answer = find_text(event, "item.text").value_or("");
  } else if (type == "turn.completed") {
    if (const auto* usage = find_path(event, "usage"); usage && usage->is_object()) {
      out.usage.cache_read = count_of(*usage, "cached_input_tokens");
      out.usage.cache_write = count_of(*usage, "cache_write_input_tokens");
      // The input there counts those, too.
      out.usage.input = std::max<std::int64_t>(
          count_of(*usage, "input_tokens") - out.usage.cache_read - out.usage.cache_write, 0);
      out.usage.output = count_of(*usage, "output_tokens");
      out.usage.told = true;
    }
    out.ok = out.has_spoken = true;
  } else if (type == "turn.failed") {
    out.ok = false;
    out.has_spoken = true;
    out.error = fmt::format("its turn failed: {}",
                            vigil::quoted(find_text(event, "error.message").value_or("")));
  } else if (type == "error") {
    out.has_spoken = true;
    out.error = fmt::format("it says {}", vigil::quoted(find_text(event, "message").value_or("")));
  }
}

AgentSaid from_codex(std::string_view printed) {
  AgentSaid out;
  while (!printed.empty()) {
    const auto end = printed.find('\n');
    const auto line = printed.substr(0, end);
    printed.remove_prefix(end == std::string_view::npos ? printed.size() : end + 1);
    // What is no event is left alone: newer versions may print more.
    if (const auto event = parse_json(line); event && event->is_object()) hear_codex(*event, out);
  }
  if (out.ok) out.error.clear();
  if (!out.ok && out.error.empty()) out.error = "it completed no turn";
  return out;
}

AgentSaid from_command(std::string_view printed) {
  AgentSaid out;
  out.ok = true;
  out.answer = printed;
  while (out.answer.ends_with('\n')) out.answer.pop_back();
  return out;
}

}  // namespace

AgentCommand command_of(const config::Agent& agent, const std::string& prompt,
                        const std::string& conversation) {
  switch (agent.recipe) {
    case config::AgentRecipe::claude:
      return claude(agent, prompt, conversation);
    case config::AgentRecipe::codex:
      return codex(agent, prompt, conversation);
    case config::AgentRecipe::command:
      break;
  }
  return command(agent, prompt);
}

AgentSaid understood(const config::Agent& agent, std::string_view printed) {
  switch (agent.recipe) {
    case config::AgentRecipe::claude:
      return from_claude(printed);
    case config::AgentRecipe::codex:
      return from_codex(printed);
    case config::AgentRecipe::command:
      break;
  }
  return from_command(printed);
}

bool has_forgotten(const config::Agent& agent, std::string_view error) {
  switch (agent.recipe) {
    case config::AgentRecipe::claude:
      return error.find("No conversation found with session ID") != std::string_view::npos;
    case config::AgentRecipe::codex:
      return error.find("no rollout found for thread id") != std::string_view::npos;
    case config::AgentRecipe::command:
      break;
  }
  return false;
}

}  // namespace vigil::models
