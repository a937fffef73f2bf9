// vigil-task: runs one built-in analyser, as a task of a swarm (JSON on standard input, one JSON
// result on standard output) or by hand (flags). Exit codes: 0 done, 64 wrong usage, 65 wrong
// input, 70 our fault, 75 something was missing or busy: try again later.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <span>

#include "core/clock.hpp"
#include "core/log.hpp"
#include "entities/analyser.hpp"

namespace {

using namespace vigil;
using entities::Analyser;
using entities::Request;

constexpr int exit_usage = 64;
constexpr int exit_data = 65;
constexpr int exit_software = 70;
constexpr int exit_again = 75;
constexpr std::size_t input_bytes_max = 256 * 1024 * 1024;

int exit_for(ErrorCode code) {
  switch (code) {
    case ErrorCode::unavailable:
    case ErrorCode::busy:
    case ErrorCode::timed_out:
    case ErrorCode::full:
      return exit_again;
    case ErrorCode::internal:
      return exit_software;
    default:
      return exit_data;
  }
}

int complain(int code, std::string_view what) {
  fmt::print(stderr, "vigil-task: {}\n", what);
  return code;
}

constexpr std::string_view usage =
    "usage: vigil-task list\n"
    "       vigil-task NAME            reads {\"input\", \"inputs\"} as JSON, prints its result\n"
    "       vigil-task NAME [--KEY VALUE]... [--text] [FILE]...\n"
    "       vigil-task NAME --help\n"
    "       vigil-task say interface|progress|cost|spawn JSON|@FILE\n";

int list() {
  for (const auto& analyser : entities::all_analysers()) {
    fmt::print("{:<22} {}\n", analyser.name, analyser.summary);
  }
  return 0;
}

int help(const Analyser& analyser) {
  fmt::print("{}: {}\n\nAs a task: JSON on standard input,\n", analyser.name, analyser.summary);
  fmt::print("  {{\"input\": {{\"repository\": \"/path\"}}, \"inputs\": {{\"changes\": ...}}}}\n");
  if (analyser.name.starts_with("codebase.")) {
    fmt::print("By hand: --repository PATH, --range A..B (or --base, --head, --branch, --depth)\n");
  } else {
    fmt::print("By hand: --KEY VALUE for each of its input, and files as words of their own\n");
  }
  if (!analyser.input.empty()) fmt::print("Its own input: {}\n", analyser.input);
  fmt::print(
      "A value that is JSON is taken as JSON; --text prints findings as lines for people.\n"
      "Exit codes: 0 done, 64 wrong usage, 65 wrong input, 70 a fault here, 75 try again.\n");
  return 0;
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.good() && !file.eof()) {
    return fail(ErrorCode::not_found,
                fmt::format("cannot read {}: {}", vigil::quoted(path), std::strerror(errno)));
  }
  return text;
}

Result<std::string> read_standard_input() {
  std::string text;
  std::string buffer(64 * 1024, '\0');
  while (true) {
    const auto count = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(ErrorCode::unavailable, "cannot read standard input");
    if (count == 0) return text;
    text.append(buffer, 0, static_cast<std::size_t>(count));
    if (text.size() > input_bytes_max) return fail(ErrorCode::too_large, "the input is too large");
  }
}

Result<Request> request_from_json(std::string_view text) {
  auto parsed = parse_json(text);
  if (!parsed) {
    return fail(ErrorCode::invalid_input, "standard input: " + parsed.error().message);
  }
  if (!parsed->is_object()) {
    return fail(ErrorCode::invalid_input, "standard input: expected an object with \"input\"");
  }
  Request request;
  request.task = find_text(*parsed, "task").value_or("");
  if (const auto* input = find_path(*parsed, "input")) request.input = *input;
  if (const auto* inputs = find_path(*parsed, "inputs"); inputs != nullptr && inputs->is_object()) {
    request.inputs = inputs->get_object();
  }
  const auto deadline = parse_rfc3339(find_text(*parsed, "deadline").value_or(""));
  if (deadline) {
    const auto now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
    request.time_left = *deadline - now;
  }
  return request;
}

struct ByHand {
  Request request;
  bool text = false;
};

Result<ByHand> request_from_flags(std::span<char*> flags) {
  ByHand by_hand;
  json::object input;
  json::array files;
  for (std::size_t i = 0; i < flags.size(); ++i) {
    const std::string_view flag = flags[i];
    if (flag == "--text") {
      by_hand.text = true;
      continue;
    }
    if (flag == "--") {  // what follows are words, whatever they look like
      for (++i; i < flags.size(); ++i) files.emplace_back(std::string_view(flags[i]));
      break;
    }
    if (!flag.starts_with("--")) {
      files.emplace_back(flag);
      continue;
    }
    if (flag.size() < 3 || i + 1 >= flags.size()) {
      return fail(ErrorCode::invalid_input,
                  fmt::format("{}: expected --KEY VALUE\n{}", quoted(flag), usage));
    }
    std::string key(flag.substr(2));
    std::ranges::replace(key, '-', '_');
    const std::string value = flags[++i];
    // Names of commits may look like numbers; only what is asked as a list or number is JSON.
    constexpr std::array numbers{"depth", "large_file_bytes", "width", "commits_max"};
    const bool structured = value.starts_with('[') || value.starts_with('{') ||
                            std::ranges::find(numbers, key) != numbers.end();
    auto parsed = structured ? parse_json(value) : Result<json::value>(json::value(value));
    if (!parsed) return fail(ErrorCode::invalid_input, key + ": " + parsed.error().message);
    input[key] = std::move(*parsed);
  }
  const auto* given = input.if_contains("repository");
  const std::string path = given != nullptr && given->is_string()
                               ? std::string(std::string_view(given->get_string()))
                               : ".";
  std::error_code error;
  const auto repository = std::filesystem::absolute(path, error).lexically_normal();
  input["repository"] = repository.string();
  if (!files.empty()) input["files"] = std::move(files);
  by_hand.request.input = std::move(input);
  return by_hand;
}

