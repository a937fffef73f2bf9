#include "entities/comms/origin.hpp"

#include <algorithm>
#include <array>

#include "entities/comms/words.hpp"

namespace vigil::entities::comms {
namespace {

bool has_header(const Mail& mail, std::string_view name) { return !header_of(mail, name).empty(); }

std::string first_word(std::string_view value) {
  auto text = lower_ascii(trimmed(value));
  return text.substr(0, text.find_first_of("; \t("));
}

// A report of RFC 3462 by its type.
std::string report_kind(const Mail& mail) {
  const auto type = lower_ascii(header_of(mail, "content-type"));
  if (!type.starts_with("multipart/report")) return {};
  if (type.find("disposition-notification") != std::string::npos) return "receipt";
  return "bounce";
}

bool is_from_nobody(const Mail& mail) {
  static constexpr std::array<std::string_view, 4> names{"mailer-daemon", "postmaster",
                                                         "mail delivery", "maildelivery"};
  const auto path = trimmed(header_of(mail, "return-path"));
  if (mail.from.empty()) return path == "<>";
  const auto& from = mail.from.front();
  const auto local = from.address.substr(0, from.address.find('@'));
  const bool daemon = std::ranges::any_of(names, [&](auto name) { return local == name; });
  return daemon || (path == "<>" && lower_ascii(from.name).starts_with("mail delivery"));
}

bool is_no_reply(const Mail& mail) {
  static constexpr std::array<std::string_view, 7> locals{
      "noreply",  "no-reply",     "donotreply",   "do-not-reply",
      "no_reply", "notification", "notifications"};
  if (mail.from.empty()) return false;
  const auto& address = mail.from.front().address;
  const auto local = address.substr(0, address.find_first_of("@+"));
  return std::ranges::find(locals, local) != locals.end() || local.starts_with("bounce");
}

// How programs begin the subject of an answer nobody wrote.
bool is_absence_subject(std::string_view subject) {
  static constexpr std::array<std::string_view, 14> begins{"out of office",
                                                           "out of the office",
                                                           "automatic reply",
                                                           "auto-reply",
                                                           "autoreply",
                                                           "auto reply",
                                                           "auto response",
                                                           "automatische antwort",
                                                           "abwesenheitsnotiz",
                                                           "abwesenheitsnachricht",
                                                           "abwesend",
                                                           "automatische rückantwort",
                                                           "réponse automatique",
                                                           "respuesta automática"};
  const auto text = lower_text(subject);
  return std::ranges::any_of(begins, [&](auto one) { return text.starts_with(one); });
}

bool is_undelivered_subject(std::string_view subject) {
  static constexpr std::array<std::string_view, 8> begins{"undelivered mail returned",
                                                          "undeliverable:",
                                                          "delivery status notification",
                                                          "mail delivery failed",
                                                          "returned mail:",
                                                          "failure notice",
                                                          "unzustellbar:",
                                                          "delivery failure"};
  const auto text = lower_text(subject);
  return std::ranges::any_of(begins, [&](auto one) { return text.starts_with(one); });
}

int rank_of(std::string_view result) {
  if (result == "pass") return 3;
  if (result == "fail" || result == "permerror" || result == "policy") return 2;
  if (result == "softfail" || result == "temperror") return 1;
  return 0;
}

// Comments (nested, with escapes) and their content go; quoted text stays as it is.
std::string without_comments(std::string_view text) {
  std::string out;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && (quoted || depth > 0)) {
      if (depth == 0 && i + 1 < text.size()) out += text[i + 1];
      ++i;
    } else if (c == '"' && depth == 0) {
      quoted = !quoted;
    } else if (c == '(' && !quoted) {
      ++depth;
    } else if (c == ')' && depth > 0) {
      --depth;
    } else if (depth == 0) {
      out += c;
    }
  }
  return out;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (!blank) word += c;
    if (blank && !word.empty()) out.push_back(std::exchange(word, {}));
  }
  if (!word.empty()) out.push_back(word);
  return out;
}

void take_method(AuthResult& out, const std::vector<std::string>& words) {
  if (words.empty()) return;
  const auto equal = words.front().find('=');
  if (equal == std::string::npos) return;
  const auto method = words.front().substr(0, std::min(equal, words.front().find('/')));
  const auto result = words.front().substr(equal + 1);
  auto* to = method == "spf"     ? &out.spf
             : method == "dkim"  ? &out.dkim
             : method == "dmarc" ? &out.dmarc
                                 : nullptr;
  if (to == nullptr) return;
  if (to->empty() || rank_of(result) > rank_of(*to)) *to = cut_text(result, 40);
  if (result != "pass") return;
  static constexpr std::array<std::string_view, 4> vouching{
      "header.from=", "header.d=", "smtp.mailfrom=", "header.i=@"};
  for (const auto& word : words) {
    for (const auto name : vouching) {
      if (!word.starts_with(name)) continue;
      auto domain = word.substr(name.size());
      if (const auto at = domain.rfind('@'); at != std::string::npos) domain.erase(0, at + 1);
      if (out.domain.empty() || method == "dmarc") out.domain = cut_text(domain, 253);
    }
  }
}

}  // namespace

