// Messages. An answer that must fit a schema is asked for as the one tool it has to call; what a
// prompt has in common with others is marked for the cache. `input_tokens` does not count what was
// read from the cache or written to it.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <map>

#include "daemon/models/dialect.hpp"

namespace vigil::models {
namespace {

constexpr std::string_view answer_tool = "answer";

std::string tool_name(std::string name) {
  std::ranges::replace(name, '.', '-');
  return name;
}

// The input of a tool is an object: any other answer is its one member.
bool is_object_schema(const json::object& schema) {
  return find_text(schema, "type").value_or("") == "object";
}

json::object answer_schema(const json::object& schema) {
  if (is_object_schema(schema)) return schema;
  return {{"type", "object"},
          {"properties", {{"answer", schema}}},
          {"required", json::array{"answer"}}};
}

json::object text_block(const std::string& text) {
  // An empty text block is refused.
  return {{"type", "text"}, {"text", text.empty() ? " " : text}};
}

json::object turn_of(const Turn& turn) {
  if (turn.who == Turn::Who::user) {
    return {{"role", "user"}, {"content", json::array{text_block(turn.text)}}};
  }
  if (turn.who == Turn::Who::tool) {
    return {{"role", "user"},
            {"content",
             json::array{json::object{
                 {"type", "tool_result"}, {"tool_use_id", turn.answers}, {"content", turn.text}}}}};
  }
  json::array content;
  if (!turn.text.empty() || turn.calls.empty()) content.push_back(text_block(turn.text));
  for (const auto& call : turn.calls) {
    auto input = parse_json(call.arguments);
    content.push_back(json::object{
        {"type", "tool_use"},
        {"id", call.id},
        {"name", tool_name(call.name)},
        {"input", input && input->is_object() ? *input : json::value(json::object{})}});
  }
  return {{"role", "assistant"}, {"content", std::move(content)}};
}

// Turns of the same side follow one another as one.
json::array turns_of(const std::vector<Turn>& turns) {
  json::array out;
  for (const auto& turn : turns) {
    auto next = turn_of(turn);
    if (!out.empty() && out.back().at("role") == next.at("role")) {
      auto& content = out.back().as_object()["content"].as_array();
      for (auto& block : next["content"].as_array()) content.push_back(std::move(block));
      continue;
    }
    out.push_back(std::move(next));
  }
  return out;
}

End end_of(std::string_view reason) {
  if (reason == "max_tokens" || reason == "model_context_window_exceeded") return End::length;
  if (reason == "tool_use") return End::tools;
  if (reason == "refusal") return End::refused;
  return End::done;
}

class Message final : public Listener {
 public:
  explicit Message(const Prompt& prompt) : wraps_(!is_object_schema(prompt.schema)) {
    for (const auto& tool : prompt.tools) names_.push_back(tool.name);
  }

 private:
  void event(const json::value& data) override {
    const auto type = find_text(data, "type").value_or("");
    if (type == "message_start") {
      if (const auto* usage = find_path(data, "message.usage")) take_usage(*usage);
    } else if (type == "content_block_start") {
      if (const auto* block = find_path(data, "content_block")) begin(data, *block);
    } else if (type == "content_block_delta") {
      take_delta(data);
    } else if (type == "message_delta") {
      if (const auto* usage = find_path(data, "usage")) take_usage(*usage);
      if (const auto reason = find_text(data, "delta.stop_reason")) said_.end = end_of(*reason);
    } else if (type == "message_stop") {
      over_ = true;
    }
  }

  void whole(const json::value& data) override {
    const auto* content = find_path(data, "content");
    if (content == nullptr || !content->is_array()) {
      said_.error = error_text(to_text(data));
      return;
    }
    if (const auto* usage = find_path(data, "usage")) take_usage(*usage);
    for (const auto& block : content->as_array()) {
      if (const auto text = find_text(block, "text")) said_.text += *text;
      if (find_text(block, "type").value_or("") != "tool_use") continue;
      const auto* input = find_path(block, "input");
      said_.calls.push_back({std::string(find_text(block, "id").value_or("")),
                             full_name(find_text(block, "name").value_or("")),
                             input == nullptr ? "{}" : to_text(*input)});
    }
    said_.end = end_of(find_text(data, "stop_reason").value_or(""));
  }