void print_text(const json::value& result) {
  if (const auto text = find_text(result, "text")) {
    fmt::print("{}", *text);
    return;
  }
  const auto* findings = find_path(result, "findings");
  if (findings != nullptr && findings->is_array()) {
    for (const auto& finding : findings->get_array()) {
      const auto part = [&](std::string_view key) { return find_text(finding, key).value_or(""); };
      const auto path = part("path");
      fmt::print("{}:{}: {}: {}\n", path.empty() ? "the change" : path,
                 find_integer(finding, "line").value_or(0), part("severity"), part("title"));
    }
  }
  fmt::print("{}\n", find_text(result, "summary").value_or(""));
}

int run(const Analyser& analyser, const Request& request, bool text) {
  const auto result = analyser.run(request);
  if (!result) return complain(exit_for(result.error().code), result.error().message);
  if (text) {
    print_text(*result);
  } else {
    fmt::print("{}\n", to_text(*result));
  }
  return std::fflush(stdout) == 0 ? 0 : complain(exit_again, "cannot write the result");
}

int run_by_hand(const Analyser& analyser, std::span<char*> flags) {
  auto by_hand = request_from_flags(flags);
  if (!by_hand) return complain(exit_usage, by_hand.error().message);
  return run(analyser, by_hand->request, by_hand->text);
}

int run_as_task(const Analyser& analyser) {
  if (::isatty(STDIN_FILENO) == 1) {
    return complain(exit_usage,
                    fmt::format("no input: pipe JSON into it, or give --repository\n{}", usage));
  }
  const auto text = read_standard_input();
  if (!text) return complain(exit_for(text.error().code), text.error().message);
  const auto request = request_from_json(*text);
  if (!request) return complain(exit_data, request.error().message);
  return run(analyser, *request, false);
}

// One JSON line on the control channel: how scripts publish an interface.
int say(std::span<char*> words) {
  if (words.size() != 2) return complain(exit_usage, usage);
  const std::string_view what = words[0];
  if (what != "interface" && what != "progress" && what != "cost" && what != "spawn") {
    return complain(exit_usage, "say: expected interface, progress, cost or spawn");
  }
  std::string text = words[1];
  if (text.starts_with('@')) {
    auto read = text == "@-" ? read_standard_input() : read_file(text.substr(1));
    if (!read) return complain(exit_data, read.error().message);
    text = std::move(*read);
  }
  auto value = parse_json(text);
  if (!value && what != "interface") return complain(exit_data, value.error().message);
  json::object line;
  line[what] = value ? std::move(*value) : json::value(to_valid_utf8(text));
  const char* channel = std::getenv("VIGIL_CONTROL_FD");
  int fd = -1;
  const std::string_view number = channel == nullptr ? "" : channel;
  std::from_chars(number.data(), number.data() + number.size(), fd);
  if (fd < 0) {
    return complain(exit_usage, "say: VIGIL_CONTROL_FD is not set: this is for tasks of a swarm");
  }
  const auto bytes = to_text(json::value(std::move(line))) + "\n";
  std::string_view left = bytes;
  while (!left.empty()) {
    const auto count = ::write(fd, left.data(), left.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) {
      return complain(exit_again, fmt::format("say: cannot write: {}", std::strerror(errno)));
    }
    left.remove_prefix(static_cast<std::size_t>(count));
  }
  return 0;
}

int run_program(std::span<char*> words) {
  if (words.empty()) return complain(exit_usage, usage);
  const std::string_view name = words[0];
  auto rest = words.subspan(1);
  if (name == "--help" || name == "-h" || name == "help") {
    fmt::print("{}", usage);
    return 0;
  }
  if (name == "--version") {
    fmt::print("vigil-task {}\n", VIGIL_VERSION);
    return 0;
  }
  if (name == "list") return list();
  if (name == "say") return say(rest);
  const auto* analyser = entities::find_any_analyser(name);
  if (analyser == nullptr && !rest.empty()) {  // "market backtest" is market.backtest
    analyser = entities::find_any_analyser(fmt::format("{}.{}", name, rest.front()));
    if (analyser != nullptr) rest = rest.subspan(1);
  }
  if (analyser == nullptr) {
    return complain(exit_usage,
                    fmt::format("there is no analyser {}: see vigil-task list", quoted(name)));
  }
  const auto is_help = [](const char* word) { return std::string_view(word) == "--help"; };
  if (std::ranges::any_of(rest, is_help)) return help(*analyser);
  return rest.empty() ? run_as_task(*analyser) : run_by_hand(*analyser, rest);
}

}  // namespace

#ifdef VIGIL_SANITIZED
// Under containment the search for leaks cannot attach to its own process, and would fail the task.
extern "C" const char* __asan_default_options() { return "detect_leaks=0"; }
#endif

int main(int argc, char** argv) {
  try {
    return run_program(std::span(argv, static_cast<std::size_t>(argc)).subspan(argc > 0 ? 1 : 0));
  } catch (const std::exception& error) {
    return complain(exit_software, error.what());
  }
}
