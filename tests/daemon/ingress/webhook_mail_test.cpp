// Mail as providers post it becomes a message again; messages of chats become one form.
#include "daemon/ingress/webhook_mail.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <boost/json/object.hpp>
#include <fstream>
#include <iterator>
#include <random>

#include "core/digest.hpp"
#include "core/json.hpp"
#include "daemon/ingress/chat.hpp"
#include "tests/support/places.hpp"

namespace vigil::ingress {
namespace {

using config::Scheme;

constexpr std::int64_t seconds = 1'461'261'330;
const TimePoint now = from_unix_us(seconds * 1'000'000);

std::string collect(const std::string& path) {
  std::ifstream file(source_dir() + "/../shared/data/" + path, std::ios::binary);
  std::string out{std::istreambuf_iterator<char>(file), {}};
  if (out.empty()) MESSAGE("skipped: a collected payload is not here: " << path);
  return out;
}

struct Field {
  std::string name;
  std::string bytes;
  std::string file = {};
};

Request posted(const std::vector<Field>& fields) {
  Request out;
  out.method = "POST";
  out.headers = {{"content-type", "multipart/form-data; boundary=\"x--y\""}};
  for (const auto& field : fields) {
    out.body += "--x--y\r\nContent-Disposition: form-data; name=\"" + field.name + "\"";
    if (!field.file.empty()) out.body += "; filename=\"" + field.file + "\"";
    out.body += "\r\n\r\n" + field.bytes + "\r\n";
  }
  out.body += "--x--y--\r\n";
  return out;
}

std::vector<Field> fields_of(const std::string& text) {
  std::vector<Field> out;
  const auto data = parse_json(text);
  REQUIRE(data);
  for (const auto& [name, value] : data->get_object()) {
    out.push_back({std::string(name), std::string(std::string_view(value.get_string()))});
  }
  return out;
}

Result<PostedMail> read(Scheme scheme, const Request& request, std::string_view secret = "key") {
  config::Webhook settings;
  settings.scheme = scheme;
  std::vector<config::Secret> secrets;
  secrets.emplace_back(std::string(secret));
  return read_posted_mail(settings, secrets, request, now);
}

std::vector<Field> signed_by_mailgun(std::vector<Field> fields, std::string_view secret = "key") {
  std::erase_if(fields, [](const auto& one) {
    return one.name == "timestamp" || one.name == "token" || one.name == "signature";
  });
  const auto mac = hmac_sha256(secret, fmt::format("{}tok", seconds));
  fields.push_back({"timestamp", fmt::format("{}", seconds)});
  fields.push_back({"token", "tok"});
  fields.push_back({"signature", to_hex(as_bytes(mac))});
  return fields;
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("mailgun: proven by what stands in the form, put together again") {
  const auto collected = collect("mail/inbound-webhooks/mailgun.fields.json");
  if (collected.empty()) return;
  const auto fields = fields_of(collected);
  const auto mail = read(Scheme::mailgun, posted(signed_by_mailgun(fields)));
  REQUIRE(mail);
  CHECK(mail->from == "envelope-from@example.org");
  CHECK(mail->recipients == std::vector<std::string>{"test@inbound.example.com"});
  CHECK(holds(mail->raw, "Message-Id: <CAEPk3R+4Zr@mail.example.org>\r\n"));
  CHECK(holds(mail->raw, "From: \"Displayed From\" <from+test@example.org>\r\n"));
  CHECK(holds(mail->raw, to_base64("Test body plain")));
  CHECK(holds(mail->raw, "multipart/alternative"));
  CHECK_FALSE(holds(mail->raw, "089e0825ccf874a0bb055b4f7e23"));  // its old boundary
  CHECK(read(Scheme::mailgun, posted(signed_by_mailgun(fields)))->raw == mail->raw);
  CHECK(read(Scheme::mailgun, posted(signed_by_mailgun(fields, "other"))).error().code ==
        ErrorCode::unauthorized);
  CHECK(read(Scheme::mailgun, posted(fields)).error().code == ErrorCode::unauthorized);
  auto raw = signed_by_mailgun({{"body-mime", "Subject: x\r\n\r\n\xff"}});
  CHECK(read(Scheme::mailgun, posted(raw))->raw == "Subject: x\r\n\r\n\xff");
}

TEST_CASE("sendgrid: every field keeps its own charset") {
  const auto collected = collect("mail/inbound-webhooks/sendgrid.fields.json");
  if (!collected.empty()) {
    const auto mail = read(Scheme::sendgrid, posted(fields_of(collected)));
    REQUIRE(mail);
    CHECK(mail->from == "envelope-from@example.org");
    CHECK(holds(mail->raw, "Message-ID: <CAEPk3R+4Zr@mail.example.org>\r\n"));
    CHECK(holds(mail->raw, to_base64("<div>Test body html</div>")));
  }
  const auto latin =
      read(Scheme::sendgrid, posted({{"headers", "Subject: s\nX-A: b\n folded\n"},
                                     {"charsets", R"({"text":"iso-8859-1","html":"bad\r\nX: y"})"},
                                     {"text", "Gr\xfc\xdf"},
                                     {"html", "<b>"},
                                     {"attachment1", "PDF", "a\"b\r\n.pdf"}}));
  REQUIRE(latin);
  CHECK(holds(latin->raw, "text/plain; charset=iso-8859-1\r\n"));
  CHECK(holds(latin->raw, to_base64("Gr\xfc\xdf")));
  CHECK(holds(latin->raw, "text/html; charset=utf-8\r\n"));
  CHECK(holds(latin->raw, "X-A: b\r\n  folded\r\n"));
  CHECK(holds(latin->raw, "multipart/mixed"));
  CHECK(holds(latin->raw, to_base64("PDF")));
}

TEST_CASE("postmark: JSON, whose MessageID is not the message's") {
  Request request;
  request.body = R"({"From":"a@b.c","To":"d@e.f","Subject":"Grüße\r\nBcc: x@y.z","TextBody":"hi",
    "MessageID":"73e6d360","OriginalRecipient":"d@e.f",
    "Headers":[{"Name":"Message-ID","Value":"<m@b.c>"},
    {"Name":"Content-Type","Value":"text/x"},{"Name":"Bad: name","Value":"v"}],
    "Attachments":[{"Name":"i.ics","ContentType":"text/calendar; x=y","Content":"QkVHSU4="}]})";
  const auto mail = read(Scheme::postmark, request);
  REQUIRE(mail);
  CHECK(holds(mail->raw, "Message-ID: <m@b.c>\r\n"));
  CHECK_FALSE(holds(mail->raw, "73e6d360"));
  CHECK(holds(mail->raw, "Subject: Grüße  Bcc: x@y.z\r\n"));
  CHECK_FALSE(holds(mail->raw, "text/x"));
  CHECK_FALSE(holds(mail->raw, "Bad: name"));
  CHECK(holds(mail->raw, "Content-Type: text/calendar\r\n"));
  request.body = R"({"From":"a@b.c","RawEmail":"Subject: raw\n\nx"})";
  CHECK(read(Scheme::postmark, request)->raw == "Subject: raw\n\nx");
  request.body = R"({"hello":1})";
  CHECK_FALSE(read(Scheme::postmark, request));
}

TEST_CASE("forms that are broken are refused, whatever they are") {
  std::mt19937 random(3);
  const std::string whole = posted({{"a", "1"}, {"b", "2", "f"}}).body;
  for (std::size_t cut = 0; cut < whole.size() - 2; ++cut) {
    const auto form = parse_form("multipart/form-data; boundary=x--y", whole.substr(0, cut));
    if (cut < whole.size() - 4) CHECK_FALSE(form);
  }
  for (int round = 0; round < 5000; ++round) {
    auto bytes = whole;
    for (int i = 0; i < 4; ++i) bytes[random() % bytes.size()] = static_cast<char>(random() % 256);
    (void)parse_form("multipart/form-data; boundary=x--y", bytes);
  }
  // What stands before the first boundary is passed over, when the boundary begins a line.
  CHECK(parse_form("multipart/form-data; boundary=x--y", "preamble\r\n" + whole)->size() == 2);
  for (const char* before : {"x", "xx", "\n", "\rx"}) {
    CHECK_FALSE(parse_form("multipart/form-data; boundary=x--y", before + whole.substr(0, 40)));
  }
  CHECK_FALSE(parse_form("multipart/form-data", whole));
  CHECK_FALSE(parse_form("text/plain", whole));
  const auto simple = parse_form("application/x-www-form-urlencoded", "a=1+2&b=%C3%A9&c");
  REQUIRE(simple);
  CHECK(field_of(*simple, "a") == "1 2");
  CHECK(field_of(*simple, "b") == "é");
}

std::optional<Chat> slack(const std::string& body, std::vector<std::string> own = {}) {
  config::Webhook settings;
  settings.scheme = Scheme::slack;
  settings.own_ids = std::move(own);
  const auto data = parse_json(body);
  REQUIRE(data);
  return chat_of("team", settings, *data);
}

TEST_CASE("slack: messages in the common form, once, and never our own") {
  const auto mention = collect("chat/slack/app_mention.json");
  if (mention.empty()) return;
  const auto chat = slack(mention);
  REQUIRE(chat);
  CHECK(chat->described.type == "chat.message");
  CHECK(chat->described.uid == "T111:C111:1595926230.009600");
  CHECK(find_bool(chat->payload, "mentions_me") == true);
  CHECK(find_text(chat->payload, "text") == "@W111 Hi there!");
  CHECK_FALSE(chat->is_own);
  CHECK(slack(collect("chat/slack/message.bot_self.json"), {"BZYBOTHED"})->is_own);
  CHECK(slack(collect("chat/slack/message.bot_self.json"))->is_own);
  CHECK_FALSE(slack(collect("chat/slack/message.bot_self.json"), {"B2"})->is_own);
  CHECK(slack(mention, {"W222"})->is_own);
  CHECK_FALSE(slack(collect("chat/slack/reaction_added.json")));
  CHECK_FALSE(slack(collect("chat/slack/tokens_revoked.json")));
  const auto link =
      slack(R"({"type":"event_callback","event":{"type":"message","channel":"C","ts":"1.2",
    "text":"a &lt;b&gt; &amp; <http://x.y|site> <#C1|general> <!here> <unclosed"}})");
  CHECK(find_text(link->payload, "text") == "a <b> & site (http://x.y) #general @here <unclosed");
}

TEST_CASE("telegram: messages in the common form") {
  const auto update = parse_json(R"({"update_id":7,"message":{"message_id":3,"date":1700000000,
    "chat":{"id":-5,"type":"group","title":"Ops"},"from":{"id":9,"is_bot":false,"first_name":"Ada",
    "last_name":"L"},"text":"hello @robot"}})");
  REQUIRE(update);
  const auto chat = telegram_chat("bot", *update, {"robot"});
  REQUIRE(chat);
  CHECK(chat->described.uid == "update:7");
  CHECK(chat->described.subject == "-5");
  CHECK(find_text(chat->payload, "user.name") == "Ada L");
  CHECK(find_bool(chat->payload, "mentions_me") == true);
  CHECK(telegram_chat("bot", *update, {"9"})->is_own);
  CHECK_FALSE(telegram_chat("bot", json::value(json::object{{"update_id", 1}}), {}));
}

}  // namespace
}  // namespace vigil::ingress
