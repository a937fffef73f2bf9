// Reading of mails: a set of messages out of the test suites of mail readers, file by file against
// what one of those readers found, and the parts by themselves.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "entities/comms/body.hpp"
#include "entities/comms/hops.hpp"
#include "entities/comms/html_text.hpp"
#include "entities/comms/look_at_mail.hpp"
#include "entities/comms/origin.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities::comms;
namespace fs = std::filesystem;

namespace {

const fs::path messages = fs::path(source_dir()) / "../shared/data/mail/eml";

std::string read_whole(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::string packed(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) > ' ') out += c;
  }
  return out;
}

std::vector<fs::path> all_messages() {
  std::vector<fs::path> out;
  for (const auto& file : fs::recursive_directory_iterator(messages)) {
    const auto end = file.path().extension();
    if (end == ".eml" || end == ".txt") out.push_back(file.path());
  }
  std::ranges::sort(out);
  return out;
}

// What the expected file says of a header, however it is nested.
std::string name_of(const json::value& header) {
  const auto* name = find_path(header, "name");
  return name != nullptr && name->is_string() ? std::string(name->get_string()) : std::string();
}

const json::value* header_in(const json::value& expected, std::string_view wanted) {
  const json::value* found = nullptr;
  for (const auto& one : find_path(expected, "parts.0.headers")->get_array()) {
    if (name_of(one) == wanted) found = find_path(one, "value");
  }
  return found;
}

std::vector<std::string> addresses_in(const json::value* value) {
  std::vector<std::string> out;
  const auto add = [&](const json::value* list) {
    if (list == nullptr || !list->is_array()) return;
    for (const auto& one : list->get_array()) {
      auto address = std::string(find_text(one, "address").value_or(""));
      std::ranges::transform(address, address.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      });
      out.push_back(address);
    }
  };
  if (value == nullptr) return out;
  add(find_path(*value, "Address.List"));
  if (const auto* groups = find_path(*value, "Address.Group"); groups != nullptr) {
    for (const auto& group : groups->get_array()) add(find_path(group, "addresses"));
  }
  return out;
}

std::vector<std::string> addresses_of(const std::vector<MailAddress>& people) {
  std::vector<std::string> out;
  for (const auto& one : people) out.push_back(one.address);
  return out;
}

std::string date_in(const json::value* value) {
  if (value == nullptr || find_path(*value, "DateTime.year") == nullptr) return {};
  const auto part = [&](std::string_view name) {
    return find_integer(*value, fmt::format("DateTime.{}", name)).value_or(0);
  };
  const bool west = find_bool(*value, "DateTime.tz_before_gmt").value_or(false);
  const auto text =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{}{:02}:{:02}", part("year"), part("month"),
                  part("day"), part("hour"), part("minute"), part("second"), west ? "-" : "+",
                  part("tz_hour"), part("tz_minute"));
  const auto at = parse_rfc3339(text);
  return at ? to_rfc3339(*at) : std::string();
}

// Names of the members that differ from what the other reader found.
std::set<std::string> differences(const json::value& expected, const Mail& mail) {
  std::set<std::string> out;
  const auto differs = [&](const char* what, bool it_does) {
    if (it_does) out.insert(what);
  };
  const auto text_of = [&](const char* name) {
    const auto* value = header_in(expected, name);
    return value == nullptr ? std::nullopt : find_text(*value, "Text");
  };
  differs("from", addresses_in(header_in(expected, "from")) != addresses_of(mail.from));
  differs("to", addresses_in(header_in(expected, "to")) != addresses_of(mail.to));
  differs("cc", addresses_in(header_in(expected, "cc")) != addresses_of(mail.cc));
  if (const auto subject = text_of("subject")) differs("subject", *subject != mail.subject);
  if (const auto id = text_of("message_id")) differs("message_id", *id != mail.message_id);
  if (const auto date = date_in(header_in(expected, "date")); !date.empty()) {
    differs("date", !mail.date || to_rfc3339(*mail.date) != date);
  }
  const auto shown = packed(mail.plain) + packed(html_to_text(mail.html, 1 << 20).text);
  for (const auto& at : find_path(expected, "text_body")->get_array()) {
    const auto body = find_text(expected, fmt::format("parts.{}.body.Text", at.to_number<int>()));
    if (body) differs("text", shown.find(packed(*body).substr(0, 300)) == std::string::npos);
  }
  return out;
}

}  // namespace

