#include "entities/logs/record_forms.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "entities/logs/line_time.hpp"
#include "entities/logs/scan.hpp"

namespace vigil::entities::logs {
namespace {

constexpr std::size_t words_before_level = 4;

bool is_name_char(char c) { return is_alnum(c) || c == '.' || c == '_' || c == '-'; }
bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }

std::string_view take_name(Scan& scan) {
  const auto begin = scan.at;
  while (is_name_char(scan.peek())) ++scan.at;
  return scan.text.substr(begin, scan.at - begin);
}

// "ERROR", "[WARN]", "FATAL:" and how much of the text it is; other when it is none.
std::pair<Severity, std::size_t> level_at(std::string_view text) {
  Scan scan{text};
  const bool is_bracketed = scan.take('[');
  const auto begin = scan.at;
  while (is_upper(scan.peek())) ++scan.at;
  const auto word = text.substr(begin, scan.at - begin);
  if (word.size() < 3) return {Severity::other, 0};
  if (is_bracketed && !scan.take(']')) return {Severity::other, 0};
  scan.take(':');
  if (!scan.is_over() && !is_blank(scan.peek())) return {Severity::other, 0};
  scan.skip_blanks();
  return {word == "LOG" || word == "STATEMENT" ? Severity::info : severity_of(word), scan.at};
}

// I0102 15:04:05.000000       1 server.go:123] message
std::optional<Record> read_klog(std::string_view line, TimePoint now) {
  constexpr std::string_view letters = "IWEF";
  if (line.size() < 22 || !letters.contains(line[0]) || !is_digit(line[4])) return std::nullopt;
  // The form with a dash between month and day is one that is known.
  const auto dated = std::string(line.substr(1, 2)) + '-' + std::string(line.substr(3, 18));
  const auto time = line_time_at(dated, 0, now);
  const auto end = line.find("] ");
  if (!time || end == std::string_view::npos || end > 200) return std::nullopt;
  Record out;
  out.at = time->at;
  out.severity = severity_of(line.substr(0, 1));
  out.message = line.substr(end + 2);
  return out;
}

// The value at this place: bare, or quoted with \" inside.
std::string take_value(Scan& scan) {
  std::string out;
  if (!scan.take('"')) {
    while (!scan.is_over() && !is_blank(scan.peek())) out += scan.text[scan.at++];
    return out;
  }
  while (!scan.is_over() && scan.peek() != '"') {
    if (scan.peek() == '\\' && scan.at + 1 < scan.text.size()) ++scan.at;
    out += scan.text[scan.at++];
  }
  scan.take('"');
  return out;
}

// time="..." level=error msg="..." image=foo
std::optional<Record> read_logfmt(std::string_view line, TimePoint now) {
  if (!line.contains("msg=") && !line.contains("message=")) return std::nullopt;
  Record out;
  bool has_level = false;
  Scan scan{line};
  while (!scan.is_over()) {
    const auto key = take_name(scan);
    if (key.empty() || !scan.take('=')) return std::nullopt;
    auto value = take_value(scan);
    if (scan.skip_blanks() == 0 && !scan.is_over()) return std::nullopt;
    if (key == "level" || key == "lvl" || key == "severity") {
      out.severity = severity_of(value);
      has_level = true;
    } else if (key == "msg" || key == "message") {
      out.message = std::move(value);
    } else if (key == "time" || key == "ts" || key == "t") {
      if (const auto time = line_time_at(value, 0, now)) out.at = time->at;
    } else if (key == "logger" || key == "component" || key == "service") {
      out.program = std::move(value);
    }
  }
  if (out.message.empty() || !(has_level || out.at)) return std::nullopt;
  return out;
}

// ERROR:root:message of Python, where nothing else was configured
std::optional<Record> read_python(std::string_view line) {
  Scan scan{line};
  const auto level = take_name(scan);
  if (level.size() < 3 || !std::ranges::all_of(level, is_upper) || !scan.take(':')) return {};
  const auto severity = severity_of(level);
  const auto name = take_name(scan);
  if (severity == Severity::other || name.empty() || !scan.take(':')) return std::nullopt;
  Record out;
  out.severity = severity;
  out.program = name;
  out.message = scan.rest();
  return out;
}

}  // namespace

std::string_view without_container(std::string_view line, Record& into) {
  Scan scan{line};
  if (const auto name = take_name(scan); !name.empty() && name.size() < 64) {
    if (scan.skip_blanks() > 0 && scan.take("| ")) {
      into.program = name;
      line = scan.rest();
    }
  }
  const auto end = std::min(line.find(' '), line.size());
  const auto rest = line.substr(std::min(end + 1, line.size()));
  const bool is_stream = rest.starts_with("stdout ") || rest.starts_with("stderr ");
  if (!is_stream || rest.size() < 9 || (rest[7] != 'F' && rest[7] != 'P') || rest[8] != ' ') {
    return line;
  }
  const auto time = parse_rfc3339(line.substr(0, end));
  if (!time) return line;
  into.at = *time;
  return rest.substr(9);
}

std::optional<Record> read_form(std::string_view line, TimePoint now) {
  if (auto out = read_klog(line, now)) return out;
  if (auto out = read_logfmt(line, now)) return out;
  return read_python(line);
}

std::string_view without_form(std::string_view message, Record& into) {
  if (message.starts_with("- ")) message.remove_prefix(2);
  // Spring: 12345 --- [main] c.e.Application : message
  if (const auto dashes = message.find(" --- ["); dashes < 12) {
    const auto colon = message.find(" : ", dashes);
    if (colon < 300) return message.substr(colon + 3);
  }
  // The kernel's seconds since it began: "[    1.234567] "
  if (message.starts_with('[')) {
    const auto end = message.find("] ");
    const auto inside = message.substr(1, std::min(end, message.size()) - 1);
    const bool is_uptime =
        end < 24 && inside.contains('.') &&
        std::ranges::all_of(inside, [](char c) { return is_digit(c) || c == '.' || c == ' '; });
    if (is_uptime) return message.substr(end + 2);
  }
  if (into.severity != Severity::other) return message;
  // A level in capitals among the first words, after a number of a process, a thread or a user.
  auto rest = message;
  for (std::size_t word = 0; word < words_before_level && !rest.empty(); ++word) {
    const auto [severity, taken] = level_at(rest);
    if (severity != Severity::other && taken < rest.size()) {
      into.severity = severity;
      return rest.substr(taken);
    }
    const bool is_of_head = rest.front() == '[' || is_digit(rest.front()) ||
                            rest.substr(0, rest.find(' ')).contains('@');
    if (!is_of_head) break;
    rest.remove_prefix(std::min(rest.find(' '), rest.size()));
    rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  }
  return message;
}

}  // namespace vigil::entities::logs
