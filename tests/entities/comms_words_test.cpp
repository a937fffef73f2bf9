// Times, questions and promises that people write; threads; classes that are learned.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/comms/asks.hpp"
#include "entities/comms/dates.hpp"
#include "entities/comms/local_time.hpp"
#include "entities/comms/thread.hpp"
#include "entities/comms/triage.hpp"

using namespace vigil;
using namespace vigil::entities::comms;

namespace {

const TimePoint monday = *parse_rfc3339("2026-09-21T14:13:00+02:00");

}  // namespace

TEST_CASE("times are meant on the day and in the zone of the mail") {
  struct Case {
    std::string text;
    std::string at;  // there, at +02:00; empty: none
  };
  for (const auto& one : {Case{"by Friday", "2026-09-25T17:00"},
                          {"by Monday", "2026-09-28T17:00"},
                          {"until next Wednesday", "2026-09-30T17:00"},
                          {"on Thursday at 3pm", "2026-09-24T15:00"},
                          {"tomorrow 10:30 am", "2026-09-22T10:30"},
                          {"Friday at 14:00", "2026-09-25T14:00"},
                          {"today", "2026-09-21T17:00"},
                          {"in 3 days", "2026-09-24T17:00"},
                          {"within two weeks", "2026-10-05T17:00"},
                          {"in 2 hours", "2026-09-21T16:13"},
                          {"by the end of the week", "2026-09-25T17:00"},
                          {"by EOD", "2026-09-21T17:00"},
                          {"by end of month", "2026-09-30T17:00"},
                          {"on October 5th", "2026-10-05T17:00"},
                          {"5 March", "2027-03-05T17:00"},
                          {"Dec 24, 2026", "2026-12-24T17:00"},
                          {"2026-10-02", "2026-10-02T17:00"},
                          {"10/31/2026", "2026-10-31T17:00"},
                          {"31/10/2026", "2026-10-31T17:00"},
                          {"bis Freitag", "2026-09-25T17:00"},
                          {"bis Freitag um 12 Uhr", "2026-09-25T12:00"},
                          {"bis morgen 15 Uhr", "2026-09-22T15:00"},
                          {"bis übermorgen", "2026-09-23T17:00"},
                          {"spätestens am Donnerstag", "2026-09-24T17:00"},
                          {"nächsten Dienstag", "2026-09-29T17:00"},
                          {"in drei Tagen", "2026-09-24T17:00"},
                          {"innerhalb von zwei Wochen", "2026-10-05T17:00"},
                          {"am 5. Oktober", "2026-10-05T17:00"},
                          {"bis zum 5.10.", "2026-10-05T17:00"},
                          {"am 05.10.2027", "2027-10-05T17:00"},
                          {"bis Ende der Woche", "2026-09-25T17:00"},
                          {"bis Monatsende", "2026-09-30T17:00"},
                          {"we may meet", ""},
                          {"version 1.2.3", ""},
                          {"31.2.2026", ""},
                          {"the 45/99 rule", ""}}) {
    const auto found = find_dates(one.text, monday, 120);
    INFO(one.text);
    if (one.at.empty()) {
      CHECK(found.empty());
      continue;
    }
    REQUIRE(found.size() == 1);
    CHECK(to_rfc3339(found[0].at) == to_rfc3339(*parse_rfc3339(one.at + ":00+02:00")));
  }
  CHECK(find_dates("by Friday", monday, 120)[0].deadline);
  CHECK_FALSE(find_dates("on Friday", monday, 120)[0].deadline);
}

TEST_CASE("questions are told from what only looks like one") {
  for (const auto* text :
       {"Can you come on Friday?", "What do you think about the plan?", "Please let me know.",
        "Could you send me the file", "Kannst du am Freitag kommen?", "Was meinst du dazu?",
        "Gib mir bitte Bescheid.", "Könnten Sie mir den Bericht schicken",
        "Is that ok with you?"}) {
    INFO(text);
    CHECK(is_question(text));
  }
  for (const auto* text :
       {"See you on Friday.", "Right?", "How are you?", "Wie geht's?", "See https://a.example/?q=1",
        "???", "I asked whether it works.", "Any questions?", "Thanks for letting me know."}) {
    INFO(text);
    CHECK_FALSE(is_question(text));
  }
}

