#include "entities/logs/attack.hpp"

#include <algorithm>
#include <array>

#include "entities/logs/attack_access.hpp"
#include "entities/logs/attack_pattern.hpp"
#include "entities/logs/scan.hpp"

namespace vigil::entities::logs {
namespace {

constexpr std::size_t sessions_max = 5'000;

// Who writes what. A service without names of programs writes a file of its own, or is any site's.
struct Writer {
  std::string_view service;
  std::string_view programs;  // beginnings of their names
};
constexpr std::array writers{
    Writer{"sshd", "sshd"},
    Writer{"pam", "sshd vsftpd dovecot auth proftpd su sudo login"},
    Writer{"dovecot", "dovecot auth imap-login pop3-login submission-login managesieve-login"},
    Writer{"postfix", "postfix"},
    Writer{"sendmail", "sendmail sm-"},
    Writer{"courier", "imapd pop3d courierpop3login courierimaplogin"},
    Writer{"solid-pop3d", "solid-pop3d"},
    Writer{"uwimap", "imapd ipop3d"},
    Writer{"qmail", "qmail rblsmtpd"},
    Writer{"vsftpd", "vsftpd"},
    Writer{"proftpd", "proftpd"},
    Writer{"mysqld", "mysqld mariadbd"},
    Writer{"mongodb", "mongod"},
    Writer{"xrdp", "xrdp-sesman"},
    Writer{"roundcube", "roundcube"},
    Writer{"named", "named"},
    Writer{"scanlogd", "scanlogd"},
    Writer{"fail2ban", "fail2ban"},
    Writer{"asterisk", "asterisk"},
    Writer{"freeswitch", "freeswitch"},
    Writer{"ejabberd", "ejabberd"},
    Writer{"suhosin", "suhosin lighttpd"},
    Writer{"haproxy", "haproxy"},
    Writer{"apache", "httpd apache apache2"},
    Writer{"nginx", "nginx"},
    Writer{"squid", "squid"},
};

// "dovecot", "dovecot(1)", "httpd/backend1", "sm-mta" for sm-; not "authz_core" for auth.
bool begins_with_name(std::string_view program, std::string_view name) {
  if (!program.starts_with(name)) return false;
  if (program.size() == name.size() || name.back() == '-') return true;
  const char next = program[name.size()];
  return !is_alnum(next) && next != '_';
}

bool is_written_by(std::string_view service, std::string_view program) {
  for (const auto& writer : writers) {
    if (!service.starts_with(writer.service)) continue;
    auto names = writer.programs;
    while (!names.empty()) {
      const auto end = std::min(names.find(' '), names.size());
      if (begins_with_name(program, names.substr(0, end))) return true;
      names.remove_prefix(std::min(end + 1, names.size()));
    }
  }
  return false;
}

// Services that ask Linux-PAM log its words among theirs.
bool asks_pam(std::string_view service) {
  return service == "vsftpd" || service == "dovecot" || service == "proftpd";
}

bool is_known_program(std::string_view program) {
  return std::ranges::any_of(
      writers, [&](const Writer& writer) { return is_written_by(writer.service, program); });
}

// Only from syslog, where the program's name says who wrote it.
bool is_of_syslog(std::string_view service) {
  return service == "sshd" || service == "postfix" || service == "sendmail" ||
         service == "courier" || service == "uwimap" || service == "solid-pop3d" ||
         service == "scanlogd" || service == "pam";
}

// A name of a program that none of ours has, and that the server did not put in brackets itself:
// it may be the beginning of a sentence. Sites of Drupal log by any name.
bool is_doubtful(const Line& parts, std::string_view line) {
  if (parts.program.empty() || is_known_program(parts.program)) return false;
  const auto begin = static_cast<std::size_t>(parts.program.data() - line.data());
  return begin == 0 || begin >= line.size() || line[begin - 1] != '[';
}

struct Searched {
  const AttackRule* rule;
  std::string needle;
};

const std::vector<Searched>& all_rules() {
  static const std::vector<Searched> all = [] {
    std::vector<Searched> out;
    for (const auto rules :
         {sshd_rules(), login_rules(), mail_rules(), voice_rules(), web_rules()}) {
      for (const auto& rule : rules) out.push_back({&rule, needle_of(rule.pattern)});
    }
    return out;
  }();
  return all;
}

std::string_view without_spaces_before(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
  return text;
}

bool is_drupal(std::string_view text) {
  return text.starts_with("http") && text.contains("|user|");
}

// "[ID 800047 auth.info] " of Solaris.
std::string_view without_solaris(std::string_view text) {
  if (!text.starts_with("[ID ")) return text;
  const auto end = text.find("] ");
  return end == std::string_view::npos ? text : text.substr(end + 2);
}

// sshd[123], [conn5], a message's id of sendmail
std::string session_in(std::string_view line, const Line& parts, std::string_view text) {
  if (!parts.program.empty()) {
    const auto begin = static_cast<std::size_t>(parts.program.data() - line.data());
    if (begin < line.size() && !parts.program.starts_with("sm-") &&
        !parts.program.starts_with("sendmail")) {
      const auto end = line.find(':', begin);
      return std::string(line.substr(begin, std::min<std::size_t>(end - begin, 80)));
    }
  }
  return std::string(text.substr(0, std::min<std::size_t>(text.find_first_of(": "), 80)));
}

}  // namespace

AttackFinder::Session& AttackFinder::session_of(const std::string& key) {
  const auto found = sessions_.find(key);
  if (found != sessions_.end()) return found->second;
  if (session_order_.size() >= sessions_max) {
    sessions_.erase(session_order_.front());
    session_order_.pop_front();
  }
  session_order_.push_back(key);
  return sessions_[key];
}

std::optional<Attack> AttackFinder::judge(const AttackRule& rule, std::string host,
                                          std::string session) {
  is_over_ = true;
  Attack attack{rule.service, rule.kind, std::move(host), {}};
  switch (rule.sign) {
    case Sign::attack:
      return attack;
    case Sign::harmless:
      return std::nullopt;
    case Sign::suspect:
      session_of(session).is_suspect = true;
      return std::nullopt;
    case Sign::tells_host:
      session_of(session).host = attack.host;
      return std::nullopt;
    case Sign::ends: {
      auto& known = session_of(session);
      const bool is_attack = known.is_suspect;
      known = {};
      if (is_attack) return attack;
      return std::nullopt;
    }
    case Sign::of_session: {
      auto& known = session_of(session);
      attack.host = known.host;
      known.is_suspect = attack.host.empty();
      if (!attack.host.empty()) return attack;
      return std::nullopt;
    }
  }
  return std::nullopt;
}

std::optional<Attack> AttackFinder::by_rules(std::string_view text, const Line& line,
                                             const std::string& session) {
  if (text.size() > attack_text_bytes_max) return std::nullopt;
  const bool is_known = is_known_program(line.program);
  std::string small(text);
  std::ranges::transform(small, small.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  for (const auto& [of, needle] : all_rules()) {
    const auto& rule = *of;
    if (!small.contains(needle)) continue;
    const bool is_pam = rule.service == "pam" && asks_pam(service_);
    if (!is_asked(rule.service) && !is_pam) continue;
    if (service_.empty() && is_known && !is_written_by(rule.service, line.program)) continue;
    if (service_.empty() && !is_known && is_of_syslog(rule.service)) continue;
    auto match = match_pattern(rule.pattern, text);
    if (match) return judge(rule, std::move(match->host), session);
  }
  return std::nullopt;
}

std::optional<Attack> AttackFinder::find_in(std::string_view text, const Line& parts,
                                            const std::string& session) {
  const auto web = find_web_attack(text, [&](std::string_view name) { return is_asked(name); });
  if (web) return Attack{web->service, web->kind, web->host, {}};
  return by_rules(text, parts, session);
}

// What a line of syslog would say. The fields are apart, so that none can pretend to be another.
std::optional<Attack> AttackFinder::in_record(const Record& record, TimePoint now) {
  Line parts;
  parts.program = record.program;
  last_time_.reset();
  if (record.at) last_time_ = LineTime{*record.at, YearIs::written, ZoneIs::written, 0, 0};
  is_over_ = false;
  const auto session = record.program + '[' + record.process + ']';
  auto out = find_in(without_solaris(record.message), parts, session);
  if (!out && !is_over_ && line_time_at(record.message, 0, now)) {
    out = find_in(read_line(record.message, now).content, parts, session);
  }
  if (out) out->time = last_time_;
  return out;
}

std::optional<Attack> AttackFinder::observe(std::string_view line, TimePoint now) {
  line = line.substr(0, line_bytes_max);
  if (line.starts_with('{')) {
    if (const auto record = read_record(line, now)) return in_record(*record, now);
  }
  auto parts = read_line(line, now);
  if (parts.time) last_time_ = parts.time;
  if (parts.program.empty() && parts.content.starts_with("[sshd]")) {
    parts.program = parts.content.substr(1, 4);
    parts.content.remove_prefix(6);
    if (parts.content.starts_with(':')) parts.content.remove_prefix(1);
    parts.content = without_spaces_before(parts.content);
  }
  std::array<std::string_view, 3> texts{without_solaris(parts.content), {}, {}};
  if (is_doubtful(parts, line) && !is_drupal(parts.content)) texts[0] = {};
  // The program's own header after that of syslog.
  if (const auto inner = line_time_at(parts.content, 0, now)) {
    const auto again = read_line(parts.content, now);
    texts[1] = again.content;
  }
  const bool is_known = is_known_program(parts.program);
  if (!is_known && parts.time) {
    auto rest = line.substr(parts.time->end);
    if (rest.starts_with(']')) rest.remove_prefix(1);
    if (rest.starts_with(':')) rest.remove_prefix(1);
    texts[2] = without_spaces_before(rest);
  } else if (!is_known) {
    texts[2] = line;
  }
  is_over_ = false;
  std::optional<Attack> out;
  for (const auto text : texts) {
    if (text.empty() || is_over_ || out) continue;
    out = find_in(text, parts, session_in(line, parts, text));
  }
  // A report over several lines has its time on the first.
  if (out) out->time = last_time_;
  return out;
}

std::vector<std::string_view> attack_services() {
  std::vector<std::string_view> out{"apache-badbots",    "apache-botsearch", "http-auth",
                                    "nginx-bad-request", "nginx-botsearch",  "nginx-limit-req",
                                    "openhab",           "traefik-auth"};
  for (const auto& one : all_rules()) out.push_back(one.rule->service);
  std::ranges::sort(out);
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

}  // namespace vigil::entities::logs
