#pragma once
// The two forms in which models are asked over HTTP: OpenAI's chat completions, which llama.cpp,
// vLLM, Ollama and many hosts speak, too, and Anthropic's messages. Pure; any thread.
// Sources: https://platform.openai.com/docs/api-reference/chat (and .../chat-streaming),
// https://docs.anthropic.com/en/api/messages (and .../messages-streaming).
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/minds.hpp"
#include "daemon/models/sse.hpp"
#include "daemon/models/talk.hpp"

namespace vigil::models {

// One answer as it comes.
class Listener {
 public:
  virtual ~Listener() = default;
  // False: no more is wanted, as the answer is over or cannot be understood (then `error` is set).
  bool take(std::string_view bytes);
  // What came, after the last byte. An answer that is not a stream is understood, too.
  Said said();

 protected:
  // One event of the stream.
  virtual void event(const json::value& data) = 0;
  // The whole answer of a server that does not stream.
  virtual void whole(const json::value& data) = 0;
  // All has come that will.
  virtual void finish() {}
  // The data of an event that is no JSON; true when it is the end.
  virtual bool is_end(std::string_view) { return false; }

  Said said_;
  bool over_ = false;

 private:
  void hear(std::string_view data);

  EventStream stream_;
  enum class Form { unknown, stream, whole } form_ = Form::unknown;
  std::string body_;  // of a whole answer
  bool broken_ = false;
};

class Dialect {
 public:
  virtual ~Dialect() = default;
  virtual std::string url(const config::Model& model) const = 0;
  virtual std::vector<std::pair<std::string, std::string>> headers(std::string_view key) const = 0;
  virtual json::object body(const config::Model& model, const Prompt& prompt) const = 0;
  virtual std::unique_ptr<Listener> listen(const Prompt& prompt) const = 0;
};

const Dialect& openai_dialect();
const Dialect& anthropic_dialect();
const Dialect& dialect_of(config::ModelApi api);

// What an answer with an error status says.
std::string error_text(std::string_view body);
std::int64_t count_of(const json::value& of, std::string_view path);  // 0 when it is missing

}  // namespace vigil::models
