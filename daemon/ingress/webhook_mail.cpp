#include "daemon/ingress/webhook_mail.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <charconv>

#include "core/digest.hpp"
#include "core/json.hpp"
#include "daemon/mail/imap_response.hpp"

namespace vigil::ingress {
namespace {

using config::Scheme;

constexpr std::size_t attachments_max = 100;

struct Part {
  std::string type;  // Content-Type, whole
  std::string name;  // of an attachment; empty: it is a body
  std::string bytes;
};

struct Pieces {
  std::string head;  // lines that end in CR LF
  std::vector<Part> bodies;
  std::vector<Part> attachments;
};

// One line, whatever it held.
std::string on_one_line(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  return out;
}

// What the parts of ours are made of is said anew.
bool is_ours_to_say(std::string_view name) {
  constexpr std::array ours{"content-type", "content-transfer-encoding", "mime-version",
                            "content-disposition"};
  return std::ranges::any_of(ours, [&](auto one) { return mail::equal_words(one, name); });
}

void put_header(Pieces& to, std::string_view name, std::string_view value) {
  const bool clean = !name.empty() && std::ranges::all_of(name, [](unsigned char c) {
    return c > 0x20 && c < 0x7f && c != ':';
  });
  if (!clean || is_ours_to_say(name)) return;
  to.head += fmt::format("{}: {}\r\n", name, on_one_line(value));
}

// A block of headers as it stood in a message: folded lines belong to the one before.
void put_block(Pieces& to, std::string_view block) {
  bool kept = false;
  while (!block.empty()) {
    auto line = block.substr(0, block.find('\n'));
    block.remove_prefix(std::min(line.size() + 1, block.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    const bool folded = line.front() == ' ' || line.front() == '\t';
    if (!folded) {
      const auto colon = line.find(':');
      kept = colon != std::string_view::npos && !is_ours_to_say(line.substr(0, colon));
    }
    if (!kept) continue;
    to.head += folded ? " " + on_one_line(line) : on_one_line(line);
    to.head += "\r\n";
  }
}

std::string charset_of(std::string_view given) {
  const bool clean = !given.empty() && given.size() <= 40 && std::ranges::all_of(given, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("-_.:+").contains(c);
  });
  return clean ? std::string(given) : "utf-8";
}

void put_body(Pieces& to, std::string_view type, std::string_view charset, std::string_view bytes) {
  if (bytes.empty()) return;
  to.bodies.push_back(
      {fmt::format("text/{}; charset={}", type, charset_of(charset)), {}, std::string(bytes)});
}

void put_attachment(Pieces& to, std::string_view type, std::string_view name, std::string bytes) {
  if (to.attachments.size() >= attachments_max) return;
  auto media = on_one_line(type.substr(0, type.find(';')));
  if (media.find('/') == std::string::npos || media.find(' ') != std::string::npos) {
    media = "application/octet-stream";
  }
  auto called = on_one_line(name.substr(0, 200));
  std::erase_if(called, [](char c) { return c == '"' || c == '\\'; });
  to.attachments.push_back({media, called.empty() ? "attachment" : called, std::move(bytes)});
}

std::string in_base64(std::string_view bytes) {
  const auto text = to_base64(bytes);
  std::string out;
  for (std::size_t at = 0; at < text.size(); at += 76) out += text.substr(at, 76) + "\r\n";
  return out;
}

std::string part_text(const Part& part) {
  auto out = fmt::format("Content-Type: {}\r\nContent-Transfer-Encoding: base64\r\n", part.type);
  if (!part.name.empty()) {
    out += fmt::format("Content-Disposition: attachment; filename=\"{}\"\r\n", part.name);
  }
  return out + "\r\n" + in_base64(part.bytes);
}

std::string multipart_text(std::string_view kind, std::string_view boundary,
                           const std::vector<std::string>& parts) {
  auto out = fmt::format("Content-Type: multipart/{}; boundary=\"{}\"\r\n\r\n", kind, boundary);
  for (const auto& part : parts) out += fmt::format("--{}\r\n{}\r\n", boundary, part);
  return out + fmt::format("--{}--\r\n", boundary);
}

// Boundaries come from what they bound, so that the same post is the same message.
std::string message_of(const Pieces& pieces) {
  std::string all = pieces.head;
  for (const auto* list : {&pieces.bodies, &pieces.attachments}) {
    for (const auto& part : *list) all += part.bytes;
  }
  const auto boundary = "vigil-" + to_hex(as_bytes(sha256(all))).substr(0, 32);
  std::vector<std::string> bodies;
  for (const auto& part : pieces.bodies) bodies.push_back(part_text(part));
  if (bodies.empty()) bodies.push_back(part_text({"text/plain; charset=utf-8", {}, {}}));
  auto inner =
      bodies.size() == 1 ? bodies.front() : multipart_text("alternative", boundary + "-a", bodies);
  if (!pieces.attachments.empty()) {
    std::vector<std::string> parts{std::move(inner)};
    for (const auto& part : pieces.attachments) parts.push_back(part_text(part));
    inner = multipart_text("mixed", boundary + "-m", parts);
  }
  return pieces.head + "MIME-Version: 1.0\r\n" + inner;
}

std::vector<std::string> addresses_in(std::string_view list) {
  std::vector<std::string> out;
  while (!list.empty() && out.size() < 100) {
    auto one = list.substr(0, list.find(','));
    list.remove_prefix(std::min(one.size() + 1, list.size()));
    while (one.starts_with(' ')) one.remove_prefix(1);
    while (one.ends_with(' ')) one.remove_suffix(1);
    if (!one.empty() && one.size() <= 320) out.push_back(to_valid_utf8(one));
  }
  return out;
}

Result<void> prove_mailgun(const config::Webhook& settings, std::span<const config::Secret> secrets,
                           const std::vector<FormField>& form, TimePoint now) {
  const auto refuse = [](std::string why) { return fail(ErrorCode::unauthorized, std::move(why)); };
  const auto timestamp = field_of(form, "timestamp");
  const auto token = field_of(form, "token");
  const auto given = from_hex(field_of(form, "signature"));
  if (timestamp.empty() || token.empty() || !given) {
    return refuse("the form has no timestamp, token and signature: is it a route of Mailgun's?");
  }
  std::int64_t seconds = 0;
  const auto [end, error] =
      std::from_chars(timestamp.data(), timestamp.data() + timestamp.size(), seconds);
  const bool number = error == std::errc{} && end == timestamp.data() + timestamp.size() &&
                      seconds > 0 && seconds < 100'000'000'000;
  if (!number) return refuse("the timestamp is not a number of seconds");
  const auto age = now - from_unix_us(seconds * 1'000'000);
  if (age > settings.tolerance || -age > settings.tolerance) {
    return refuse(
        "it was signed at another time: is this machine's clock right, or is it a replay?");
  }
  const auto content = std::string(timestamp) + std::string(token);
  bool found = false;
  for (const auto& secret : secrets) {
    const auto mac = hmac_sha256(secret.reveal(), content);
    found = equal_constant_time(as_bytes(mac), *given) || found;
  }
  if (!found)
    return refuse("the signature does not fit: is the secret the HTTP webhook signing key?");
  return {};
}

void take_files(const std::vector<FormField>& form, Pieces& to) {
  for (const auto& field : form) {
    if (field.file_name.empty()) continue;
    put_attachment(to, field.content_type, field.file_name, field.bytes);
  }
}

Result<PostedMail> from_mailgun(const std::vector<FormField>& form) {
  PostedMail out{.from = std::string(field_of(form, "sender")),
                 .recipients = addresses_in(field_of(form, "recipient"))};
  if (const auto raw = field_of(form, "body-mime"); !raw.empty()) {
    out.raw = raw;
    return out;
  }
  Pieces pieces;
  const auto headers = parse_json(field_of(form, "message-headers"));
  if (!headers || !headers->is_array()) {
    return fail(ErrorCode::invalid_input, "the form has no message-headers");
  }
  for (const auto& pair : headers->get_array()) {
    if (!pair.is_array() || pair.get_array().size() != 2) continue;
    const auto& name = pair.get_array()[0];
    const auto& value = pair.get_array()[1];
    if (name.is_string() && value.is_string()) {
      put_header(pieces, std::string_view(name.get_string()), std::string_view(value.get_string()));
    }
  }
  put_body(pieces, "plain", "utf-8", field_of(form, "body-plain"));
  put_body(pieces, "html", "utf-8", field_of(form, "body-html"));
  take_files(form, pieces);
  out.raw = message_of(pieces);
  return out;
}

// Every field has a charset of its own, named in the field `charsets`.
Result<PostedMail> from_sendgrid(const std::vector<FormField>& form) {
  PostedMail out;
  if (const auto envelope = parse_json(field_of(form, "envelope"))) {
    out.from = find_text(*envelope, "from").value_or("");
    if (const auto* to = find_path(*envelope, "to"); to != nullptr && to->is_array()) {
      for (const auto& one : to->get_array()) {
        if (one.is_string()) out.recipients.emplace_back(std::string_view(one.get_string()));
      }
    }
  }
  if (const auto raw = field_of(form, "email"); !raw.empty()) {
    out.raw = raw;
    return out;
  }
  const auto head = field_of(form, "headers");
  if (head.empty()) return fail(ErrorCode::invalid_input, "the form has no headers");
  Pieces pieces;
  put_block(pieces, head);
  const auto charsets = parse_json(field_of(form, "charsets"));
  const auto charset = [&](std::string_view field) {
    return charsets ? find_text(*charsets, field).value_or("utf-8") : std::string_view("utf-8");
  };
  put_body(pieces, "plain", charset("text"), field_of(form, "text"));
  put_body(pieces, "html", charset("html"), field_of(form, "html"));
  take_files(form, pieces);
  out.raw = message_of(pieces);
  return out;
}

Result<PostedMail> from_postmark(const json::value& data) {
  const auto text = [&](std::string_view name) { return find_text(data, name).value_or(""); };
  PostedMail out{.from = std::string(text("From")),
                 .recipients = addresses_in(text("OriginalRecipient"))};
  if (const auto raw = text("RawEmail"); !raw.empty()) {
    out.raw = raw;
    return out;
  }
  if (text("From").empty()) {
    return fail(ErrorCode::invalid_input,
                "this is no inbound message of Postmark's: it has no From");
  }
  Pieces pieces;
  for (const std::string_view name : {"From", "To", "Cc", "Subject", "Date"}) {
    if (!text(name).empty()) put_header(pieces, name, text(name));
  }
  if (!text("ReplyTo").empty()) put_header(pieces, "Reply-To", text("ReplyTo"));
  bool has_id = false;
  if (const auto* headers = find_path(data, "Headers"); headers != nullptr && headers->is_array()) {
    for (const auto& one : headers->get_array()) {
      const auto name = find_text(one, "Name").value_or("");
      put_header(pieces, name, find_text(one, "Value").value_or(""));
      has_id = has_id || mail::equal_words(name, "Message-ID");
    }
  }
  // Postmark's own id: it is not that of the message, but better than none.
  if (!has_id && !text("MessageID").empty()) {
    put_header(pieces, "Message-ID", fmt::format("<{}@postmark>", text("MessageID")));
  }
  put_body(pieces, "plain", "utf-8", text("TextBody"));
  put_body(pieces, "html", "utf-8", text("HtmlBody"));
  if (const auto* files = find_path(data, "Attachments"); files != nullptr && files->is_array()) {
    for (const auto& one : files->get_array()) {
      auto bytes = from_base64(find_text(one, "Content").value_or(""));
      if (!bytes) continue;
      put_attachment(pieces, find_text(one, "ContentType").value_or(""),
                     find_text(one, "Name").value_or(""), std::move(*bytes));
    }
  }
  out.raw = message_of(pieces);
  return out;
}

}  // namespace

bool is_mail_scheme(Scheme scheme) {
  return scheme == Scheme::mailgun || scheme == Scheme::sendgrid || scheme == Scheme::postmark;
}

Result<PostedMail> read_posted_mail(const config::Webhook& settings,
                                    std::span<const config::Secret> secrets, const Request& request,
                                    TimePoint now) {
  if (settings.scheme == Scheme::postmark) {
    const auto data = parse_json(request.body);
    if (!data) return std::unexpected(data.error());
    return from_postmark(*data);
  }
  const auto form = parse_form(request.header("content-type"), request.body);
  if (!form) return std::unexpected(form.error());
  if (settings.scheme == Scheme::sendgrid) return from_sendgrid(*form);
  if (auto proven = prove_mailgun(settings, secrets, *form, now); !proven) {
    return std::unexpected(std::move(proven.error()));
  }
  return from_mailgun(*form);
}

}  // namespace vigil::ingress
