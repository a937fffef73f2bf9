#include "entities/logs/record.hpp"

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>
#include <charconv>
#include <utility>

#include "core/json.hpp"
#include "entities/logs/line.hpp"
#include "entities/logs/record_forms.hpp"
#include "entities/logs/scan.hpp"

namespace vigil::entities::logs {
namespace {

using Word = std::pair<std::string_view, Severity>;
constexpr std::array<Word, 23> words{
    {{"emerg", Severity::error},      {"emergency", Severity::error}, {"panic", Severity::error},
     {"alert", Severity::error},      {"crit", Severity::error},      {"critical", Severity::error},
     {"fatal", Severity::error},      {"failure", Severity::error},   {"severe", Severity::error},
     {"error", Severity::error},      {"err", Severity::error},       {"e", Severity::error},
     {"f", Severity::error},          {"warning", Severity::warning}, {"warn", Severity::warning},
     {"w", Severity::warning},        {"notice", Severity::info},     {"info", Severity::info},
     {"information", Severity::info}, {"i", Severity::info},          {"debug", Severity::info},
     {"trace", Severity::info},       {"fine", Severity::info}}};

std::string text_of(const json::value& value) {
  if (value.is_string()) return std::string(std::string_view(value.get_string()));
  return value.is_null() ? std::string() : vigil::to_text(value);
}

// A journal writes what is not text as a list of its bytes.
std::string text_of_bytes(const json::array& bytes) {
  std::string out;
  for (const auto& byte : bytes) {
    if (!byte.is_int64() || byte.get_int64() < 0 || byte.get_int64() > 255) return {};
    out += static_cast<char>(byte.get_int64());
  }
  return out;
}

// The first of these members that is there and no object.
template <std::size_t N>
std::string member(const json::object& from, const std::array<std::string_view, N>& names) {
  for (const auto name : names) {
    const auto* found = from.if_contains(name);
    if (found == nullptr || found->is_object()) continue;
    return found->is_array() ? text_of_bytes(found->get_array()) : text_of(*found);
  }
  return {};
}

// RFC 3339, or a number since 1970: seconds, milliseconds, micro- or nanoseconds by its size.
std::optional<TimePoint> time_of(const std::string& text) {
  if (auto at = parse_rfc3339(text)) return *at;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || !(number > 1e8)) return {};
  while (number < 1e14) number *= 1000;  // up to microseconds
  while (number > 1e17) number /= 1000;
  return from_unix_us(static_cast<std::int64_t>(number));
}

std::optional<Record> of_json(std::string_view line) {
  const auto parsed = parse_json(line);
  if (!parsed || !parsed->is_object()) return std::nullopt;
  const auto& from = parsed->get_object();
  Record out;
  out.message =
      member(from, std::array<std::string_view, 5>{"MESSAGE", "message", "msg", "log", "event"});
  while (!out.message.empty() && is_blank(out.message.back())) out.message.pop_back();
  if (out.message.empty()) return std::nullopt;
  out.severity = severity_of(member(
      from, std::array<std::string_view, 5>{"PRIORITY", "level", "severity", "lvl", "log.level"}));
  if (out.severity == Severity::other) {
    out.severity = severity_of(find_text(*parsed, "log.level").value_or(""));
  }
  out.at =
      time_of(member(from, std::array<std::string_view, 6>{"__REALTIME_TIMESTAMP", "time",
                                                           "@timestamp", "timestamp", "ts", "t"}));
  out.host = member(from, std::array<std::string_view, 3>{"_HOSTNAME", "host", "hostname"});
  out.process = member(from, std::array<std::string_view, 3>{"_PID", "SYSLOG_PID", "pid"});
  out.program = member(from, std::array<std::string_view, 5>{"SYSLOG_IDENTIFIER", "_COMM", "logger",
                                                             "service", "name"});
  return out;
}

}  // namespace

namespace {

// Without the prefixes of what ran it.
std::optional<Record> of_text(std::string_view line, TimePoint now) {
  if (line.empty() || is_blank(line.front())) return std::nullopt;
  if (auto out = read_form(line, now)) return out;
  const auto read = read_line(line, now);
  Record out;
  if (read.time) out.at = read.time->at;
  out.host = read.host;
  out.program = read.program;
  out.severity = severity_of(read.level);
  if (out.severity == Severity::other) {  // production.ERROR
    out.severity = severity_of(read.program.substr(read.program.rfind('.') + 1));
  }
  out.message = without_form(read.content, out);
  if (out.message.empty()) return std::nullopt;
  return out;
}

std::optional<Record> of_line(std::string_view line, TimePoint now) {
  if (line.starts_with('{')) {
    if (auto out = of_json(line)) return out;
  }
  return of_text(line, now);
}

// What a container said is a line of its own: {"log": "...\n", "stream": "stderr", "time": "..."}
std::optional<Record> of_container(std::string_view line, TimePoint now) {
  auto outer = of_json(line);
  if (!outer || !line.contains("\"stream\"") || outer->severity != Severity::other) return outer;
  auto inner = of_line(outer->message, now);
  if (!inner) return outer;
  if (!inner->at) inner->at = outer->at;
  return inner;
}

}  // namespace

std::string_view to_text(Severity severity) {
  constexpr std::array<std::string_view, severities> names{"other", "info", "warning", "error"};
  return names[static_cast<std::size_t>(severity)];
}

Severity severity_of(std::string_view word) {
  if (word.size() == 1 && is_digit(word[0])) {
    return word[0] <= '3' ? Severity::error : word[0] == '4' ? Severity::warning : Severity::info;
  }
  // As pino and bunyan count: 30 is info, 40 a warning.
  if (word.size() == 2 && is_digit(word[0]) && word[1] == '0') {
    return word[0] >= '5' ? Severity::error : word[0] == '4' ? Severity::warning : Severity::info;
  }
  std::string lower(word);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  const auto found = std::ranges::find(words, lower, &Word::first);
  return found == words.end() ? Severity::other : found->second;
}

std::optional<Record> read_record(std::string_view line, TimePoint now) {
  line = line.substr(0, line_bytes_max);
  if (line.starts_with('{')) {
    if (auto out = of_container(line, now)) return out;
  }
  if (line.empty() || is_blank(line.front()) || line.starts_with("Caused by: ")) {
    return std::nullopt;
  }
  Record outer;
  const auto inner = without_container(line, outer);
  auto record = of_line(inner, now);
  if (!record) return std::nullopt;
  if (!record->at) record->at = outer.at;
  if (record->program.empty()) record->program = outer.program;
  return record;
}

}  // namespace vigil::entities::logs
