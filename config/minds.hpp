#pragma once
// Models and agents that may be asked, what they may cost, who approves what comes of them, and
// the tools of others they may use. Plain values; settings.hpp holds them.
#include <boost/json/object.hpp>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/secret.hpp"
#include "core/boxed.hpp"
#include "core/time.hpp"

namespace vigil::config {

enum class ModelApi {
  openai,     // POST <url>/chat/completions
  anthropic,  // POST <url>/messages
};

// In units of money a million tokens. What is read from a prompt cache, or written to one, is
// counted at its own price.
struct Price {  // [model.NAME.price], [agent.NAME.price]
  double input = 0;
  double output = 0;
  double cache_read = 0;
  double cache_write = 0;
};

struct ModelBudget {  // [model.NAME.budget]; a day, over all entities; 0: no limit
  std::int64_t tokens = 0;
  std::int64_t money_cents = 0;
  std::int64_t requests = 0;
};

struct Model {  // [model.NAME]
  std::string name;
  ModelApi api = ModelApi::openai;
  std::string url;
  std::string model;  // as the API calls it
  std::optional<SecretRef> key;
  std::map<std::string, std::string> headers;
  int concurrency = 4;
  int requests_per_minute = 0;         // 0: as many as the API takes
  std::int64_t tokens_per_minute = 0;  // 0: as many as the API takes
  Duration timeout = std::chrono::minutes{2};
  Duration stall = std::chrono::seconds{30};
  int retries = 2;
  std::int64_t input_tokens_max = 100'000;
  std::int64_t output_tokens_max = 4096;
  bool native_schema = true;
  bool cache_prompt = true;
  std::optional<double> temperature;
  std::vector<std::string> fallback;
  Price price;
  ModelBudget budget;
};

enum class AgentRecipe { claude, codex, command };
enum class AgentOutcome { discard, patch };

struct Agent {  // [agent.NAME]
  std::string name;
  AgentRecipe recipe = AgentRecipe::command;
  std::vector<std::string> argv;  // empty: that of the recipe
  std::string model;              // as the program calls it; empty: its own choice
  std::map<std::string, SecretRef> secrets;
  std::map<std::string, std::string> environment;
  std::string repository;  // its own worktree of this clone; empty: an empty directory
  AgentOutcome outcome = AgentOutcome::patch;
  std::size_t patch_bytes_max = 256 * 1024;
  bool keep_conversation = true;  // the next wake of the case goes on where this one ended
  Duration timeout = std::chrono::minutes{10};
  std::string sandbox = "net";
  std::vector<std::string> read_paths;
  std::vector<std::string> write_paths;
  Price price;
};

struct McpServer {  // [mcp.NAME]: exactly one of argv and url
  std::string name;
  std::vector<std::string> argv;
  std::string url;
  std::optional<SecretRef> key;              // of the url, as a bearer token
  std::map<std::string, SecretRef> secrets;  // of argv, as environment variables
  std::vector<std::string> tools = {"*"};    // patterns: what a task may be granted at all
  std::vector<std::string> reads;            // patterns: tools without an effect outside
  std::string sandbox = "net";
  Duration timeout = std::chrono::seconds{30};
  std::size_t result_bytes_max = 64 * 1024;
};

struct Planning {  // [planning]: bounds of a plan that a model wrote
  int tasks_max = 64;
  int width_max = 16;
  int depth_max = 6;
  std::int64_t tokens_max = 200'000;
  std::int64_t money_cents_max = 100;
  std::vector<std::string> programs;  // that its tasks may run; analysers they may always
  int examples = 3;                   // earlier plans it is shown, predicted beside actual
};

struct Approvals {       // [approvals]
  std::string link_url;  // public address of the door; empty: no links
  std::optional<SecretRef> link_secret;
  Duration link_expires = std::chrono::hours{72};
  Duration expires = std::chrono::hours{24 * 7};  // 0: a proposal waits for ever
  std::string tell_sink;
  int preference_after = 5;      // equal answers in a row; 0: never proposed
  int preference_uses_max = 50;  // the bound of a preference
  Duration preference_expires = std::chrono::hours{24 * 90};
  std::vector<std::string> github_from;  // logins
  std::vector<std::string> slack_from;   // ids of users
};

struct MemoryUpkeep {                      // [memory]
  std::string consolidate = "30 3 * * *";  // cron; empty: never
  std::string tz = "UTC";
  Duration unused_after = std::chrono::hours{24 * 90};
  double forget_below = 0.2;
  int episodes_max = 500;
  std::string model;
};

struct Allowance {  // [budget], [entity.NAME.budget.case]; 0: no limit
  std::int64_t tokens = 0;
  std::int64_t money_cents = 0;
  Duration compute{0};
  int notifications = 0;
  int swarms = 0;
};

struct Advice {                    // [entity.NAME.advice]
  std::string model;               // asked first; empty: nobody is
  std::string strong;              // asked when the first is not sure, and to verify
  std::vector<std::string> about;  // empty: all its kind can be advised about
  int findings_max = 5;
  double sure = 0.7;
  std::size_t input_bytes_max = 128 * 1024;
  Duration timeout = std::chrono::minutes{3};
};

struct RuleAsk {  // [entity.NAME.rule.task.ask]: members as of a task's `ask`
  std::string model;
  std::string prompt;
  boost::json::object schema;
  std::vector<std::string> tools;
  std::int64_t output_tokens_max = 0;
  std::string interface_prompt;
  boost::json::object interface_schema;
};

struct RuleAgent {  // [entity.NAME.rule.task.agent]
  std::string name;
  std::string prompt;
  std::string commit = "HEAD";
};

}  // namespace vigil::config
