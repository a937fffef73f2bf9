#include "entities/logs/line.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "entities/logs/scan.hpp"

namespace vigil::entities::logs {
namespace {

constexpr std::array<std::string_view, 22> level_words{
    "trace",   "debug", "fine",  "info",     "information", "notice", "note",     "warn",
    "warning", "error", "err",   "severe",   "failure",     "crit",   "critical", "alert",
    "emerg",   "fatal", "panic", "security", "verbose",     "system"};

bool equals_folded(std::string_view text, std::string_view lower) {
  return std::ranges::equal(text, lower, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
  });
}

bool is_level(std::string_view word) {
  return std::ranges::any_of(level_words,
                             [&](std::string_view level) { return equals_folded(word, level); });
}

bool is_upper_level(std::string_view word) {
  return !word.empty() && std::ranges::none_of(word, is_lower) && is_level(word);
}

std::string_view word_at(const Scan& scan) {
  const auto rest = scan.rest();
  return rest.substr(0, std::min(rest.find_first_of(" \t"), rest.size()));
}

bool is_name_char(char c) {
  return is_alnum(c) || std::string_view("._-/$@()+*").find(c) != std::string_view::npos;
}

// "sshd[13709]:", "kernel:", "sshd(pam_unix)[19939]:"; empty when it is none.
std::string_view take_program(Scan& scan) {
  Scan ahead = scan;
  while (is_name_char(ahead.peek())) ++ahead.at;
  const auto name = scan.text.substr(scan.at, ahead.at - scan.at);
  if (name.empty() || name.size() > 96) return {};
  if (ahead.take('[')) {
    while (is_alnum(ahead.peek()) || ahead.peek() == '-') ++ahead.at;
    if (!ahead.take(']')) return {};
  }
  if (!ahead.take(':') || !(is_blank(ahead.peek()) || ahead.is_over())) return {};
  ahead.skip_blanks();
  scan = ahead;
  return name;
}

// A whole [group], with groups in it; empty when it does not end.
std::string_view take_group(Scan& scan) {
  if (scan.peek() != '[') return {};
  int depth = 0;
  for (std::size_t at = scan.at; at < scan.text.size() && at - scan.at < 256; ++at) {
    if (scan.text[at] == '[') ++depth;
    if (scan.text[at] == ']' && --depth == 0) {
      const auto group = scan.text.substr(scan.at + 1, at - scan.at - 1);
      scan.at = at + 1;
      return group;
    }
  }
  return {};
}

// [error], [:error], [core:error], [INFO ], [pid 17512:tid 1401]; [client 1.2.3.4] is content.
void take_groups(Scan& scan, Line& out) {
  while (scan.peek() == '[') {
    Scan ahead = scan;
    auto group = take_group(ahead);
    while (!group.empty() && group.back() == ' ') group.remove_suffix(1);
    const auto colon = group.rfind(':');
    const auto level = colon == std::string_view::npos ? group : group.substr(colon + 1);
    if (is_level(level)) {
      out.level = level;
      if (colon != std::string_view::npos) out.program = group.substr(0, colon);
    } else if (!group.starts_with("pid ")) {
      return;
    }
    ahead.skip_blanks();
    scan = ahead;
  }
}

// A thread in brackets between dashes: "- INFO  [main:QuorumPeer@774] - Notification".
bool take_thread(Scan& scan, Line& out) {
  Scan ahead = scan;
  const auto group = take_group(ahead);
  ahead.skip_blanks();
  if (group.empty() || !ahead.take("- ")) return false;
  out.program = group;
  ahead.skip_blanks();
  scan = ahead;
  return true;
}

// A level in capitals among the next words, with what stands before it a thread or a node.
void take_level(Scan& scan, Line& out) {
  Scan ahead = scan;
  for (int words = 0; words < 8; ++words) {
    const auto word = word_at(ahead);
    if (word.empty() || word.back() == ':' || word.find('[') != std::string_view::npos) return;
    ahead.at += word.size();
    ahead.skip_blanks();
    if (!is_upper_level(word)) continue;
    out.level = word;
    scan = ahead;
    if (take_thread(scan, out)) return;
    if (const auto program = take_program(scan); !program.empty()) out.program = program;
    return;
  }
}

// "host sshd[1]: ", "sshd[1]: ", "host -- root[1]: "
bool take_syslog(Scan& scan, Line& out) {
  Scan ahead = scan;
  if (const auto program = take_program(ahead); !program.empty()) {
    out.program = program;
    scan = ahead;
    return true;
  }
  const auto host = word_at(ahead);
  if (host.empty() || host.size() > 255 || !std::ranges::all_of(host, [](char c) {
        return is_alnum(c) || c == '.' || c == '-' || c == '_' || c == ':';
      })) {
    return false;
  }
  ahead.at += host.size();
  ahead.skip_blanks();
  auto program = take_program(ahead);
  if (program.empty()) {  // a name of two words: "syslogd 1.4.1:", "-- root[1]:"
    if (is_upper_level(word_at(ahead))) return false;
    ahead.at += word_at(ahead).size();
    ahead.skip_blanks();
    program = take_program(ahead);
  }
  if (program.empty()) return false;
  out.host = host;
  out.program = program;
  scan = ahead;
  return true;
}

std::string_view next_word(Scan& scan) {
  const auto word = word_at(scan);
  scan.at += word.size();
  scan.skip_blanks();
  return word == "-" ? std::string_view{} : word;
}

// RFC 5424, after its version and time: host app pid msgid [structured data] message
void take_new_syslog(Scan& scan, Line& out) {
  out.host = next_word(scan);
  out.program = next_word(scan);
  next_word(scan);
  next_word(scan);
  while (scan.peek() == '[') {
    if (take_group(scan).empty()) break;
  }
  if (scan.peek() == '-') next_word(scan);
  scan.skip_blanks();
  scan.take("\xEF\xBB\xBF");
}

bool take_priority(Scan& scan) {
  Scan ahead = scan;
  if (!ahead.take('<') || !ahead.number(1, 3) || !ahead.take('>')) return false;
  scan = ahead;
  return true;
}

// What may stand before the time of a header: nothing, '[', or a word that marks the line.
bool begins_header(std::string_view before) {
  while (!before.empty() && (before.back() == '[' || before.back() == ' ')) before.remove_suffix(1);
  return before.size() <= 24 && before.find(' ') == std::string_view::npos;
}

// "1.2.3.4 - user [time] ...": the address that asked is part of what an access log says.
Line read_access_line(std::string_view line, const LineTime& time) {
  Line out;
  out.time = time;
  out.content = line;
  return out;
}

void take_separators(Scan& scan) {
  scan.take(']');
  scan.take(':');
  scan.skip_blanks();
  if (scan.take("- ") || scan.take(": ")) scan.skip_blanks();
}

// "<mail.notice> " as some syslogs write it before the host
void take_facility(Scan& scan) {
  Scan ahead = scan;
  if (!ahead.take('<')) return;
  while (is_alnum(ahead.peek()) || ahead.peek() == '.') ++ahead.at;
  if (!ahead.take("> ")) return;
  ahead.skip_blanks();
  scan = ahead;
}

}  // namespace

Line read_line(std::string_view line, TimePoint now) {
  line = line.substr(0, std::min(line.size(), line_bytes_max));
  while (!line.empty() && is_blank(line.back())) line.remove_suffix(1);
  Line out;
  Scan scan{line};
  const bool has_priority = take_priority(scan);
  const bool is_new_syslog = has_priority && scan.take("1 ");
  const auto time = find_line_time(line, now);
  if (time && !begins_header(line.substr(scan.at, time->begin - scan.at))) {
    // The time stands further on: an access log, or a journal that shows the message alone.
    if (take_syslog(scan, out)) {
      out.content = scan.rest();
      out.time = time;
      return out;
    }
    return read_access_line(line, *time);
  }
  if (time) {
    out.time = time;
    scan.at = time->end;
    take_separators(scan);
    take_facility(scan);
  }
  if (is_new_syslog) {
    take_new_syslog(scan, out);
  } else {
    take_groups(scan, out);
    if (!take_syslog(scan, out) && time) take_level(scan, out);
    take_groups(scan, out);
  }
  out.content = scan.rest();
  return out;
}

}  // namespace vigil::entities::logs