TEST_CASE("promises and requests have a time and somebody who is to keep them") {
  struct Case {
    std::string text;
    std::string who;  // empty: none
    std::string day;
  };
  for (const auto& one : {Case{"I'll send it by Friday.", "writer", "2026-09-25"},
                          {"We will finish the report until 2026-10-02.", "writer", "2026-10-02"},
                          {"Please review it by tomorrow.", "reader", "2026-09-22"},
                          {"Could you send the numbers by Wednesday?", "reader", "2026-09-23"},
                          {"Ich schicke es bis Freitag.", "writer", "2026-09-25"},
                          {"Du bekommst die Zahlen bis morgen.", "writer", "2026-09-22"},
                          {"Bitte gib mir bis Donnerstag Bescheid.", "reader", "2026-09-24"},
                          {"I'll think about it.", "", ""},
                          {"The shop opens on Friday.", "", ""},
                          {"If I have time I will call on Friday.", "", ""},
                          {"I will not be there on Friday, I won't.", "", ""}}) {
    const auto asks = asks_of(one.text, monday, 120);
    INFO(one.text);
    if (one.who.empty()) {
      CHECK(asks.promises.empty());
      continue;
    }
    REQUIRE(asks.promises.size() == 1);
    CHECK(asks.promises[0].who == one.who);
    CHECK(to_rfc3339(asks.promises[0].until).substr(0, 10) == one.day);
  }
}

TEST_CASE("a thread keeps its case") {
  const auto mail = [](const char* text) { return mail_thread(*parse_json(text)); };
  CHECK(mail(R"({"message_id": "1@a"})") == "mail:1@a");
  CHECK(mail(R"({"message_id": "2@a", "in_reply_to": "1@a"})") == "mail:1@a");
  CHECK(mail(R"({"message_id": "3@a", "in_reply_to": "2@a", "references": ["1@a", "2@a"]})") ==
        "mail:1@a");
  const auto one = mail(
      R"({"message_id": "4@a", "subject": "Re: Plan", "from": [{"address": "b@c"}], "to": [{"address": "a@b"}]})");
  const auto other = mail(
      R"({"message_id": "5@a", "subject": "AW: RE: plan ", "from": [{"address": "a@b"}], "to": [{"address": "b@c"}]})");
  CHECK(one == other);
  CHECK(mail(R"({"subject": "Plan"})").empty());
  CHECK(plain_subject("Re[2]: [list] Fwd: WG: The  Plan") == "the plan");
  CHECK(is_answer_subject("Fwd: AW: x"));
  CHECK_FALSE(is_answer_subject("Fwd: x"));
  CHECK_FALSE(is_answer_subject("Reading list"));
}

TEST_CASE("what was learned is undone exactly, and moved to another class as if it began there") {
  Triage triage;
  const auto empty_words = triage.words();
  REQUIRE(triage.learn("1", "cheap pills now", "spam").has_value());
  REQUIRE(triage.learn("2", "the minutes of the meeting", "inbox").has_value());
  const auto before = triage.classify("cheap pills and the meeting").all;
  REQUIRE(triage.learn("3", "cheap meeting pills", "spam").has_value());
  CHECK(triage.unlearn("3", "cheap meeting pills"));
  CHECK(triage.classify("cheap pills and the meeting").all == before);
  CHECK_FALSE(triage.unlearn("3", "cheap meeting pills"));
  REQUIRE(triage.learn("1", "cheap pills now", "inbox").has_value());
  CHECK(triage.messages() == std::map<std::string, std::uint32_t>{{"inbox", 2}, {"spam", 0}});
  REQUIRE(triage.learn("1", "cheap pills now", "inbox").has_value());  // a second time: nothing
  CHECK(triage.messages().at("inbox") == 2);
  CHECK(triage.unlearn("1", "cheap pills now"));
  CHECK(triage.unlearn("2", "the minutes of the meeting"));
  CHECK(triage.words() == empty_words);
}