  void begin(const json::value& data, const json::value& block) {
    if (find_text(block, "type").value_or("") != "tool_use") return;
    places_[count_of(data, "index")] = said_.calls.size();
    said_.calls.push_back({std::string(find_text(block, "id").value_or("")),
                           full_name(find_text(block, "name").value_or("")), ""});
  }

  void take_delta(const json::value& data) {
    if (const auto text = find_text(data, "delta.text")) said_.text += *text;
    const auto more = find_text(data, "delta.partial_json");
    const auto place = places_.find(count_of(data, "index"));
    if (more && place != places_.end()) said_.calls[place->second].arguments += *more;
  }

  // What is told later replaces what was told before: counts are of the whole answer so far.
  void take_usage(const json::value& usage) {
    const auto* object = usage.if_object();
    if (object == nullptr) return;
    const auto set = [&](const char* name, std::int64_t& to) {
      if (object->contains(name)) to = count_of(usage, name);
    };
    set("input_tokens", said_.usage.input);
    set("output_tokens", said_.usage.output);
    set("cache_read_input_tokens", said_.usage.cache_read);
    set("cache_creation_input_tokens", said_.usage.cache_write);
    said_.usage.told = true;
  }

  // The call of the answer tool is the answer.
  void finish() override {
    const auto call = std::ranges::find(said_.calls, answer_tool, &ToolCall::name);
    for (auto& one : said_.calls) {
      if (one.arguments.empty()) one.arguments = "{}";
    }
    if (call == said_.calls.end()) return;
    said_.text = call->arguments;
    if (wraps_) {
      const auto parsed = parse_json(call->arguments);
      const auto* inside = parsed ? find_path(*parsed, "answer") : nullptr;
      if (inside != nullptr) said_.text = to_text(*inside);
    }
    said_.calls.clear();
    if (said_.end == End::tools) said_.end = End::done;
  }

  std::string full_name(std::string_view sent) const {
    const auto known = std::ranges::find_if(
        names_, [&](const std::string& name) { return tool_name(name) == sent; });
    return known == names_.end() ? std::string(sent) : *known;
  }

  bool wraps_;
  std::vector<std::string> names_;
  std::map<std::int64_t, std::size_t> places_;  // of calls, by the index of their block
};

class Anthropic final : public Dialect {
 public:
  std::string url(const config::Model& model) const override {
    return model.url + (model.url.ends_with('/') ? "" : "/") + "messages";
  }

  std::vector<std::pair<std::string, std::string>> headers(std::string_view key) const override {
    std::vector<std::pair<std::string, std::string>> out{{"anthropic-version", "2023-06-01"}};
    if (!key.empty()) out.emplace_back("x-api-key", key);
    return out;
  }

  json::object body(const config::Model& model, const Prompt& prompt) const override {
    auto system = text_block(prompt.system);
    if (model.cache_prompt) system["cache_control"] = {{"type", "ephemeral"}};
    json::object out{{"model", model.model},
                     {"max_tokens", prompt.output_tokens_max},
                     {"stream", true},
                     {"system", json::array{std::move(system)}},
                     {"messages", turns_of(prompt.turns)}};
    if (model.temperature) out["temperature"] = *model.temperature;
    json::array tools;
    for (const auto& tool : prompt.tools) {
      tools.push_back(json::object{{"name", tool_name(tool.name)},
                                   {"description", tool.description},
                                   {"input_schema", tool.parameters}});
    }
    if (!prompt.schema.empty() && model.native_schema) {
      tools.push_back(json::object{{"name", answer_tool},
                                   {"description", "Gives the answer. Call it once, at the end."},
                                   {"input_schema", answer_schema(prompt.schema)}});
      out["tool_choice"] = prompt.tools.empty()
                               ? json::object{{"type", "tool"}, {"name", answer_tool}}
                               : json::object{{"type", "any"}};
    }
    if (!tools.empty()) out["tools"] = std::move(tools);
    return out;
  }

  std::unique_ptr<Listener> listen(const Prompt& prompt) const override {
    return std::make_unique<Message>(prompt);
  }
};

}  // namespace

const Dialect& anthropic_dialect() {
  static const Anthropic dialect;
  return dialect;
}

}  // namespace vigil::models
