#pragma once
// One run of vigilctl: who to ask, how to show it, and the exit code that says how it went.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ctl/client.hpp"
#include "ctl/render.hpp"

namespace vigil::ctl {

enum Exit : int { exit_ok = 0, exit_failed = 1, exit_usage = 2, exit_unreachable = 3 };
enum class Output { page, json };
enum class Follow { no, yes };

using Page = std::string (*)(const json::value& answer, const Style& style);

// "path?a=1&b=2" with empty values left out.
class Target {
 public:
  explicit Target(std::string path) : text_(std::move(path)) {}
  Target& with(std::string_view name, std::string_view value);
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};
// "/v1/entities/" + the name, encoded.
std::string path_of(std::string_view before, std::string_view name, std::string_view after = {});

struct Session {
  Client client;
  Output output = Output::page;
  Follow follow = Follow::no;
  Style style;
  bool terminal = false;

  // What --json prints: on one line for programs, indented for a terminal.
  std::string json_text(const json::value& answer) const;
  // Asks and shows. A refusal is told on standard error.
  int get(const std::string& target, Page page) const;
  // The answer itself; an exit code when there is none.
  std::expected<json::value, int> fetch(std::string_view method, const std::string& target,
                                        std::string_view body = {},
                                        std::chrono::seconds patience = std::chrono::seconds{
                                            60}) const;
  // Posts and says `done`, or shows the answer with --json.
  int act(std::string_view method, const std::string& target, const json::object& body,
          std::string_view done) const;
};

void print(std::string_view text);        // standard output, flushed
void print_error(std::string_view text);  // standard error
// Tells an error and gives its exit code.
int tell(const Error& error);
int tell_refusal(const Reply& reply);

// Reads a file, or standard input for "-".
Result<std::string> read_all(const std::string& path);

}  // namespace vigil::ctl