Origin origin_of(const Mail& mail) {
  if (const auto kind = report_kind(mail); !kind.empty()) return {kind, "multipart/report"};
  if (is_from_nobody(mail)) return {"bounce", "its sender takes no answers"};
  if (is_undelivered_subject(mail.subject)) return {"bounce", "its subject"};
  const auto automatic = first_word(header_of(mail, "auto-submitted"));
  if (automatic == "auto-replied" || automatic == "auto-notified") {
    return {"auto_reply", "Auto-Submitted: " + automatic};
  }
  const auto precedence = first_word(header_of(mail, "precedence"));
  if (precedence == "auto_reply") return {"auto_reply", "Precedence: auto_reply"};
  for (const auto* name : {"x-autoreply", "x-autorespond", "x-auto-response-from"}) {
    if (has_header(mail, name)) return {"auto_reply", name};
  }
  if (is_absence_subject(mail.subject)) return {"auto_reply", "its subject"};
  if (has_header(mail, "list-id")) return {"list", "List-Id"};
  if (has_header(mail, "list-post")) return {"list", "List-Post"};
  if (has_header(mail, "x-mailing-list") || has_header(mail, "mailing-list")) {
    return {"list", "Mailing-List"};
  }
  if (precedence == "list") return {"list", "Precedence: list"};
  if (!automatic.empty() && automatic != "no") return {"bulk", "Auto-Submitted: " + automatic};
  if (precedence == "bulk" || precedence == "junk") return {"bulk", "Precedence: " + precedence};
  if (has_header(mail, "list-unsubscribe")) return {"bulk", "List-Unsubscribe"};
  for (const auto* name :
       {"feedback-id", "x-campaign", "x-campaignid", "x-mailgun-tag", "x-auto-response-suppress"}) {
    if (has_header(mail, name)) return {"bulk", name};
  }
  if (is_no_reply(mail)) return {"bulk", "its sender takes no answers"};
  return {"person", "nothing says otherwise"};
}

MailingList list_of(const Mail& mail) {
  MailingList out;
  const auto in_brackets = [](std::string_view value) {
    const auto begin = value.find('<');
    const auto end = value.find('>', begin);
    if (begin == std::string_view::npos || end == std::string_view::npos) return trimmed(value);
    return trimmed(value.substr(begin + 1, end - begin - 1));
  };
  out.id = cut_text(lower_ascii(in_brackets(header_of(mail, "list-id"))), 255);
  out.unsubscribe = cut_text(in_brackets(header_of(mail, "list-unsubscribe")), 500);
  out.post = cut_text(in_brackets(header_of(mail, "list-post")), 500);
  return out;
}

std::optional<AuthResult> parse_auth_results(std::string_view header) {
  const auto text = lower_ascii(without_comments(header));
  AuthResult out;
  bool first = true;
  std::size_t begin = 0;
  while (begin <= text.size()) {
    const auto end = std::min(text.find(';', begin), text.size());
    const auto words = words_of(std::string_view(text).substr(begin, end - begin));
    if (first) {
      if (words.empty() || words.front().find('=') != std::string::npos) return std::nullopt;
      out.server = cut_text(words.front(), 253);
      first = false;
    } else {
      take_method(out, words);
    }
    begin = end + 1;
  }
  return out;
}

std::vector<AuthResult> auth_results_of(const Mail& mail) {
  constexpr std::size_t results_max = 20;
  std::vector<AuthResult> out;
  for (const auto& [name, value] : mail.headers) {
    if (name != "authentication-results" || out.size() >= results_max) continue;
    if (auto one = parse_auth_results(value)) out.push_back(std::move(*one));
  }
  return out;
}

std::string verdict_of(const std::vector<AuthResult>& results,
                       const std::vector<std::string>& trusted) {
  for (const auto& one : results) {
    const bool known = std::ranges::any_of(
        trusted, [&](const auto& server) { return lower_ascii(server) == one.server; });
    if (!known) continue;
    // The first of a trusted server: those below it came with the message.
    if (!one.dmarc.empty() && one.dmarc != "none") return one.dmarc == "pass" ? "pass" : "fail";
    if (one.spf == "pass" || one.dkim == "pass") return "pass";
    const bool said = rank_of(one.spf) > 0 || rank_of(one.dkim) > 0;
    return said ? "fail" : "none";
  }
  return "none";
}

}  // namespace vigil::entities::comms
