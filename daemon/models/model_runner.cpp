#include "daemon/models/model_runner.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "core/digest.hpp"
#include "core/log.hpp"
#include "daemon/models/planning.hpp"
#include "daemon/models/price.hpp"
#include "daemon/models/prompt.hpp"
#include "daemon/models/schema.hpp"

namespace vigil::models {
namespace asio = boost::asio;
namespace {

constexpr int tool_rounds_max = 8;
constexpr std::size_t calls_in_a_round_max = 16;
constexpr std::size_t tool_text_bytes_max = 256 * 1024;

swarm::AttemptOutcome failed(std::string error, bool retryable) {
  swarm::AttemptOutcome out;
  out.error = std::move(error);
  out.retryable = retryable;
  return out;
}

// Models like to put JSON into a fence, and to say a word before it.
std::string_view json_part(std::string_view text) {
  const auto fence = text.find("```");
  if (fence != std::string_view::npos) {
    const auto begin = text.find('\n', fence);
    const auto end = begin == std::string_view::npos ? begin : text.find("```", begin);
    if (end != std::string_view::npos) return text.substr(begin + 1, end - begin - 1);
  }
  return text;
}

// The value, or what is wrong with the answer.
Result<json::value> fitting(const Said& said, const json::object& schema) {
  const auto parsed = parse_json(json_part(said.text));
  if (!parsed) {
    const auto* cut = said.end == End::length ? " (it was cut off at its longest)" : "";
    return fail(ErrorCode::invalid_input, fmt::format("the answer is not JSON{}", cut));
  }
  const auto wrong = misfits(*parsed, schema);
  if (wrong.empty()) return *parsed;
  return fail(ErrorCode::invalid_input, fmt::format("{}", fmt::join(wrong, "; ")));
}

std::string repair_of(const std::string& wrong, const json::object& schema) {
  return fmt::format(
      "Your answer cannot be used: {}. Answer again, with JSON alone, that fits this schema:\n{}",
      wrong, to_text(json::value(schema)));
}

// For models whose API does not hold answers to a schema.
void say_schema(Prompt& prompt) {
  prompt.system += fmt::format(
      "\n\nAnswer with one JSON value that fits this JSON Schema, and nothing else:\n{}",
      to_text(json::value(prompt.schema)));
}

}  // namespace

struct ModelRunner::Asked {
  swarm::Attempt attempt;
  Prompt prompt;
  std::string mark;
  bool has_read = false;  // what strangers wrote
  Spent spent;
};

ModelRunner::ModelRunner(Caller& caller, Tools* tools, Clock& clock)
    : caller_(caller), tools_(tools), clock_(clock) {}

asio::awaitable<swarm::AttemptOutcome> ModelRunner::run(swarm::Attempt attempt) {
  const auto& ask = *attempt.task.ask;
  for (const auto* schema : {&ask.schema, &ask.interface_schema}) {
    if (auto good = check_schema(*schema); !good) co_return failed(good.error().message, false);
  }
  auto asked = std::make_shared<Asked>();
  asked->mark = random_hex(8);
  asked->has_read = ask.tainted;
  asked->spent = [said = attempt.said](const std::string& model, const Usage& usage,
                                       std::int64_t micros) {
    auto cost = cost_of(usage, micros);
    // Per model, for whoever reads the report.
    cost[fmt::format("tokens of {}", model)] = usage.sum();
    if (micros > 0) cost[fmt::format("money_micros of {}", model)] = micros;
    if (said) said({{"cost", std::move(cost)}});
  };
  asked->attempt = std::move(attempt);
  asked->prompt = prompt_of(asked->attempt, asked->mark);
  if (asked->attempt.task.planner) ask_for_plan(asked->prompt, asked->attempt.task, planning_);
  auto granting = grant(asked);
  Result<void> granted = co_await std::move(granting);
  if (!granted) co_return failed(granted.error().message, false);
  auto asking = ask_in_order(asked);
  co_return co_await std::move(asking);
}

// The interface first, if there is one; then the whole, which must keep to it.
asio::awaitable<swarm::AttemptOutcome> ModelRunner::ask_in_order(std::shared_ptr<Asked> asked) {
  const auto& ask = *asked->attempt.task.ask;
  if (!ask.interface_prompt.empty()) {
    auto first = std::make_shared<Asked>(*asked);
    first->prompt.turns.push_back({Turn::Who::user, ask.interface_prompt, {}, ""});
    first->prompt.schema = ask.interface_schema;
    auto promising = answer(first);
    Answer promise = co_await std::move(promising);
    if (!promise.ok) {
      auto out = failed("the interface: " + promise.error, promise.retryable);
      out.result = std::move(promise.value);
      co_return out;
    }
    asked->has_read = asked->has_read || first->has_read;
    if (asked->attempt.said) asked->attempt.said({{"interface", promise.value}});
    asked->prompt.turns.push_back({Turn::Who::user, ask.interface_prompt, {}, ""});
    asked->prompt.turns.push_back({Turn::Who::assistant, to_text(promise.value), {}, ""});
    asked->prompt.turns.push_back(
        {Turn::Who::user, "Now do the task. Others build on this interface: keep to it.", {}, ""});
  }
  auto answering = answer(asked);
  Answer given = co_await std::move(answering);
  swarm::AttemptOutcome out;
  out.ok = given.ok;
  out.exit_code = given.ok ? 0 : -1;
  out.retryable = given.retryable;
  out.result = std::move(given.value);
  out.error = std::move(given.error);
  if (!out.ok || !asked->attempt.task.planner) co_return out;
  const auto price = [this](const std::string& model) {
    const auto* known = caller_.find(model);
    return known == nullptr ? config::Price{} : known->price;
  };
  auto bounded = hold_plan(out.result, asked->attempt.task, planning_, price);
  if (!bounded) co_return failed("its plan is out of bounds: " + bounded.error().message, true);
  if (asked->attempt.said) asked->attempt.said({{"planned", to_json(*bounded)}});
  co_return out;
}

asio::awaitable<Result<void>> ModelRunner::grant(std::shared_ptr<Asked> asked) {
  std::vector<std::string> wanted = asked->attempt.task.ask->tools;
  if (asked->has_read && tools_ != nullptr) {
    const auto kept = std::ranges::partition(
        wanted, [&](const std::string& tool) { return !tools_->has_effect(tool); });
    if (!kept.empty() && asked->attempt.said) {
      asked->attempt.said({{"note", fmt::format("without {}, which acts outside: the question may "
                                                "have read what strangers wrote",
                                                fmt::join(kept, ", "))}});
    }
    wanted.erase(kept.begin(), kept.end());
  }
  if (wanted.empty()) co_return Result<void>();
  if (tools_ == nullptr) {
    co_return fail(ErrorCode::not_found, fmt::format("there is no tool {}: define its [mcp.NAME]",
                                                     vigil::quoted(wanted[0])));
  }
  auto describing = tools_->describe(std::move(wanted), asked->attempt.deadline);
  Result<std::vector<ToolSpec>> described = co_await std::move(describing);
  if (!described) co_return std::unexpected(described.error());
  asked->prompt.tools = std::move(*described);
  co_return Result<void>();
}

// The model that was named, then those that stand in for it.
asio::awaitable<ModelRunner::Answer> ModelRunner::answer(std::shared_ptr<Asked> asked) {
  const auto& name = asked->attempt.task.ask->model;
  std::vector<std::string> chain{name};
  if (const auto* model = caller_.find(name)) {
    chain.insert(chain.end(), model->fallback.begin(), model->fallback.end());
  }
  Answer last;
  std::string earlier;
  const Prompt prompt = asked->prompt;
  for (const auto& model : chain) {
    asked->prompt = prompt;
    auto answering = answer_of(model, asked);
    last = co_await std::move(answering);
    if (last.ok) co_return last;
    last.error = earlier + last.error;
    earlier = last.error + "; ";
    if (clock_.now() >= asked->attempt.deadline) break;
  }
  co_return last;
}

asio::awaitable<ModelRunner::Answer> ModelRunner::answer_of(std::string model,
                                                            std::shared_ptr<Asked> asked) {
  Prompt& prompt = asked->prompt;
  const auto schema = prompt.schema;
  const auto* settings = caller_.find(model);
  if (!schema.empty() && settings != nullptr && !settings->native_schema) say_schema(prompt);
  Answer out;
  for (int tries = 0; tries < 2; ++tries) {
    auto conversing = converse(model, asked);
    std::expected<Said, NoAnswer> said = co_await std::move(conversing);
    if (!said) {
      out.error = said.error().error.message;
      out.retryable = said.error().may_be_better_later;
      co_return out;
    }
    out.value = json::string(to_valid_utf8(said->text));
    if (said->end == End::refused) {
      out.error = fmt::format("model '{}' will not answer this", model);
      out.retryable = false;
      co_return out;
    }
    if (schema.empty()) {
      out.ok = said->end != End::length;
      if (!out.ok) out.error = "the answer was cut off at its longest: raise output_tokens_max";
      co_return out;
    }
    auto fits = fitting(*said, schema);
    if (fits) {
      out.value = std::move(*fits);
      out.ok = true;
      out.error.clear();
      co_return out;
    }
    out.error = fmt::format("model '{}', asked twice: {}", model, fits.error().message);
    prompt.turns.push_back({Turn::Who::assistant, said->text, {}, ""});
    prompt.turns.push_back({Turn::Who::user, repair_of(fits.error().message, schema), {}, ""});
  }
  co_return out;
}

// Until it says something else than which tools it wants.
asio::awaitable<std::expected<Said, NoAnswer>> ModelRunner::converse(std::string model,
                                                                     std::shared_ptr<Asked> asked) {
  for (int round = 0; round <= tool_rounds_max; ++round) {
    auto calling = caller_.call(model, asked->prompt, asked->attempt.deadline, asked->spent);
    std::expected<Said, NoAnswer> said = co_await std::move(calling);
    if (!said || said->calls.empty()) co_return said;
    asked->prompt.turns.push_back({Turn::Who::assistant, said->text, said->calls, ""});
    auto using_them = use_tools(said->calls, asked);
    co_await std::move(using_them);
  }
  co_return std::unexpected(NoAnswer{Error{
      ErrorCode::too_large,
      fmt::format("model '{}' used tools {} times and gave no answer", model, tool_rounds_max)}});
}

asio::awaitable<void> ModelRunner::use_tools(std::vector<ToolCall> calls,
                                             std::shared_ptr<Asked> asked) {
  std::size_t number = 0;
  for (auto& call : calls) {
    Turn turn{Turn::Who::tool, "", {}, call.id};
    if (++number > calls_in_a_round_max) {
      turn.text = "Not called: too many calls at once.";
    } else {
      const auto name = call.name;
      auto one = use_tool(std::move(call), asked);
      std::string text = co_await std::move(one);
      turn.text = data_block(fmt::format("result of {}", name), text, asked->mark);
    }
    asked->prompt.turns.push_back(std::move(turn));
  }
}

asio::awaitable<std::string> ModelRunner::use_tool(ToolCall call, std::shared_ptr<Asked> asked) {
  const bool granted = std::ranges::find(asked->prompt.tools, call.name, &ToolSpec::name) !=
                       asked->prompt.tools.end();
  if (!granted || tools_ == nullptr) {
    co_return fmt::format("There is no tool {}.", vigil::quoted(call.name));
  }
  // What an earlier tool gave may have been written by anybody.
  if (asked->has_read && tools_->has_effect(call.name)) {
    co_return "Not called: it acts outside, and this task has read what others wrote.";
  }
  auto arguments = parse_json(call.arguments.empty() ? "{}" : call.arguments);
  if (!arguments || !arguments->is_object()) co_return "Not called: its input is no JSON object.";
  auto calling =
      tools_->call(call.name, std::move(arguments->as_object()), asked->attempt.deadline);
  Result<std::string> result = co_await std::move(calling);
  asked->has_read = true;
  if (!result) co_return "It failed: " + result.error().message;
  if (result->size() > tool_text_bytes_max) {
    result->resize(tool_text_bytes_max);
    *result += "\n(the rest was cut off)";
  }
  co_return std::move(*result);
}

}  // namespace vigil::models
