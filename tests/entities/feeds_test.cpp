// Feeds as they come: charsets, mistakes, dates, links, filings.
#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/exact_json.hpp"
#include "entities/feeds/charset.hpp"
#include "entities/feeds/dates.hpp"
#include "entities/feeds/edgar.hpp"
#include "entities/feeds/html_text.hpp"
#include "entities/feeds/item.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities::feeds;
namespace fs = std::filesystem;

namespace {

std::string rss(const std::string& items) {
  return "<rss version=\"2.0\"><channel><title>T</title>" + items + "</channel></rss>";
}

Items items_in(const std::string& document) {
  const auto feed = read_feed(document, {});
  REQUIRE(feed);
  return items_of(*feed);
}

}  // namespace

TEST_CASE("dates are read as feeds write them") {
  const struct {
    const char* text;
    const char* at;
  } cases[] = {
      {"Thu, 01 Jan 2004 19:48:21 GMT", "2004-01-01T19:48:21.000Z"},
      {"Thu, 1 Jan 2004 19:48 EST", "2004-01-02T00:48:00.000Z"},
      {"01 Jan 04 19:48:21 +0100", "2004-01-01T18:48:21.000Z"},
      {"Thu, 01 January 2004 07:48:21 PM UT", "2004-01-01T19:48:21.000Z"},
      {"Jan 1, 2004 7:48pm PDT", "2004-01-02T02:48:00.000Z"},
      {"Thu Jan  1 19:48:21 2004", "2004-01-01T19:48:21.000Z"},
      {"2004-01-01T19:48:21Z", "2004-01-01T19:48:21.000Z"},
      {"2004-01-01T19:48:21.52+0100", "2004-01-01T18:48:21.520Z"},
      {"2004-01-01 19:48", "2004-01-01T19:48:00.000Z"},
      {"2004-01", "2004-01-01T00:00:00.000Z"},
      {"2004", "2004-01-01T00:00:00.000Z"},
      {"20040101", "2004-01-01T00:00:00.000Z"},
      {"01-Jan-2004 19:48:21 GMT+1", "2004-01-01T18:48:21.000Z"},
      {"2026-09-01T13:20:17-04:00", "2026-09-01T17:20:17.000Z"},
      {"Wed, 31 Dec 2003 24:00:00 GMT", "2004-01-01T00:00:00.000Z"},
      {"soon", nullptr},
      {"", nullptr},
      {"31 Feb 2004 10:00", nullptr},
      {"99:99", nullptr},
      {"2004-13-01", nullptr},
  };
  for (const auto& one : cases) {
    CAPTURE(one.text);
    const auto at = parse_date(one.text);
    REQUIRE(at.has_value() == (one.at != nullptr));
    if (at) CHECK(to_rfc3339(*at) == one.at);
  }
}

TEST_CASE("charsets become UTF-8") {
  const std::string euro = "\xE2\x82\xAC";
  CHECK(to_utf8("<?xml version='1.0' encoding='ISO-8859-1'?>caf\xE9", "") ==
        "<?xml version='1.0' encoding='ISO-8859-1'?>caf\xC3\xA9");
  CHECK(to_utf8("<?xml version=\"1.0\" encoding=\"windows-1252\"?>\x80", "").ends_with(euro));
  CHECK(to_utf8("\x80", "iso-8859-1") == euro);  // as browsers do
  CHECK(to_utf8("\xA4", "ISO-8859-15") == euro);
  CHECK(to_utf8("caf\xE9", "") == "caf\xC3\xA9");  // said nothing, and is no UTF-8
  CHECK(to_utf8("\xEF\xBB\xBF"
                "a",
                "latin1") == "a");  // the mark knows better
  CHECK(to_utf8(std::string("\xFF\xFE"
                            "a\0\xAC\x20",
                            6),
                "") == "a" + euro);
  CHECK(to_utf8("\x93\xfa\x96\x7b", "shift_jis") == "\xE6\x97\xA5\xE6\x9C\xAC");
  CHECK(to_utf8("a\xFF", "utf-8") == "a\xEF\xBF\xBD");
  CHECK(to_utf8("abc", "no-such-charset") == "abc");
}

TEST_CASE("names of HTML, naked ampersands and a document that is cut are lived with") {
  auto items = items_in(rss("<item><title>a&nbsp;&euro;&amp;nbsp;&lt;b&gt; R&D</title></item>"));
  REQUIRE(items.all.size() == 1);
  CHECK(find_text(items.all[0].data, "title") == "a \xE2\x82\xAC R&D");
  const auto cut =
      read_feed("<rss version=\"2.0\"><channel><item><title>one</title></item><item><title>tw", {});
  REQUIRE(cut);
  CHECK(cut->entries.at(0).title == "one");
  CHECK(!cut->damage.empty());
}

TEST_CASE("what is no feed is named") {
  const auto error = [](std::string_view text) {
    const auto feed = read_feed(text, {});
    return feed ? std::string() : feed.error().message;
  };
  CHECK(error("  \n").find("empty") != std::string::npos);
  CHECK(error("<html><body>x</body></html>").find("a page for people") != std::string::npos);
  CHECK(error("<svg/>").find("no feed") != std::string::npos);
  CHECK(error("hello").find("no XML") != std::string::npos);
  CHECK(error("{\"a\": 1}").find("no JSON Feed") != std::string::npos);
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "<a>";
  CHECK(!error("<rss>" + deep).empty());
  CHECK(!error("<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><x>&b;</x>").empty());
}

