// Chat completions. With `stream_options.include_usage` the last event before [DONE] tells the
// usage; `prompt_tokens` there includes those that were read from a cache.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "daemon/models/dialect.hpp"

namespace vigil::models {
namespace {

// Names of tools hold no dots there ([a-zA-Z0-9_-]{1,64}).
std::string tool_name(std::string name) {
  std::ranges::replace(name, '.', '-');
  return name;
}

json::object turn_of(const Turn& turn) {
  if (turn.who == Turn::Who::user) return {{"role", "user"}, {"content", turn.text}};
  if (turn.who == Turn::Who::tool) {
    return {{"role", "tool"}, {"tool_call_id", turn.answers}, {"content", turn.text}};
  }
  json::object out{{"role", "assistant"}, {"content", turn.text}};
  if (turn.calls.empty()) return out;
  json::array calls;
  for (const auto& call : turn.calls) {
    calls.push_back(json::object{
        {"id", call.id},
        {"type", "function"},
        {"function", {{"name", tool_name(call.name)}, {"arguments", call.arguments}}}});
  }
  out["tool_calls"] = std::move(calls);
  return out;
}

// What strict mode asks of a schema: every object names all its members and allows no others.
bool can_be_strict(const json::value& schema) {
  const auto* object = schema.if_object();
  if (object == nullptr) {
    const auto* list = schema.if_array();
    return list == nullptr || std::ranges::all_of(*list, can_be_strict);
  }
  if (const auto* properties = object->if_contains("properties")) {
    const auto* required = object->if_contains("required");
    const auto* more = object->if_contains("additionalProperties");
    const bool closed = more != nullptr && more->is_bool() && !more->as_bool();
    if (!properties->is_object() || required == nullptr || !required->is_array() || !closed ||
        required->as_array().size() != properties->as_object().size()) {
      return false;
    }
  }
  return std::ranges::all_of(*object,
                             [](const auto& member) { return can_be_strict(member.value()); });
}

End end_of(std::string_view reason) {
  if (reason == "length") return End::length;
  if (reason == "tool_calls" || reason == "function_call") return End::tools;
  if (reason == "content_filter") return End::refused;
  return End::done;
}

class Chat final : public Listener {
 public:
  explicit Chat(const Prompt& prompt) {
    for (const auto& tool : prompt.tools) names_.push_back(tool.name);
  }

 private:
  bool is_end(std::string_view data) override { return data == "[DONE]"; }

  void event(const json::value& data) override {
    take_usage(data);
    const auto* delta = find_path(data, "choices.0.delta");
    if (delta != nullptr) take_part(*delta);
    if (const auto reason = find_text(data, "choices.0.finish_reason")) said_.end = end_of(*reason);
  }

  void whole(const json::value& data) override {
    take_usage(data);
    const auto* message = find_path(data, "choices.0.message");
    if (message == nullptr || !message->is_object()) {
      said_.error = error_text(to_text(data));
      return;
    }
    take_part(*message);
    said_.end = end_of(find_text(data, "choices.0.finish_reason").value_or("stop"));
  }

  void take_part(const json::value& part) {
    if (const auto text = find_text(part, "content")) said_.text += *text;
    if (find_text(part, "refusal")) said_.end = End::refused;
    const auto* calls = find_path(part, "tool_calls");
    if (calls == nullptr || !calls->is_array()) return;
    for (std::size_t i = 0; i < calls->as_array().size(); ++i) {
      const auto& call = calls->as_array()[i];
      const auto place = static_cast<std::size_t>(std::clamp<std::int64_t>(
          find_integer(call, "index").value_or(static_cast<std::int64_t>(i)), 0, 63));
      if (said_.calls.size() <= place) said_.calls.resize(place + 1);
      auto& known = said_.calls[place];
      if (const auto id = find_text(call, "id")) known.id = *id;
      if (const auto name = find_text(call, "function.name")) known.name = full_name(*name);
      if (const auto more = find_text(call, "function.arguments")) known.arguments += *more;
    }
  }

  void take_usage(const json::value& data) {
    const auto* usage = find_path(data, "usage");
    if (usage == nullptr || !usage->is_object()) return;
    said_.usage.cache_read = count_of(*usage, "prompt_tokens_details.cached_tokens");
    said_.usage.input =
        std::max<std::int64_t>(count_of(*usage, "prompt_tokens") - said_.usage.cache_read, 0);
    said_.usage.output = count_of(*usage, "completion_tokens");
    said_.usage.told = true;
  }

  std::string full_name(std::string_view sent) const {
    const auto known = std::ranges::find_if(
        names_, [&](const std::string& name) { return tool_name(name) == sent; });
    return known == names_.end() ? std::string(sent) : *known;
  }

  std::vector<std::string> names_;
};

class OpenAi final : public Dialect {
 public:
  std::string url(const config::Model& model) const override {
    return model.url + (model.url.ends_with('/') ? "" : "/") + "chat/completions";
  }

  std::vector<std::pair<std::string, std::string>> headers(std::string_view key) const override {
    if (key.empty()) return {};
    return {{"Authorization", fmt::format("Bearer {}", key)}};
  }

  json::object body(const config::Model& model, const Prompt& prompt) const override {
    json::array messages;
    messages.push_back(json::object{{"role", "system"}, {"content", prompt.system}});
    for (const auto& turn : prompt.turns) messages.push_back(turn_of(turn));
    json::object out{{"model", model.model},
                     {"messages", std::move(messages)},
                     {"stream", true},
                     {"stream_options", {{"include_usage", true}}}};
    // OpenAI's own newer models refuse the older name, and other servers know no newer one.
    const bool is_own = model.url.find("api.openai.com") != std::string::npos;
    out[is_own ? "max_completion_tokens" : "max_tokens"] = prompt.output_tokens_max;
    if (model.temperature) out["temperature"] = *model.temperature;
    if (!prompt.schema.empty() && model.native_schema) {
      json::object schema{{"name", "answer"}, {"schema", prompt.schema}};
      schema["strict"] = can_be_strict(prompt.schema);
      out["response_format"] = {{"type", "json_schema"}, {"json_schema", std::move(schema)}};
    }
    json::array tools;
    for (const auto& tool : prompt.tools) {
      tools.push_back(json::object{{"type", "function"},
                                   {"function",
                                    {{"name", tool_name(tool.name)},
                                     {"description", tool.description},
                                     {"parameters", tool.parameters}}}});
    }
    if (!tools.empty()) out["tools"] = std::move(tools);
    return out;
  }

  std::unique_ptr<Listener> listen(const Prompt& prompt) const override {
    return std::make_unique<Chat>(prompt);
  }
};

}  // namespace

const Dialect& openai_dialect() {
  static const OpenAi dialect;
  return dialect;
}

}  // namespace vigil::models
