// Messages of ours: what stands in them, and what cannot.
#include "daemon/mail/compose.hpp"

#include <doctest/doctest.h>

#include "daemon/mail/smtp.hpp"

namespace vigil::mail {
namespace {

json::value payload_of(std::string_view text) {
  auto parsed = parse_json(text);
  REQUIRE(parsed);
  return std::move(*parsed);
}

Letter letter_of(std::string_view text) {
  auto letter = letter_from(payload_of(text));
  REQUIRE(letter);
  letter->from = {"Ada", "ada@example.org"};
  letter->date = from_unix_us(1'700'000'000'000'000);
  letter->message_id = message_id_of_key("v1:8:0", "example.org");
  return std::move(*letter);
}

TEST_CASE("a reply says to what it answers, and that no person wrote it") {
  const auto text = compose(letter_of(R"({"to": ["Bob <bob@example.org>", {"name": "Çelik", 
      "address": "c@example.org"}], "subject": "Re: Größe", "text": "Grüße\nfrom = a line\n.\n",
      "in_reply_to": "<x@y>", "references": ["w@y", "x@y"],
      "headers": {"X-Vigil-Entity": "post"}})"));
  CHECK(text.find("Date: Tue, 14 Nov 2023 22:13:20 +0000\r\n") != std::string::npos);
  CHECK(text.find("From: \"Ada\" <ada@example.org>\r\n") != std::string::npos);
  CHECK(text.find("\"Bob\" <bob@example.org>,") != std::string::npos);
  CHECK(text.find("=?utf-8?B?w4dlbGlr?= <c@example.org>") != std::string::npos);
  CHECK(text.find("Subject: =?utf-8?B?UmU6IEdyw7bDn2U=?=\r\n") != std::string::npos);
  CHECK(text.find("In-Reply-To: <x@y>\r\nReferences: <w@y> <x@y>\r\n") != std::string::npos);
  CHECK(text.find("Auto-Submitted: auto-replied\r\n") != std::string::npos);
  CHECK(text.find("X-Vigil-Entity: post\r\n") != std::string::npos);
  CHECK(text.ends_with("\r\n\r\nGr=C3=BC=C3=9Fe\r\nfrom =3D a line\r\n.\r\n"));
  CHECK(dot_stuffed(text).ends_with("a line\r\n..\r\n.\r\n"));
}

TEST_CASE("its id is that of the action, at every attempt") {
  CHECK(message_id_of_key("v1:8:0", "a.b") == message_id_of_key("v1:8:0", "a.b"));
  CHECK(message_id_of_key("v1:8:0", "a.b") != message_id_of_key("v1:8:1", "a.b"));
  CHECK(message_id_of_key("k", "a b\r\n").ends_with("@vigild.invalid"));
}

TEST_CASE("nothing in a payload begins a line of its own") {
  for (const auto* bad :
       {R"({"to": "a@b.c\r\nBcc: x@y.z", "text": "t"})", R"({"to": "a@b.c, x@y.z", "text": "t"})",
        R"({"to": "a@b.c", "subject": "s\r\nBcc: x@y.z", "text": "t"})",
        R"({"to": "a@b.c", "text": "t", "headers": {"Bcc": "x@y.z"}})",
        R"({"to": "a@b.c", "text": "t", "headers": {"X-A": "1\r\nBcc: x@y.z"}})",
        R"({"to": "a@b.c", "text": "t", "headers": {"X-A: 1\r\nBcc": "x"}})",
        R"({"to": "a@b.c", "text": "t", "in_reply_to": "a b>\r\nX: y"})",
        R"({"to": "<a@b.c> x", "text": "t"})", R"({"to": "a@b.c"})", R"({"to": 7, "text": "t"})"}) {
    INFO(bad);
    CHECK_FALSE(letter_from(payload_of(bad)));
  }
}

TEST_CASE("lines are short whatever is written") {
  std::string words;
  for (int i = 0; i < 60; ++i) words += "über ";
  const auto text = compose(letter_of(R"({"to": "a@b.c", "subject": ")" + words +
                                      R"(", "text": ")" + std::string(5000, '=') + R"("})"));
  std::size_t longest = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = text.find("\r\n", at);
    REQUIRE(end != std::string::npos);
    longest = std::max(longest, end - at);
    at = end + 2;
  }
  CHECK(longest <= 78);
}

}  // namespace
}  // namespace vigil::mail
