#include <array>
#include <string>
#include <vector>

#include "config/secret.hpp"
#include "core/json.hpp"
#include "daemon/ingress/form_data.hpp"
#include "daemon/ingress/lmtp_session.hpp"
#include "daemon/ingress/webhook_mail.hpp"
#include "daemon/mail/imap_response.hpp"
#include "entities/comms/dates.hpp"
#include "entities/comms/html_text.hpp"
#include "entities/comms/mail.hpp"
#include "tests/fuzz/target.hpp"

namespace vigil::fuzz {
namespace {

constexpr TimePoint now{std::chrono::microseconds{1'790'000'000'000'000}};

// What is read of a message is text that can be stored, within its bounds.
void mail(std::string_view bytes) {
  using namespace entities::comms;
  const MailBounds bounds;
  const auto read = read_mail(bytes, bounds);
  for (const auto* text : {&read.plain, &read.html, &read.other}) {
    must(text->size() <= bounds.text_bytes, "a text has its bound");
    must(is_valid_utf8(*text), "a text is UTF-8");
  }
  must(is_valid_utf8(read.subject), "a subject is UTF-8");
  must(read.to.size() <= bounds.addresses, "addresses have their bound");
  const auto seen = html_to_text(read.html, bounds.text_bytes);
  must(is_valid_utf8(seen.text), "what is seen of HTML is UTF-8");
  for (const auto& date : find_dates(read.plain, now, 60)) {
    must(date.begin < date.end && date.end <= read.plain.size(), "a date stands in the text");
  }
}

// However the bytes are cut, the same is said and the same messages are taken.
std::string converse(std::string_view bytes, std::size_t step) {
  ingress::LmtpSession session({.message_bytes_max = 4096, .recipients_max = 3},
                               [](auto recipient) { return !recipient.starts_with("no"); });
  std::string out = session.greeting();
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    auto turn = session.take(bytes.substr(at, step));
    while (true) {
      out += turn.say;
      if (!turn.message) break;
      must(turn.message->raw.size() <= 4096, "a message has its bound");
      out += turn.message->from + "\n" + turn.message->raw;
      out += session.answer({});
      turn = session.take("");
    }
    if (turn.over) break;
  }
  return out;
}
void lmtp(std::string_view bytes) {
  must(converse(bytes, bytes.size() + 1) == converse(bytes, 5), "cuts do not matter");
}

std::string hear(std::string_view bytes, std::size_t step) {
  mail::ResponseReader reader({.line_bytes_max = 4096, .bytes_max = 8192});
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    reader.feed(bytes.substr(at, step));
    while (true) {
      auto next = reader.next();
      if (!next) return out;
      if (!*next) break;
      const auto& response = **next;
      out += response.tag + response.status + response.code + response.text;
      for (const auto& token : response.tokens) out += token.text + "|";
      (void)mail::fetched_of(response);
      (void)mail::status_of(response);
      (void)mail::found_of(response);
      (void)mail::capabilities_of(response);
      (void)mail::listed_of(response);
      (void)mail::number_before(response, "EXISTS");
      (void)mail::number_in_code(response, "UIDNEXT");
      (void)mail::from_wire_name(response.text);
    }
  }
  return out;
}
// What a server says, up to what is none of IMAP.
void imap(std::string_view bytes) {
  const auto whole = hear(bytes, bytes.size() + 1);
  const auto cut = hear(bytes, 3);
  must(whole.starts_with(cut) || cut.starts_with(whole), "cuts do not matter");
}

// The first line is the content type.
void posted_mail(std::string_view bytes) {
  using config::Scheme;
  const auto [type, body] = halves_of(bytes);
  if (const auto form = ingress::parse_form(type, body)) {
    must(form->size() <= ingress::form_fields_max, "fields have their bound");
  }
  ingress::Request request;
  request.method = "POST";
  request.headers = {{"content-type", std::string(type)}};
  request.body = body;
  std::vector<config::Secret> secrets;
  secrets.emplace_back(std::string("a secret that nobody knows 9f8e7d6c"));
  for (const auto scheme : {Scheme::mailgun, Scheme::sendgrid, Scheme::postmark}) {
    config::Webhook source;
    source.scheme = scheme;
    const auto read = ingress::read_posted_mail(source, secrets, request, now);
    must(!read || scheme != Scheme::mailgun, "a signature in a form is not guessed");
    if (read) (void)entities::comms::read_mail(read->raw);
  }
}

constexpr std::array table{
    Target{"mail", "mail/eml tests/fuzz/seeds/mail", mail},
    Target{"lmtp", "tests/fuzz/seeds/lmtp", lmtp},
    Target{"imap", "tests/fuzz/seeds/imap", imap},
    Target{"posted-mail", "tests/fuzz/seeds/posted-mail", posted_mail},
};

}  // namespace

std::span<const Target> mail_targets() { return table; }

}  // namespace vigil::fuzz