TEST_CASE("entries without an id are known by link and title, a change of content is seen") {
  const auto item = [](const char* title, const char* link, const char* text) {
    return items_in(rss(std::string("<item><title>") + title + "</title><link>" + link +
                        "</link><description>" + text + "</description></item>"))
        .all.at(0);
  };
  const auto one = item("a", "http://h/1", "x");
  CHECK(one.id == item("a", "http://h/1", "y").id);
  CHECK(one.digest != item("a", "http://h/1", "y").digest);
  CHECK(one.id != item("b", "http://h/1", "x").id);
  CHECK(one.id != item("a", "http://h/2", "x").id);
}

TEST_CASE("modules and prefixes are understood whatever they are called") {
  const auto feed = read_feed(
      "<rss version='2.0' xmlns:d='http://purl.org/dc/elements/1.1/' "
      "xmlns:c='http://purl.org/rss/1.0/modules/content/'><channel><item><d:creator>Ann</d:creator>"
      "<d:date>2020-01-02</d:date><c:encoded><![CDATA[<b>x</b>]]></c:encoded>"
      "<guid>http://h/a</guid></item></channel></rss>",
      {});
  REQUIRE(feed);
  const auto& entry = feed->entries.at(0);
  CHECK(entry.authors.at(0).name == "Ann");
  CHECK(entry.published == "2020-01-02");
  CHECK(entry.content == "<b>x</b>");
  CHECK(link_of(entry.links, "alternate") == "http://h/a");
  const auto atom = read_feed(
      "<a:feed xmlns:a='http://www.w3.org/2005/Atom'><a:entry><a:title>t</a:title></a:entry>"
      "</a:feed>",
      {});
  REQUIRE(atom);
  CHECK(atom->entries.at(0).title == "t");
}

TEST_CASE("relative links are made whole by where the feed came from") {
  const auto feed = read_feed(rss("<item><link>/a?b</link><description>&lt;a href=\"c\"&gt;"
                                  "</description></item>"),
                              {.url = "https://h.org/x/feed.xml"});
  REQUIRE(feed);
  CHECK(link_of(feed->entries.at(0).links, "alternate") == "https://h.org/a?b");
  CHECK(feed->entries.at(0).summary == "<a href=\"https://h.org/x/c\">");
}

TEST_CASE("HTML becomes text") {
  CHECK(plain_text("<p>a</p><p>b &amp; c</p>", 100) == "a b & c");
  CHECK(plain_text("<script>if (a < b) {}</script>x<style>y</style>", 100) == "x");
  CHECK(plain_text("1 < 2 &unknown; &#x41;&#66;", 100) == "1 < 2 &unknown; AB");
  CHECK(plain_text("<!-- > -->x<unfinished", 100) == "x");
  CHECK(plain_text("\xC3\xA4\xC3\xA4", 3) == "\xC3\xA4");
  CHECK(plain_text("<script>never ends", 100).empty());
}

TEST_CASE("filings of the SEC are taken apart") {
  const auto path = fs::path(source_dir()) / "../shared/data/feeds/sec-edgar/latest-filings.atom";
  if (!fs::exists(path)) {
    MESSAGE("skipped: the shared data is not here");
    return;
  }
  std::ifstream in(path, std::ios::binary);
  const auto items = items_in({std::istreambuf_iterator<char>(in), {}});
  REQUIRE(items.all.size() == 3);
  const auto text = [&](std::size_t at, const char* name) {
    return std::string(find_text(items.all[at].data, std::string("filing.") + name).value_or(""));
  };
  CHECK(text(0, "form") == "8-K");
  CHECK(text(0, "company") == "First Eagle Private Credit Fund");
  CHECK(text(0, "cik") == "0001890107");
  CHECK(text(0, "role") == "Filer");
  CHECK(text(0, "accession") == "0001193125-26-378072");
  CHECK(text(0, "filed") == "2026-09-01");
  CHECK(text(0, "items.0") == "8.01 Other Events");
  CHECK(text(0, "items.1") == "9.01 Financial Statements and Exhibits");
  CHECK(text(1, "company") == "Reinsurance Group of America, Incorporated");
  CHECK(text(2, "form") == "13F-HR/A");
  CHECK(text(2, "kind") == "13F-HR");
  CHECK(find_bool(items.all[2].data, "filing.amends") == true);
  CHECK(to_rfc3339(items.all[0].time.value()) == "2026-09-01T17:20:17.000Z");
}

TEST_CASE("an 8-K/A is told from an 8-K, and names with brackets stay whole") {
  Entry entry;
  entry.categories = {{"https://www.sec.gov/", "8-K/A", "form type"}};
  entry.title = "8-K/A - A (B) - C Corp (0000000042) (Subject)";
  const auto filing = filing_of(entry);
  REQUIRE(filing);
  CHECK(filing->amends);
  CHECK(filing->kind == "8-K");
  CHECK(filing->company == "A (B) - C Corp");
  CHECK(filing->cik == "0000000042");
  CHECK(filing->role == "Subject");
  entry.categories = {{"", "news", ""}};
  CHECK(!filing_of(entry));
}

TEST_CASE("numbers of JSON keep what was written") {
  const auto parsed = parse_exact_json(
      R"({"p": 0.1000000000000000055, "i": 12345678901234567890, "e": -1.5E-8, "s": "1.0 \" 2", "l": [1, true]})");
  REQUIRE(parsed);
  CHECK(find_text(*parsed, "p") == "0.1000000000000000055");
  CHECK(find_text(*parsed, "i") == "12345678901234567890");
  CHECK(find_text(*parsed, "e") == "-1.5E-8");
  CHECK(find_text(*parsed, "s") == "1.0 \" 2");
  CHECK(find_text(*parsed, "l.0") == "1");
  for (const auto* wrong : {"{\"a\": 01}", "[1.]", "[.5]", "[1e]", "[--1]", "[1 2]", "[\"a"}) {
    CAPTURE(wrong);
    CHECK(!parse_exact_json(wrong));
  }
}
