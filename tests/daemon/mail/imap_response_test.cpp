// What IMAP servers say, whole and broken, in one piece and byte by byte.
#include "daemon/mail/imap_response.hpp"

#include <doctest/doctest.h>

#include <random>

namespace vigil::mail {
namespace {

std::vector<Response> read_all(std::string_view bytes, std::size_t step) {
  ResponseReader reader;
  std::vector<Response> out;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    reader.feed(bytes.substr(at, step));
    while (true) {
      auto next = reader.next();
      REQUIRE(next);
      if (!*next) break;
      out.push_back(std::move(**next));
    }
  }
  CHECK(reader.left() == 0);
  return out;
}

constexpr std::string_view conversation =
    "* OK [CAPABILITY IMAP4rev1 SASL-IR IDLE] Dovecot (Debian) ready.\r\n"
    "* 172 EXISTS\r\n"
    "* OK [UIDVALIDITY 3857529045] UIDs valid\r\n"
    "* STATUS \"Entw&APw-rfe\" (MESSAGES 3 UIDNEXT 44292 UIDVALIDITY 7 HIGHESTMODSEQ 9)\r\n"
    "* 12 FETCH (UID 17 FLAGS (\\Seen $Junk old) INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" "
    "RFC822.SIZE 4286 BODY[HEADER.FIELDS (MESSAGE-ID FROM)] {28}\r\n"
    "Message-ID: <a(b)\"c@d>\r\n\r\n\r\n)\r\n"
    "* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent \\\"old\\\"\"\r\n"
    "* SEARCH 2 84 882 (MODSEQ 917162500)\r\n"
    "v1 OK [READ-ONLY] done {5}\r\n"
    "+ idling\r\n";

TEST_CASE("responses are read, however the bytes come") {
  for (const std::size_t step : {1, 2, 7, 100, 100'000}) {
    const auto all = read_all(conversation, step);
    REQUIRE(all.size() == 9);
    CHECK(capabilities_of(all[0]) == std::vector<std::string>{"IMAP4rev1", "SASL-IR", "IDLE"});
    CHECK(number_before(all[1], "EXISTS") == 172);
    CHECK(number_in_code(all[2], "UIDVALIDITY") == 3857529045u);
    const auto status = status_of(all[3]);
    REQUIRE(status);
    CHECK(status->folder == "Entwürfe");
    CHECK(status->uid_next == 44292);
    CHECK(status->mod_seq == 9);
    const auto fetched = fetched_of(all[4]);
    REQUIRE(fetched);
    CHECK(fetched->uid == 17);
    CHECK(fetched->flags == std::vector<std::string>{"\\Seen", "$Junk", "old"});
    CHECK(fetched->bytes == 4286);
    CHECK(fetched->internal_date == "17-Jul-1996 02:44:25 -0700");
    CHECK(fetched->body == "Message-ID: <a(b)\"c@d>\r\n\r\n\r\n");
    const auto listed = listed_of(all[5]);
    REQUIRE(listed);
    CHECK(listed->folder == "Sent \"old\"");
    CHECK(listed->attributes == std::vector<std::string>{"\\HasNoChildren", "\\Sent"});
    CHECK(found_of(all[6]) == std::vector<std::uint64_t>{2, 84, 882});
    CHECK(all[7].tag == "v1");
    CHECK(all[7].status == "OK");
    CHECK(all[7].code == "READ-ONLY");
    CHECK(all[7].text == "done {5}");
    CHECK(all[8].tag == "+");
  }
}

TEST_CASE("what is no IMAP ends it, and says so") {
  const std::string deep(100, '(');
  for (const std::string& bytes :
       {std::string("* 1 FETCH (UID 2\r\n"), std::string("* 1 FETCH )\r\n"),
        "* LIST " + deep + "\r\n", std::string("* LIST (\"a\r\n"), std::string("\r\n"),
        std::string("* 1 FETCH (BODY[] {999999999999}\r\n"),
        std::string("* 1 FETCH (BODY[] {99999999999999999999999}\r\n")}) {
    ResponseReader reader;
    reader.feed(bytes);
    INFO(bytes);
    CHECK_FALSE(reader.next());
  }
}

TEST_CASE("more than the bounds allow is not waited for") {
  ResponseReader reader({.line_bytes_max = 1000, .bytes_max = 5000});
  reader.feed("* " + std::string(2000, 'x'));
  CHECK_FALSE(reader.next());
  ResponseReader other({.line_bytes_max = 1000, .bytes_max = 5000});
  other.feed("* 1 FETCH (BODY[] {5001}\r\n");
  CHECK_FALSE(other.next());
}

TEST_CASE("whatever a server sends, reading it ends") {
  std::mt19937 random(20261128);
  const std::string letters = "*+ ()[]{}\"\\\r\n12FETCHBODYOKNIL~<>.\x80\xff";
  for (int round = 0; round < 3000; ++round) {
    ResponseReader reader({.line_bytes_max = 500, .bytes_max = 2000});
    std::string bytes = round % 2 == 0 ? "* 1 FETCH (" : "";
    const auto length = random() % 300;
    for (std::size_t i = 0; i < length; ++i) bytes += letters[random() % letters.size()];
    reader.feed(bytes + "\r\n");
    for (int turn = 0; turn < 400; ++turn) {
      auto next = reader.next();
      if (!next || !*next) break;
      (void)fetched_of(**next);
      (void)status_of(**next);
      (void)listed_of(**next);
      (void)found_of(**next);
      (void)capabilities_of(**next);
    }
  }
}

TEST_CASE("folders travel as modified UTF-7") {
  const std::vector<std::pair<std::string, std::string>> names{
      {"INBOX", "INBOX"},
      {"Entwürfe", "Entw&APw-rfe"},
      {"a & b", "a &- b"},
      {"~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"},  // of RFC 3501 5.1.3
      {"😀", "&2D3eAA-"},
  };
  for (const auto& [name, wire] : names) {
    CHECK(to_wire_name(name) == wire);
    CHECK(from_wire_name(wire) == name);
  }
  for (const auto* odd : {"a&b", "&!!!-", "&-&", "&2D0-"}) {
    CHECK_NOTHROW((void)from_wire_name(odd));
  }
}

TEST_CASE("a quoted string holds no line break") {
  CHECK(quoted_string("a \"b\" \\c") == "\"a \\\"b\\\" \\\\c\"");
  CHECK_FALSE(quoted_string("a\r\nb"));
  CHECK_FALSE(quoted_string("ü"));
}

}  // namespace
}  // namespace vigil::mail
