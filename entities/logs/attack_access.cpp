#include "entities/logs/attack_access.hpp"

#include <algorithm>
#include <array>

#include "entities/logs/attack_pattern.hpp"
#include "entities/logs/scan.hpp"

namespace vigil::entities::logs {
namespace {

using Asked = std::function<bool(std::string_view)>;

struct Access {
  std::string host;
  std::string_view request;
  std::string_view agent;
  int status = 0;
};

std::string_view take_word(std::string_view& rest) {
  const auto end = std::min(rest.find(' '), rest.size());
  const auto word = rest.substr(0, end);
  rest.remove_prefix(end);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return word;
}

// "...": servers write quotes of strangers as \" or \x22.
std::optional<std::string_view> take_quoted(std::string_view& rest) {
  if (!rest.starts_with('"')) return std::nullopt;
  for (std::size_t at = 1; at < rest.size(); ++at) {
    if (rest[at] == '\\') {
      ++at;
    } else if (rest[at] == '"') {
      const auto quoted = rest.substr(1, at - 1);
      rest.remove_prefix(at + 1);
      rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
      return quoted;
    }
  }
  return std::nullopt;
}

// [host] address - user [time] "request" status bytes "from" "agent"
std::optional<Access> read_access(std::string_view text) {
  Access out;
  auto rest = text;
  auto word = take_word(rest);
  if (!is_address(word)) word = take_word(rest);
  if (!is_address(word)) return std::nullopt;
  out.host = plain_address(word);
  // A user may hold a blank, though no "[": the time is the first bracket.
  const auto bracket = rest.find('[');
  const auto close = rest.find("] ");
  if (bracket == std::string_view::npos || bracket > 300 || close == std::string_view::npos) {
    return std::nullopt;
  }
  rest.remove_prefix(close + 2);
  const auto request = take_quoted(rest);
  if (!request) return std::nullopt;
  out.request = *request;
  const auto status = take_word(rest);
  if (status.size() != 3 || !std::ranges::all_of(status, is_digit)) return std::nullopt;
  for (const char digit : status) out.status = out.status * 10 + (digit - '0');
  take_word(rest);
  if (take_quoted(rest)) out.agent = take_quoted(rest).value_or("");
  return out;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  return out;
}

// What only those ask for who try every server: names of administration pages, each in the form of
// the beginning of one part of a path.
constexpr std::array<std::string_view, 24> probed{
    "pma",       "phpmyadmin", "mysqladmin", "phpmanager", "myadmin",  "webmail",
    "vwebmail",  "v-webmail",  "extmail",    "roundcube",  "squirrel", "wp-login",
    "wp-config", "wp-admin",   "xmlrpc.php", "setup.php",  "cgi-bin",  ".env",
    ".git",      ".aws",       "phpunit",    "boaform",    "hnap1",    "actuator"};

bool is_probed_part(std::string_view part) {
  return std::ranges::any_of(probed, [&](std::string_view name) { return part.starts_with(name); });
}

bool is_probed_path(std::string_view path) {
  const auto whole = lowered(path.substr(0, 2000));
  std::string_view rest = whole;
  while (!rest.empty()) {
    const auto end = std::min(rest.find_first_of("/?"), rest.size());
    if (is_probed_part(rest.substr(0, end))) return true;
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return false;
}

// The last part alone: what stands before it is where the server keeps its files.
bool is_probed_file(std::string_view path) {
  path = path.substr(0, std::min(path.find(", referer: "), path.size()));
  const auto last = lowered(path.substr(path.rfind('/') + 1));
  const bool is_mail = last.starts_with("mail") && !last.contains('.');
  return is_mail || is_probed_part(last);
}

constexpr std::array<std::string_view, 12> scanners{
    "trackback/", "sqlmap",   "nikto",  "masscan", "zgrab", "nmap",
    "dirbuster",  "gobuster", "wpscan", "nuclei",  "hydra", "l9explore"};

std::optional<WebAttack> in_access(const Access& access, const Asked& is_asked) {
  const auto found = [&](std::string_view service, std::string_view kind) {
    return WebAttack{service, kind, access.host};
  };
  const auto agent = lowered(access.agent.substr(0, 300));
  const bool is_scanner =
      std::ranges::any_of(scanners, [&](std::string_view name) { return agent.contains(name); });
  if (is_scanner && is_asked("apache-badbots")) return found("apache-badbots", "probe");
  for (const std::string_view service : {"openhab", "traefik-auth", "http-auth"}) {
    if (access.status == 401 && is_asked(service)) return found(service, "login");
  }
  if (access.status == 400 && is_asked("nginx-bad-request")) {
    return found("nginx-bad-request", "probe");
  }
  auto rest = access.request;
  take_word(rest);
  if (access.status == 404 && is_asked("nginx-botsearch") && is_probed_path(take_word(rest))) {
    return found("nginx-botsearch", "probe");
  }
  return std::nullopt;
}

// 2833#0: *16336 open() "/path" failed (2: No such file...), client: 1.2.3.4, server: ..., request:
// The path and the request are a stranger's: the client counts only when there is one.
std::optional<WebAttack> in_nginx_error(std::string_view text, const Asked& is_asked) {
  constexpr std::string_view client = ", client: ";
  const auto at = text.find(client);
  if (at == std::string_view::npos || at != text.rfind(client)) return std::nullopt;
  auto host = text.substr(at + client.size());
  host = host.substr(0, std::min(host.find_first_of(", "), host.size()));
  if (!is_address(host)) return std::nullopt;
  auto said = text.substr(0, at);
  if (const auto star = said.find(": *"); star < 32) said.remove_prefix(star + 3);
  take_word(said);
  const bool is_flood = said.starts_with("limiting ") || said.starts_with("delaying request");
  if (is_flood && is_asked("nginx-limit-req")) {
    return WebAttack{"nginx-limit-req", "flood", plain_address(host)};
  }
  const bool is_absent =
      said.contains("No such file or directory") || said.contains("Primary script unknown");
  const auto path = said.find('"');
  if (is_absent && path != std::string_view::npos && is_asked("nginx-botsearch") &&
      is_probed_path(said.substr(path + 1, said.rfind('"') - path - 1))) {
    return WebAttack{"nginx-botsearch", "probe", plain_address(host)};
  }
  return std::nullopt;
}

std::optional<WebAttack> in_apache_error(std::string_view text, const Asked& is_asked) {
  if (!is_asked("apache-botsearch") || !text.starts_with("[client ")) return std::nullopt;
  constexpr std::array<std::string_view, 3> patterns{
      "[client %a%o] %cscript not found or unable to stat: %*",
      "[client %a%o] %cscript '%*' not found or unable to stat%?",
      "[client %a%o] %cFile does not exist: %*"};
  for (const auto pattern : patterns) {
    const auto match = match_pattern(pattern, text);
    if (!match) continue;
    auto path = text.substr(std::min(text.find('/'), text.size()));
    const bool is_script = pattern.contains("script");
    if (pattern.contains("'%*'")) path = path.substr(0, path.rfind('\''));
    const auto last = lowered(path.substr(path.rfind('/') + 1));
    if (is_script ? !is_probed_part(last) : !is_probed_file(path)) return std::nullopt;
    return WebAttack{"apache-botsearch", "probe", match->host};
  }
  return std::nullopt;
}

}  // namespace

std::optional<WebAttack> find_web_attack(std::string_view text, const Asked& is_asked) {
  if (const auto access = read_access(text)) return in_access(*access, is_asked);
  if (auto found = in_nginx_error(text, is_asked)) return found;
  return in_apache_error(text, is_asked);
}

}  // namespace vigil::entities::logs
