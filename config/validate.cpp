#include "config/validate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/forms.hpp"
#include "config/validate_entity.hpp"
#include "config/validate_hearing.hpp"
#include "config/words.hpp"

namespace vigil::config {
namespace {

void check_http(const Http& http, Violations& found) {
  for (std::size_t i = 0; i < http.listen.size(); ++i) {
    if (is_loopback(http.listen[i]) || http.behind_proxy) continue;
    found.add(fmt::format("http.listen[{}]", i),
              fmt::format("{} can be reached from other machines, and vigild speaks no TLS: listen "
                          "on 127.0.0.1 behind a reverse proxy, or set behind_proxy = true when "
                          "only the proxy can reach this address",
                          http.listen[i]));
  }
}

void check_admin(const Admin& admin, Violations& found) {
  const auto check = [&](std::string_view key, const std::vector<std::string>& who) {
    for (std::size_t i = 0; i < who.size(); ++i) {
      const bool named = (who[i].starts_with("user:") && who[i].size() > 5) ||
                         (who[i].starts_with("group:") && who[i].size() > 6);
      if (!named) {
        found.add(fmt::format("admin.{}[{}]", key, i), "expected \"user:NAME\" or \"group:NAME\"");
      }
    }
  };
  check("read", admin.read);
  check("operate", admin.operate);
  check("admin", admin.admin);
}

void check_unproven(const std::string& key, const Webhook& hook, const Http& http,
                    Violations& found) {
  if (!std::ranges::all_of(http.listen, is_loopback) || http.behind_proxy) {
    found.add(key + ".scheme",
              "scheme = \"none\" lets everybody in: it is for http.listen on loopback alone, "
              "without a proxy. Choose a scheme and give it secrets");
  }
  if (!hook.secrets.empty()) {
    found.add(key + ".secrets", "scheme = \"none\" uses no secrets: choose a scheme that does");
  }
}

// Schemes whose proof is not, or not only, a secret that all requests share.
void check_own_proof(const std::string& key, const Webhook& hook, Violations& found) {
  const auto unused = [&](std::string_view name, bool given) {
    if (!given) return;
    found.add(fmt::format("{}.{}", key, name),
              fmt::format("is not used by scheme = \"{}\": take it out", word_of(hook.scheme)),
              key + ".scheme");
  };
  if (hook.scheme == Scheme::sns) {
    unused("secrets", !hook.secrets.empty());
    for (std::size_t i = 0; i < hook.topics.size(); ++i) {
      if (hook.topics[i].starts_with("arn:aws")) continue;
      found.add(fmt::format("{}.topics[{}]", key, i),
                "expected the ARN of a topic, like \"arn:aws:sns:eu-west-1:123456789012:alarms\"");
    }
    if (!hook.topics.empty()) return;
    found.add(key + ".topics",
              "scheme = \"sns\" needs the topics that may send, as everybody can have AWS sign a "
              "message: topics = [\"arn:aws:sns:...\"]",
              key + ".scheme");
    return;
  }
  unused("type", !hook.type.empty());
  unused("type_path", !hook.type_path.empty());
  unused("subject_path", !hook.subject_path.empty());
  unused("id_header", !hook.id_header.empty());
  if (hook.secrets.empty() && hook.ids.empty()) {
    found.add(key + ".secrets",
              "scheme = \"ping\" needs a key for all checks, secrets = [\"file:PATH\"], or a "
              "secret for each: ids = { backup = \"file:PATH\" }",
              key + ".scheme");
  }
}

bool is_hook(std::string_view text) {
  if (text == "app/hook") return true;
  const auto id = text.find("/hooks/");
  const auto owner = text.substr(0, id);
  const bool owned = (owner.starts_with("repos/") && std::ranges::count(owner, '/') == 2) ||
                     (owner.starts_with("orgs/") && std::ranges::count(owner, '/') == 1);
  if (id == std::string_view::npos || !owned || owner.ends_with('/')) return false;
  const auto number = text.substr(id + 7);
  return !number.empty() && number.find_first_not_of("0123456789") == std::string_view::npos &&
         text.find_first_of("?#% ") == std::string_view::npos;
}

void check_redelivery(const std::string& hook_key, const Webhook& hook, Violations& found) {
  const auto& redelivery = *hook.redelivery;
  const auto key = hook_key + ".redelivery";
  if (hook.scheme != Scheme::github) {
    found.add(key, "is for scheme = \"github\" alone: nobody else can be asked this way",
              hook_key + ".scheme");
  }
  for (std::size_t i = 0; i < redelivery.hooks.size(); ++i) {
    if (is_hook(redelivery.hooks[i])) continue;
    found.add(fmt::format("{}.hooks[{}]", key, i),
              "expected \"repos/OWNER/REPO/hooks/ID\", \"orgs/ORG/hooks/ID\" or \"app/hook\"; "
              "the id stands in the address of the webhook's settings page");
  }
  if (redelivery.app_id.empty() != !redelivery.private_key) {
    found.add(key + ".app_id", "app_id and private_key go together");
  } else if (redelivery.token.has_value() == redelivery.private_key.has_value()) {
    found.add(key + ".token", "give a token, or app_id and private_key", key + ".app_id");
  }
}

void check_webhook(const std::string& key, const Webhook& hook, const Http& http,
                   Violations& found) {
  if (hook.redelivery) check_redelivery(key, hook, found);
  const auto scheme = word_of(hook.scheme);
  if (hook.scheme == Scheme::none) {
    check_unproven(key, hook, http, found);
  } else if (hook.scheme == Scheme::sns || hook.scheme == Scheme::ping) {
    check_own_proof(key, hook, found);
  } else if (hook.secrets.empty()) {
    found.add(key + ".secrets",
              fmt::format("scheme = \"{}\" needs a secret: secrets = [\"file:PATH\"]", scheme),
              key + ".scheme");
  }
  if (hook.scheme == Scheme::basic && hook.user.empty()) {
    found.add(key + ".user", "scheme = \"basic\" needs a user name");
  }
  if (hook.user.find(':') != std::string::npos) {
    found.add(key + ".user", "a user name must not hold a colon");
  }
  const auto belongs_to = [&](std::string_view name, std::string_view wanted, bool given) {
    if (!given || scheme == wanted) return;
    found.add(fmt::format("{}.{}", key, name),
              fmt::format("is used by scheme = \"{}\" alone, and this is \"{}\"", wanted, scheme),
              key + ".scheme");
  };
  const Webhook plain;
  const bool may_name_user = hook.scheme == Scheme::alertmanager ||
                             hook.scheme == Scheme::sendgrid || hook.scheme == Scheme::postmark;
  if (!may_name_user) belongs_to("user", "basic", !hook.user.empty());
  if (hook.scheme != Scheme::telegram) belongs_to("own_ids", "slack", !hook.own_ids.empty());
  belongs_to("signature_header", "hmac", hook.signature_header != plain.signature_header);
  belongs_to("signature_prefix", "hmac", !hook.signature_prefix.empty());
  belongs_to("signature_encoding", "hmac", hook.signature_encoding != plain.signature_encoding);
  belongs_to("ids", "ping", !hook.ids.empty());
  belongs_to("per_minute_max", "ping", hook.per_minute_max != plain.per_minute_max);
  belongs_to("topics", "sns", !hook.topics.empty());
  belongs_to("certificate", "sns", !hook.certificate.empty());
  belongs_to("confirm", "sns", hook.confirm);
  if (!hook.type.empty() && !hook.type_path.empty()) {
    found.add(key + ".type_path", "give type or type_path, not both: type alone would be used");
  }
}

void check_schedule(const std::string& key, const Schedule& schedule, Violations& found) {
  const int given =
      (schedule.cron.empty() ? 0 : 1) + (schedule.every ? 1 : 0) + (schedule.at ? 1 : 0);
  if (given == 0) {
    found.add(key, "says nothing about when: give cron, every or at");
  } else if (given > 1) {
    found.add(key, "give exactly one of cron, every and at");
  }
  if (schedule.every && schedule.jitter >= *schedule.every) {
    found.add(key + ".jitter", "must be shorter than every", key + ".every");
  }
}

// Where a name and a password go: in the open they may travel within this machine alone.
template <class Account>
void check_account(const std::string& key, const Account& account, Violations& found) {
  const bool local =
      account.host == "localhost" || account.host == "::1" || account.host.starts_with("127.");
  if (account.tls == MailTls::none && !local) {
    found.add(key + ".tls",
              "tls = \"none\" is for a server on loopback alone: use implicit or "
              "starttls",
              key + ".host");
  }
  if (account.password && account.token) {
    found.add(key + ".token", "give password or token, not both");
  }
  if ((account.password || account.token) && account.user.empty()) {
    found.add(key + ".user", "who logs in with it?");
  }
}

void check_mail(const std::string& key, const Source& source, Violations& found) {
  if (const auto* imap = std::get_if<ImapSource>(&source.of)) check_account(key, *imap, found);
  if (const auto* lmtp = std::get_if<LmtpSource>(&source.of)) {
    if (!lmtp->listen.starts_with('/') && !is_loopback(lmtp->listen)) {
      found.add(key + ".listen",
                "expected the absolute path of a unix socket, or a loopback address like "
                "127.0.0.1:24: LMTP has no proof of who speaks");
    }
  }
}

// user:password@ would be shown with the settings.
void check_bare(const std::string& key, std::string_view address, Violations& found) {
  const auto begin = address.find("://");
  if (begin == std::string_view::npos) return;
  const auto authority =
      address.substr(begin + 3, address.find_first_of("/?#", begin + 3) - begin - 3);
  const auto user = authority.substr(0, authority.find('@'));
  if (user.size() == authority.size() || user.find(':') == std::string_view::npos) return;
  found.add(key,
            "a password does not stand in an address, where it would be shown: put it into a "
            "file, as docs/configuration.md says of secrets");
}

void check_source(const std::string& name, const Source& source, const Http& http,
                  Violations& found) {
  const std::string key = "source." + name;
  if (name == admin_source) {
    found.add(key, "this name is taken: events that people emit come from \"admin\"");
  }
  if (name == own_source) {
    found.add(key, "this name is taken: what the daemon itself notices comes from \"vigil\"");
  }
  if (source.expect_every != Duration{0} && source.expect_every < 1s) {
    found.add(key + ".expect_every", "expected at least 1s, or 0s for any time");
  }
  if (const auto* hook = std::get_if<Webhook>(&source.of)) check_webhook(key, *hook, http, found);
  if (const auto* schedule = std::get_if<Schedule>(&source.of)) {
    check_schedule(key, *schedule, found);
  }
  if (const auto* stream = std::get_if<Stream>(&source.of)) {
    check_bare(key + ".url", stream->url, found);
  }
  check_hearing(key, source, found);
  check_mail(key, source, found);
}

void check_sink(const std::string& name, const Sink& sink, Violations& found) {
  const auto key = "sink." + name;
  if (name == own_source) {
    found.add(key,
              "this name is taken: what the daemon itself carries out, as a preference that a "
              "person approved, goes to \"vigil\". Choose another name");
  }
  if (const auto* imap = std::get_if<ImapSink>(&sink.of)) check_account(key, *imap, found);
  if (const auto* smtp = std::get_if<SmtpSink>(&sink.of)) check_account(key, *smtp, found);
  if (const auto* git = std::get_if<GitSink>(&sink.of)) {
    check_bare(key + ".remote", git->remote, found);
  }
  const auto* http = std::get_if<HttpSink>(&sink.of);
  if (http == nullptr) return;
  for (const auto& [header, value] : http->headers) {
    const bool clean = std::ranges::all_of(value, [](unsigned char c) { return c >= 0x20; });
    if (clean) continue;
    found.add(fmt::format("sink.{}.headers.{}", name, header),
              "the value of a header is one line without control characters");
  }
}

}  // namespace

std::vector<Violation> validate(const Settings& settings) {
  Violations found;
  check_http(settings.http, found);
  check_admin(settings.admin, found);
  for (const auto& [name, source] : settings.sources) {
    check_source(name, source, settings.http, found);
  }
  check_personal(settings, found);
  check_minds(settings, found);
  for (const auto& [name, sink] : settings.sinks) check_sink(name, sink, found);
  for (const auto& [name, entity] : settings.entities) {
    check_entity("entity." + name, entity, settings, found);
    if (entity.expect_every != Duration{0} && entity.expect_every < 1s) {
      found.add("entity." + name + ".expect_every", "expected at least 1s, or 0s for any time");
    }
  }
  return std::move(found.all);
}

}  // namespace vigil::config
