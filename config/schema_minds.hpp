#pragma once
// Keys of [model.NAME], [agent.NAME], [mcp.NAME] and of what bounds them. See schema.hpp.
#include "config/minds.hpp"
#include "config/spec.hpp"
#include "config/words.hpp"

namespace vigil::config {

inline constexpr std::int64_t tokens_limit = 1'000'000'000'000;

template <class Visitor>
void describe(Visitor& v, Price& of) {
  v.value(Spec{.name = "input", .meaning = "of a million tokens that are sent"}, of.input);
  v.value(Spec{.name = "output", .meaning = "of a million tokens that are answered"}, of.output);
  v.value(Spec{.name = "cache_read", .meaning = "of a million tokens read from a prompt cache"},
          of.cache_read);
  v.value(Spec{.name = "cache_write", .meaning = "of a million tokens written to a prompt cache"},
          of.cache_write);
}

template <class Visitor>
void describe(Visitor& v, ModelBudget& of) {
  v.value(Spec{.name = "tokens", .meaning = "a day, over all entities; 0: no limit"}, of.tokens);
  v.value(Spec{.name = "money_cents", .meaning = "cost a day, in cents; 0: no limit"},
          of.money_cents);
  v.value(Spec{.name = "requests", .meaning = "calls a day; 0: no limit"}, of.requests);
}

// How often, how long and how much.
template <class Visitor>
void describe_limits(Visitor& v, Model& of) {
  v.value(Spec{.name = "concurrency", .meaning = "calls at once", .least = 1, .most = 10'000},
          of.concurrency);
  v.value(Spec{.name = "requests_per_minute",
               .meaning = "calls begun in a minute; 0: as many as the API takes"},
          of.requests_per_minute);
  v.value(Spec{.name = "tokens_per_minute",
               .meaning = "tokens in a minute, counted as the API does; 0: as many as it takes"},
          of.tokens_per_minute);
  v.value(Spec{.name = "timeout", .meaning = "time for one call", .least = in_us(100ms)},
          of.timeout);
  v.value(Spec{.name = "stall",
               .meaning = "a call that sends nothing for so long is given up",
               .least = in_us(100ms)},
          of.stall);
  v.value(Spec{.name = "retries",
               .meaning = "calls after one that was refused for now, or cut off",
               .most = 20},
          of.retries);
  v.value(Spec{.name = "input_tokens_max",
               .meaning = "a longer prompt is refused before it is sent",
               .least = 100,
               .most = tokens_limit},
          of.input_tokens_max);
  v.value(Spec{.name = "output_tokens_max",
               .meaning = "longest answer, unless the task says less",
               .least = 1,
               .most = tokens_limit},
          of.output_tokens_max);
}

template <class Visitor>
void describe(Visitor& v, Model& of) {
  v.value(Spec{.name = "api", .meaning = "which form its calls have"}, of.api);
  v.value(Spec{.name = "url",
               .meaning = "of the API, up to its version: https://api.example.com/v1",
               .presence = Presence::required,
               .form = Form::url},
          of.url);
  v.value(Spec{.name = "model", .meaning = "what the API calls it", .presence = Presence::required},
          of.model);
  v.value(Spec{.name = "key", .meaning = "of the API"}, of.key);
  v.value(Spec{.name = "headers",
               .meaning = "sent with each call; not the place for secrets",
               .form = Form::header_name},
          of.headers);
  describe_limits(v, of);
  v.value(Spec{.name = "native_schema",
               .meaning = "the API holds answers to a schema; false: the prompt asks for it"},
          of.native_schema);
  v.value(Spec{.name = "cache_prompt",
               .meaning = "marks what is the same in many prompts, where the API keeps that"},
          of.cache_prompt);
  v.value(Spec{.name = "temperature", .meaning = "how free it answers; none: as the API likes"},
          of.temperature);
  v.value(Spec{.name = "fallback",
               .meaning = "models that are asked when this one cannot answer, in this order",
               .form = Form::name,
               .most = 5},
          of.fallback);
  v.table(Spec{.name = "price", .meaning = "what it costs"}, of.price);
  v.table(Spec{.name = "budget", .meaning = "what it may use in a day"}, of.budget);
}

// What it may touch.
template <class Visitor>
void describe_place(Visitor& v, Agent& of) {
  v.value(Spec{.name = "repository",
               .meaning = "a local clone: each run gets a working tree of its own; empty: an empty "
                          "directory",
               .form = Form::path},
          of.repository);
  v.value(
      Spec{.name = "outcome",
           .meaning = "what becomes of its working tree: thrown away, or a patch in the result"},
      of.outcome);
  v.value(Spec{.name = "patch_bytes_max",
               .meaning = "a larger patch is a failure",
               .least = 1024,
               .most = 16 * 1024 * 1024},
          of.patch_bytes_max);
  v.value(Spec{.name = "sandbox",
               .meaning = "strict: no network, own directory; net: with network; none: as vigild",
               .choices = sandboxes},
          of.sandbox);
  v.value(Spec{.name = "read_paths", .meaning = "what else it may read", .form = Form::path},
          of.read_paths);
  v.value(Spec{.name = "write_paths", .meaning = "what else it may write", .form = Form::path},
          of.write_paths);
}

template <class Visitor>
void describe(Visitor& v, Agent& of) {
  v.value(Spec{.name = "recipe", .meaning = "which program it is, and so how it is spoken to"},
          of.recipe);
  v.value(Spec{.name = "argv",
               .meaning = "program and arguments; empty: that of the recipe. Recipe command: "
                          "{prompt} is replaced, without it the prompt comes on standard input",
               .form = Form::program},
          of.argv);
  v.value(Spec{.name = "model", .meaning = "what the program calls it; empty: its own choice"},
          of.model);
  v.value(Spec{.name = "secrets",
               .meaning = "[agent.NAME.secrets]: environment variables that hold secrets"},
          of.secrets);
  v.value(Spec{.name = "environment",
               .meaning = "[agent.NAME.environment]: other environment variables"},
          of.environment);
  describe_place(v, of);
  v.value(Spec{.name = "keep_conversation",
               .meaning = "the next run for the same case goes on where the last one ended"},
          of.keep_conversation);
  v.value(Spec{.name = "timeout", .meaning = "time for one run", .least = in_us(1s)}, of.timeout);
  v.table(Spec{.name = "price", .meaning = "what it costs, where it does not say itself"},
          of.price);
}

template <class Visitor>
void describe(Visitor& v, McpServer& of) {
  v.value(Spec{.name = "argv",
               .meaning = "a server that is spoken to on its standard input and output",
               .form = Form::program},
          of.argv);
  v.value(Spec{.name = "url", .meaning = "or one that is reached over HTTP", .form = Form::url},
          of.url);
  v.value(Spec{.name = "key", .meaning = "of the url: sent as a bearer token"}, of.key);
  v.value(Spec{.name = "secrets",
               .meaning = "[mcp.NAME.secrets]: environment variables of argv that hold secrets"},
          of.secrets);
  v.value(Spec{.name = "tools",
               .meaning = "names or patterns: what tasks may be granted",
               .form = Form::pattern},
          of.tools);
  v.value(Spec{.name = "reads",
               .meaning = "names or patterns of those that only look; every other one counts as an "
                          "effect outside, and is kept from tasks that have read what strangers "
                          "wrote",
               .form = Form::pattern},
          of.reads);
  v.value(Spec{.name = "sandbox", .meaning = "of argv, as of a task", .choices = sandboxes},
          of.sandbox);
  v.value(Spec{.name = "timeout", .meaning = "time for one call", .least = in_us(100ms)},
          of.timeout);
  v.value(Spec{.name = "result_bytes_max",
               .meaning = "what is longer is cut, and says so",
               .least = 1024,
               .most = 16 * 1024 * 1024},
          of.result_bytes_max);
}

template <class Visitor>
void describe(Visitor& v, Planning& of) {
  v.value(Spec{.name = "tasks_max", .meaning = "tasks in all", .least = 1, .most = 10'000},
          of.tasks_max);
  v.value(Spec{.name = "width_max",
               .meaning = "tasks that could run at once",
               .least = 1,
               .most = 10'000},
          of.width_max);
  v.value(Spec{.name = "depth_max",
               .meaning = "tasks that wait for one another in a row",
               .least = 1,
               .most = 100},
          of.depth_max);
  v.value(Spec{.name = "tokens_max",
               .meaning = "tokens its own questions may take together; 0: no limit"},
          of.tokens_max);
  v.value(Spec{.name = "money_cents_max",
               .meaning = "what its own questions may cost together; 0: no limit"},
          of.money_cents_max);
  v.value(Spec{.name = "programs",
               .meaning = "programs its tasks may run beside analysers, reducers and models"},
          of.programs);
  v.value(Spec{.name = "examples",
               .meaning = "earlier plans that the planner is shown, with what they were to take "
                          "and what they took",
               .most = 20},
          of.examples);
}

template <class Visitor>
void describe(Visitor& v, Approvals& of) {
  v.value(Spec{.name = "link_url",
               .meaning = "where people reach the door from outside; empty: no links to approve by",
               .form = Form::url},
          of.link_url);
  v.value(Spec{.name = "link_secret", .meaning = "signs these links"}, of.link_secret);
  v.value(
      Spec{.name = "link_expires", .meaning = "how long a link can be used", .least = in_us(1min)},
      of.link_expires);
  v.value(Spec{.name = "expires",
               .meaning = "a proposal that nobody answers ends after this, unless it says "
                          "otherwise; 0s: never"},
          of.expires);
  v.value(Spec{.name = "tell_sink",
               .meaning = "sink that is told of each proposal; empty: they wait for vigilctl",
               .form = Form::name},
          of.tell_sink);
  v.value(Spec{.name = "preference_after",
               .meaning = "so many approvals of alike proposals in a row, and it is proposed to "
                          "approve them always; 0: never",
               .most = 1000},
          of.preference_after);
  v.value(Spec{.name = "preference_uses_max",
               .meaning = "how often such a preference approves before it is asked about again",
               .least = 1},
          of.preference_uses_max);
  v.value(Spec{.name = "preference_expires", .meaning = "and for how long", .least = in_us(1h)},
          of.preference_expires);
  v.value(Spec{.name = "github_from", .meaning = "logins whose commands in comments count"},
          of.github_from);
  v.value(Spec{.name = "slack_from", .meaning = "ids of users whose commands in chats count"},
          of.slack_from);
}

template <class Visitor>
void describe(Visitor& v, MemoryUpkeep& of) {
  v.value(Spec{.name = "consolidate",
               .meaning = "when episodes become facts and preferences; empty: never",
               .form = Form::cron},
          of.consolidate);
  v.value(Spec{.name = "tz", .meaning = "zone in which that is meant", .form = Form::zone}, of.tz);
  v.value(Spec{.name = "unused_after",
               .meaning = "a fact that nobody used for so long is halved in confidence",
               .least = in_us(1h)},
          of.unused_after);
  v.value(Spec{.name = "forget_below", .meaning = "a fact of less confidence is forgotten"},
          of.forget_below);
  v.value(Spec{.name = "episodes_max",
               .meaning = "episodes of one entity that are looked at in one night",
               .least = 1,
               .most = 100'000},
          of.episodes_max);
  v.value(Spec{.name = "model",
               .meaning = "model that is asked to help; empty: counting alone",
               .form = Form::name},
          of.model);
}

template <class Visitor>
void describe(Visitor& v, Allowance& of) {
  v.value(Spec{.name = "tokens", .meaning = "model tokens a day; 0: no limit"}, of.tokens);
  v.value(Spec{.name = "money_cents", .meaning = "cost a day, in cents; 0: no limit"},
          of.money_cents);
  v.value(Spec{.name = "compute", .meaning = "sum of task times a day; 0s: no limit"}, of.compute);
  v.value(
      Spec{.name = "notifications", .meaning = "actions a day that a person will see; 0: no limit"},
      of.notifications);
  v.value(Spec{.name = "swarms", .meaning = "swarms a day; 0: no limit"}, of.swarms);
}

template <class Visitor>
void describe(Visitor& v, Advice& of) {
  v.value(Spec{.name = "model",
               .meaning = "model that is asked; empty: nobody is, and all goes as without models",
               .form = Form::name},
          of.model);
  v.value(Spec{.name = "strong",
               .meaning = "model that verifies, and that is asked when the first is not sure; "
                          "empty: the same",
               .form = Form::name},
          of.strong);
  v.value(Spec{.name = "about",
               .meaning = "what it is asked about: review, failure, move, mail, incident; empty: "
                          "all of its kind",
               .most = 10},
          of.about);
  v.value(Spec{.name = "findings_max",
               .meaning = "findings of a model that are shown at once",
               .least = 1,
               .most = 100},
          of.findings_max);
  v.value(
      Spec{.name = "sure",
           .meaning = "an answer of less confidence is asked of the strong model, then left out"},
      of.sure);
  v.value(Spec{.name = "input_bytes_max",
               .meaning = "most that is shown to a model; the rest is left out, and it is told so",
               .least = 1024,
               .most = 16 * 1024 * 1024},
          of.input_bytes_max);
  v.value(Spec{.name = "timeout", .meaning = "time for one question", .least = in_us(1s)},
          of.timeout);
}

template <class Visitor>
void describe(Visitor& v, RuleAsk& of) {
  v.value(Spec{.name = "model",
               .meaning = "name of a model",
               .presence = Presence::required,
               .form = Form::name},
          of.model);
  v.value(Spec{.name = "prompt",
               .meaning = "what is asked; holds no {{expressions}}: what comes from events stands "
                          "in `input`, and is shown as data",
               .presence = Presence::required},
          of.prompt);
  v.value(Spec{.name = "schema", .meaning = "JSON schema of the answer; none: any text"},
          of.schema);
  v.value(Spec{.name = "tools", .meaning = "tools it may use: mcp.SERVER.TOOL"}, of.tools);
  v.value(Spec{.name = "output_tokens_max",
               .meaning = "longest answer; 0: as the model's",
               .most = tokens_limit},
          of.output_tokens_max);
  v.value(Spec{.name = "interface_prompt",
               .meaning = "what is asked first, for the interface that others start on; empty: "
                          "nothing is"},
          of.interface_prompt);
  v.value(Spec{.name = "interface_schema", .meaning = "JSON schema of the interface"},
          of.interface_schema);
}

template <class Visitor>
void describe(Visitor& v, RuleAgent& of) {
  v.value(Spec{.name = "name",
               .meaning = "name of an agent",
               .presence = Presence::required,
               .form = Form::name},
          of.name);
  v.value(Spec{.name = "prompt",
               .meaning = "what it is to do; holds no {{expressions}}, as of `ask`",
               .presence = Presence::required},
          of.prompt);
  v.value(
      Spec{.name = "commit", .meaning = "what its working tree shows; may hold {{expressions}}"},
      of.commit);
}

}  // namespace vigil::config