TEST_CASE("classes are told apart and explained; the file keeps all of it") {
  Triage triage;
  for (int i = 0; i < 20; ++i) {
    REQUIRE(triage.learn(fmt::format("s{}", i), "s:offer cheap pills f:shop@x", "spam"));
    REQUIRE(triage.learn(fmt::format("i{}", i), "s:minutes meeting agenda f:bob@y", "inbox"));
    REQUIRE(triage.learn(fmt::format("n{}", i), "s:news weekly digest f:news@z", "news"));
  }
  const auto verdict = triage.classify("s:offer cheap pills tomorrow");
  CHECK(verdict.of_class == "spam");
  CHECK(verdict.sure > 0.95);
  REQUIRE_FALSE(verdict.for_it.empty());
  CHECK(triage.classify("weekly digest").of_class == "news");
  const auto bytes = triage.write();
  const auto again = Triage::read(bytes, {});
  REQUIRE(again.has_value());
  CHECK(again->write() == bytes);
  CHECK(again->classify("s:offer cheap pills tomorrow").all == verdict.all);
  for (std::size_t cut = 0; cut < bytes.size(); cut += 37) {
    CHECK_FALSE(Triage::read(std::string_view(bytes).substr(0, cut), {}).has_value());
  }
}

TEST_CASE("of one side of how a mail is built only so many words are heard") {
  Triage triage;
  for (int i = 0; i < 5; ++i) {
    REQUIRE(triage.learn(fmt::format("s{}", i), "cheap pills", "spam"));
    REQUIRE(triage.learn(fmt::format("i{}", i), "h:a h:b h:c h:d h:e h:f", "inbox"));
  }
  const std::string mixed = "cheap pills h:a h:b h:c h:d h:e h:f";
  CHECK(triage.classify(mixed, {.of_a_kind = 1}).of_class == "spam");
  CHECK(triage.classify(mixed, {.of_a_kind = 6}).of_class == "inbox");
  CHECK(triage.classify(mixed, {.words = 0}).sure == 0.5);
}

TEST_CASE("memory has bounds: words seen once and long ago go first") {
  Triage triage(Triage::Limits{.words = 200, .messages = 50});
  REQUIRE(triage.learn("a", "kept kept2", "spam"));
  REQUIRE(triage.learn("b", "kept kept2", "spam"));
  for (int i = 0; i < 300; ++i) {
    REQUIRE(triage.learn(fmt::format("m{}", i), fmt::format("w{} h:kind", i), "inbox"));
  }
  CHECK(triage.words() <= 200);
  CHECK(triage.classify("kept kept2").of_class == "spam");
  for (int i = 0; i < 6; ++i) {
    REQUIRE(triage.learn(fmt::format("c{}", i), "word", fmt::format("class{}", i)));
  }
  CHECK_FALSE(triage.learn("z", "word", "a ninth").has_value());
}

TEST_CASE("quiet hours are learned once enough was seen") {
  std::vector<int> hours(24, 10);
  CHECK_FALSE(learned_quiet(hours).has_value());
  for (const int hour : {22, 23, 0, 1, 2, 3, 4, 5, 6}) hours[static_cast<std::size_t>(hour)] = 0;
  const auto quiet = learned_quiet(hours);
  REQUIRE(quiet.has_value());
  CHECK(is_quiet(*quiet, 23 * 60));
  CHECK(is_quiet(*quiet, 6 * 60 + 59));
  CHECK_FALSE(is_quiet(*quiet, 7 * 60));
  CHECK_FALSE(learned_quiet(std::vector<int>(24, 1)).has_value());
}