TEST_CASE("all messages of other readers' test suites are read, each with its facts") {
  if (!fs::exists(messages)) {
    MESSAGE("skipped: ../shared/data/mail/eml is not there");
    return;
  }
  const auto files = all_messages();
  CHECK(files.size() >= 100);
  for (const auto& file : files) {
    INFO(file.string());
    const auto facts = json::value(facts_of(read_mail(read_whole(file))));
    CHECK_FALSE(find_text(facts, "message_id").value_or("").empty());
    CHECK(to_text(facts).size() < 300'000);
    CHECK(is_valid_utf8(to_text(facts)));
  }
}

TEST_CASE("what another reader found is found, but for what is argued here") {
  if (!fs::exists(messages)) return;
  // Both have one of several bodies in zero bytes: ours are blanks, for a search to go on. Of a
  // base64 part that is none the other makes three characters, we nothing.
  const std::map<std::string, std::set<std::string>> argued{
      {"mail-parser-thirdparty/000.eml", {"text"}}, {"mail-parser-thirdparty/002.eml", {"text"}}};
  int compared = 0;
  for (const auto& file : all_messages()) {
    auto beside = file;
    beside.replace_extension(".expected.json");
    if (!fs::exists(beside)) continue;
    const auto expected = parse_json(read_whole(beside), 200);
    REQUIRE(expected.has_value());
    const auto name = fs::relative(file, messages).string();
    const auto found = differences(*expected, read_mail(read_whole(file)));
    const auto known = argued.find(name);
    for (const auto& one : found) {
      INFO(name, " ", one);
      CHECK((known != argued.end() && known->second.contains(one)));
    }
    ++compared;
  }
  CHECK(compared == 32);
}

TEST_CASE("hostile messages end soon and within bounds") {
  std::string nested = "From: a@b\nContent-Type: multipart/mixed; boundary=\"0\"\n\n";
  for (int i = 0; i < 2000; ++i) {
    nested += fmt::format("--{}\nContent-Type: multipart/mixed; boundary=\"{}\"\n\n", i, i + 1);
  }
  CHECK(read_mail(nested).part_types.size() < 600);
  std::string many = "From: a@b\nContent-Type: multipart/mixed; boundary=\"x\"\n\n";
  for (int i = 0; i < 5000; ++i) many += "--x\n\nhello\n";
  const auto read = read_mail(many);
  CHECK(read.part_types.size() <= 500);
  CHECK_FALSE(read.defects.empty());
  std::string people = "To: ";
  for (int i = 0; i < 10'000; ++i) people += fmt::format("a{}@example.org, ", i);
  CHECK(read_mail(people + "b@c\n\n").to.size() <= 200);
  std::string deep;
  for (int i = 0; i < 50'000; ++i) deep += "<div><blockquote>";
  CHECK(html_to_text(deep + "x", 10'000).text.size() <= 10'000);
  CHECK(read_mail("").message_id.ends_with("@no-id"));
  CHECK(read_mail(std::string(1000, '\0')).size == 1000);
}

TEST_CASE("HTML is read as somebody sees it") {
  struct Case {
    std::string html;
    std::string text;
  };
  for (const auto& one : {Case{"<p>Hello <b>Ada</b>,</p><p>see you</p>", "Hello Ada,\n\nsee you\n"},
                          {"a<br>b", "a\nb\n"},
                          {"<style>p{}</style><script>x()</script>shown", "shown\n"},
                          {"<div style='display: none'>not</div>seen", "seen\n"},
                          {"<span style=\"font-size:0px\">not</span>seen", "seen\n"},
                          {"<blockquote>old</blockquote>new", "> old\nnew\n"},
                          {"<table><tr><td>1</td><td>2</td></tr></table>", "1 2\n"},
                          {"<ul><li>one</li><li>two</li></ul>", "- one\n- two\n"},
                          {"f&uuml;r&nbsp;dich &amp; mich", "für dich & mich\n"},
                          {"<p>never closed <b>at all", "never closed at all\n"}}) {
    CHECK(html_to_text(one.html, 10'000).text == one.text);
  }
  const auto links = html_to_text(
      "<a href='http://evil.example/x'>https://bank.example</a><img src='https://t.example/1.gif'>",
      1000);
  CHECK(links.mismatched_links == 1);
  CHECK(links.images == 1);
  CHECK(links.hosts == std::vector<std::string>{"evil.example", "t.example"});
}

TEST_CASE("new text is told from quotes and signatures") {
  struct Case {
    std::string whole, text, quoted, signature;
  };
  for (const auto& one :
       {Case{"new\n\n> old\n", "new\n", "> old\n", ""},
        {"new\n\nOn Mon, 1 Jan 2024 at 10:00, Bob <b@c> wrote:\n> old\n", "new\n",
         "On Mon, 1 Jan 2024 at 10:00, Bob <b@c> wrote:\n> old\n", ""},
        {"neu\n\nAm 01.01.2024 um 10:00 schrieb Bob:\nalt\nmehr\n", "neu\n",
         "Am 01.01.2024 um 10:00 schrieb Bob:\nalt\nmehr\n", ""},
        {"new\n-- \nAda\n", "new\n", "", "Ada\n"},
        {"new\n\n-----Original Message-----\nFrom: Bob\nold\n", "new\n",
         "-----Original Message-----\nFrom: Bob\nold\n", ""},
        {"neu\n\nVon: Bob\nGesendet: gestern\nAn: Ada\nalt\n", "neu\n",
         "Von: Bob\nGesendet: gestern\nAn: Ada\nalt\n", ""},
        {"> first\nyes\n> second\nno\n", "yes\nno\n", "> first\n> second\n", ""}}) {
    const auto body = split_body(one.whole);
    INFO(one.whole);
    CHECK(body.text == one.text);
    CHECK(body.quoted == one.quoted);
    CHECK(body.signature == one.signature);
  }
  CHECK(greeted_name("Hi Ada,\nhow") == "Ada");
  CHECK(greeted_name("Sehr geehrte Frau Lovelace,\n") == "Lovelace");
  CHECK(greeted_name("the plan is") == "");
}

TEST_CASE("what a mailing list puts below every mail is known by its host") {
  struct Case {
    std::string text, left;
  };
  const std::string ruler(47, '_');
  for (const auto& one :
       {Case{"hello\n\n" + ruler + "\nTalk mailing list\nTalk@lists.example.org\n", "hello\n\n"},
        {"hello\n\nhttp://example.org/listinfo/talk\n\n", "hello\n\n"},
        {"hello\n\n" + std::string(55, '-') + "\nBuy a phone!\n" + ruler +
             "\nTalk mailing list\nhttps://lists.example.org/talk\n",
         "hello\n\n"},
        {"hello\n-- \nUsers: talk@example.org\nhow to leave\n", "hello\n"},
        {"hello\n" + ruler + "\nnothing of a list\n", "hello\n" + ruler + "\nnothing of a list\n"},
        {"see example.org\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n",
         "see example.org\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n"}}) {
    CHECK(without_list_footer(one.text, "example.org") == one.left);
  }
  CHECK(without_list_footer("hello\nexample.org", "") == "hello\nexample.org");
  CHECK(without_list_footer("", "example.org").empty());
}

TEST_CASE("a hop tells organisations, programs and clocks, not every number in it") {
  for (const auto& [host, of] : std::map<std::string, std::string>{{"lugh.Linux.ie", "linux.ie"},
                                                                   {"mail.bbc.co.uk", "bbc.co.uk"},
                                                                   {"example.org", "example.org"},
                                                                   {"co.uk", "co.uk"},
                                                                   {"localhost", ""},
                                                                   {"10.1.2.3", ""},
                                                                   {".org", ""},
                                                                   {"a.b.", ""},
                                                                   {"", ""}}) {
    CHECK(organisation_of(host) == of);
  }
  CHECK(hop_words("from out7.aol.com (mx-r01.mx.aol.com [152.163.225.97]) by dogma.slashnull.org\n"
                  "    (8.11.6/8.11.6) with SMTP id gAS6Hd for <ada@example.org>;\n"
                  "    Thu, 28 Nov 2002 06:17:40 -0500") ==
        std::vector<std::string>{"aol.com", "aol.com", "slashnull.org", "by:8.11.6", "with:smtp",
                                 "for:ada@example.org", "zone:-0500"});
  CHECK(hop_words("from x (unknown [1.2.3.4]) by mx (Exim 4 #1) helo=a.example.com") ==
        std::vector<std::string>{"by:unknown", "by:exim", "example.com"});
  CHECK(hop_words("").empty());
  CHECK(hop_words(std::string(100'000, '(')).empty());
}

TEST_CASE("who wrote a mail: a person or a machine, by its headers") {
  struct Case {
    std::string headers;
    std::string kind;
  };
  for (const auto& one :
       {Case{"From: a@b\nSubject: Hi\n", "person"},
        {"From: a@b\nAuto-Submitted: no\n", "person"},
        {"From: a@b\nAuto-Submitted: auto-replied; x=y\n", "auto_reply"},
        {"From: a@b\nAuto-Submitted: auto-generated\n", "bulk"},
        {"From: a@b\nPrecedence: bulk\n", "bulk"},
        {"From: a@b\nPrecedence: auto_reply\n", "auto_reply"},
        {"From: a@b\nX-Autoreply: yes\n", "auto_reply"},
        {"From: a@b\nSubject: Automatische Antwort: Plan\n", "auto_reply"},
        {"From: a@b\nSubject: =?utf-8?q?Out_of_Office?=\n", "auto_reply"},
        {"From: a@b\nList-Id: Plans <plans.b>\nPrecedence: list\n", "list"},
        {"From: a@b\nList-Unsubscribe: <mailto:u@b>\n", "bulk"},
        {"From: no-reply@b.example\n", "bulk"},
        {"From: MAILER-DAEMON@b.example\n", "bounce"},
        {"From: a@b\nContent-Type: multipart/report; report-type=delivery-status; "
         "boundary=x\n\n--x\n\nfailed\n--x--\n",
         "bounce"},
        {"From: a@b\nContent-Type: multipart/report; report-type=disposition-notification; "
         "boundary=x\n\n--x\n\nseen\n--x--\n",
         "receipt"}}) {
    INFO(one.headers);
    CHECK(origin_of(read_mail(one.headers + "\ntext\n")).kind == one.kind);
  }
}

TEST_CASE("what servers say of a sender counts when they are trusted") {
  struct Case {
    std::string header;
    std::string verdict;
  };
  for (const auto& one :
       {Case{"mx.ours; spf=pass smtp.mailfrom=x@y; dkim=pass header.d=y; dmarc=pass "
             "header.from=y",
             "pass"},
        {"mx.ours 1; dmarc=fail (p=REJECT; dis=none) header.from=y; spf=pass", "fail"},
        {"mx.ours; dkim=fail (bad; signature) header.d=y; dkim=pass header.d=z", "pass"},
        {"mx.ours; spf=softfail", "fail"},
        {"mx.ours; none", "none"},
        {"mx.theirs; dmarc=pass header.from=y", "none"},
        {"MX.OURS; dmarc=pass", "pass"},
        {"(mx.ours) evil; dmarc=pass", "none"},
        {"; dmarc=pass", "none"}}) {
    const auto mail = read_mail("Authentication-Results: " + one.header + "\n\n");
    INFO(one.header);
    CHECK(verdict_of(auth_results_of(mail), {"mx.ours"}) == one.verdict);
  }
  const auto twice = read_mail(
      "Authentication-Results: mx.ours; dmarc=fail\n"
      "Authentication-Results: mx.ours; dmarc=pass\n\n");
  CHECK(verdict_of(auth_results_of(twice), {"mx.ours"}) == "fail");  // the upper one is ours
}
