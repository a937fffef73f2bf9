#pragma once
// What is said to a model and what it says, whatever the API. Values; any thread.
#include <boost/json/object.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "core/json.hpp"

namespace vigil::models {

struct ToolSpec {
  std::string name;  // "mcp.docs.search"
  std::string description;
  json::object parameters;  // JSON Schema
};

struct ToolCall {
  std::string id;
  std::string name;
  std::string arguments;  // JSON, as far as the model can write it
};

struct Turn {
  enum class Who { user, assistant, tool };
  Who who = Who::user;
  std::string text;
  std::vector<ToolCall> calls;  // of an assistant
  std::string answers;          // of a tool: the id of the call
};

struct Prompt {
  std::string system;  // the same in many prompts
  std::vector<Turn> turns;
  std::vector<ToolSpec> tools;
  json::object schema;  // of the answer; empty: any text
  int output_tokens_max = 0;
};

// Every token once: what was read from a prompt cache or written to it is not in `input`.
struct Usage {
  std::int64_t input = 0;
  std::int64_t output = 0;
  std::int64_t cache_read = 0;
  std::int64_t cache_write = 0;
  bool told = false;  // by the API; else there is no more than an estimate
  std::int64_t sum() const { return input + output + cache_read + cache_write; }
  bool operator==(const Usage&) const = default;
};

enum class End {
  none,     // the stream ended before the answer did
  done,     // all was said
  length,   // it was longer than it may be
  tools,    // it waits for what its calls give
  refused,  // it will not answer this
};

struct Said {
  std::string text;
  std::vector<ToolCall> calls;
  End end = End::none;
  Usage usage;
  std::string error;  // the API broke off with it
};

}  // namespace vigil::models
