#include "ctl/session.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace vigil::ctl {

Target& Target::with(std::string_view name, std::string_view value) {
  if (value.empty()) return *this;
  text_ += text_.find('?') == std::string::npos ? '?' : '&';
  text_ += std::string(name) + "=" + percent_encoded(value);
  return *this;
}

std::string path_of(std::string_view before, std::string_view name, std::string_view after) {
  return std::string(before) + percent_encoded(name) + std::string(after);
}

void print(std::string_view text) {
  (void)std::fwrite(text.data(), 1, text.size(), stdout);  // nobody to tell when it fails
  (void)std::fflush(stdout);
}

void print_error(std::string_view text) {
  (void)std::fwrite(text.data(), 1, text.size(), stderr);  // the same
}

int tell(const Error& error) {
  print_error("vigilctl: " + safe_lines(error.message) + "\n");
  return error.code == ErrorCode::unavailable ? exit_unreachable : exit_failed;
}

int tell_refusal(const Reply& reply) {
  const auto answer = parse_json(reply.body);
  if (!answer || !find_text(*answer, "error")) {
    print_error(fmt::format("vigilctl: the daemon answered {}\n", reply.status));
    return exit_failed;
  }
  std::string text = "vigilctl: " + text_at(*answer, "error") + "\n";
  for (const auto& one : array_at(*answer, "diagnostics")) {
    text += "  " + text_at(one, "text") + "\n";
  }
  if (const auto hint = text_at(*answer, "hint"); !hint.empty()) text += "  " + hint + "\n";
  print_error(text);
  return exit_failed;
}

std::expected<json::value, int> Session::fetch(std::string_view method, const std::string& target,
                                               std::string_view body,
                                               std::chrono::seconds patience) const {
  const auto reply = client.ask(method, target, body, patience);
  if (!reply) return std::unexpected(tell(reply.error()));
  if (reply->status >= 400) {
    if (output == Output::json) print(reply->body);
    return std::unexpected(tell_refusal(*reply));
  }
  auto answer = parse_json(reply->body);
  if (!answer) return std::unexpected(tell(answer.error()));
  return std::move(*answer);
}

std::string Session::json_text(const json::value& answer) const {
  return (terminal ? to_pretty_text(answer) : to_text(answer)) + "\n";
}

int Session::get(const std::string& target, Page page) const {
  const auto answer = fetch("GET", target);
  if (!answer) return answer.error();
  print(output == Output::json ? json_text(*answer) : page(*answer, style));
  return exit_ok;
}

int Session::act(std::string_view method, const std::string& target, const json::object& body,
                 std::string_view done) const {
  const auto answer = fetch(method, target, body.empty() ? "" : to_text(body));
  if (!answer) return answer.error();
  print(output == Output::json ? json_text(*answer) : std::string(done) + "\n");
  return exit_ok;
}

Result<std::string> read_all(const std::string& path) {
  struct Closer {
    void operator()(std::FILE* file) const {
      if (file != stdin) (void)std::fclose(file);  // only read
    }
  };
  const std::unique_ptr<std::FILE, Closer> file(path == "-" ? stdin
                                                            : std::fopen(path.c_str(), "rb"));
  if (!file) {
    return fail(ErrorCode::not_found,
                fmt::format("{} cannot be read: {}", safe(path), std::strerror(errno)));
  }
  std::string out;
  char block[64 * 1024];
  while (const auto got = std::fread(block, 1, sizeof block, file.get())) out.append(block, got);
  if (std::ferror(file.get()) != 0) {
    return fail(ErrorCode::invalid_input, fmt::format("{} cannot be read to its end", safe(path)));
  }
  return out;
}

}  // namespace vigil::ctl
