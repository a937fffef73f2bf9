// Mails become threads with people who wait: tables of events and what is decided.
#include "tests/entities/comms_world.hpp"

using namespace vigil;
using namespace vigil::entities;
using namespace vigil::testing;

namespace {

json::object promise(std::string text, std::string who, TimePoint until) {
  return {{"promises",
           json::array{json::object{
               {"text", std::move(text)}, {"who", std::move(who)}, {"until", to_rfc3339(until)}}}}};
}

}  // namespace

TEST_CASE("a mail of the user that nobody answers is told of, once") {
  CommsStory story;
  story.mail({.id = "1@a", .from = "ada@example.org", .to = "bob@example.net"});
  CHECK(story.waits("follow_up"));
  const auto decision = story.next_timer("follow_up");
  CHECK(has(decision.why, "no answer of bob@example.net for 3 days: Plans"));
  CHECK(decision.actions.empty());  // it can wait for the digest
  CHECK(has(story.digest(), "No answer yet\n- no answer of bob@example.net"));
  CHECK(story.digest().empty());
}

TEST_CASE("an answer by a person ends the waiting, one by a machine does not") {
  for (const auto& [kind, ends] : std::map<std::string, bool>{{"person", true},
                                                              {"list", true},
                                                              {"auto_reply", false},
                                                              {"receipt", false},
                                                              {"bounce", false}}) {
    CommsStory story;
    story.mail({.id = "1@a", .from = "ada@example.org", .to = "bob@example.net"});
    story.mail({.id = "2@b", .answers = "1@a", .kind = kind});
    INFO(kind);
    CHECK(story.waits("follow_up") == !ends);
  }
}

TEST_CASE("a mail of thanks in an old thread waits for nothing") {
  CommsStory story;
  story.mail({.id = "2@a", .from = "ada@example.org", .to = "bob@example.net", .answers = "1@b"});
  CHECK_FALSE(story.waits("follow_up"));
  story.mail({.id = "3@a",
              .from = "ada@example.org",
              .to = "bob@example.net",
              .answers = "1@b",
              .questions = {"When do we meet?"}});
  CHECK(story.waits("follow_up"));
}

TEST_CASE("a question to the user is told of until the user answers") {
  CommsStory story;
  story.mail({.id = "1@b", .questions = {"Can you come on Friday?"}});
  CHECK(story.waits("answer"));
  auto decision = story.next_timer("answer");
  const auto* told = action_of(decision, "notify");
  REQUIRE(told != nullptr);
  CHECK(has(decision.why, "waits for your answer: Can you come on Friday?"));
  story.mail({.id = "4@b", .questions = {"Is that so?"}});
  CHECK(story.waits("answer"));
  decision = story.mail(
      {.id = "5@a", .from = "ada@example.org", .to = "bob@example.net", .answers = "4@b"});
  CHECK(has(decision.why, "the user answered"));
  CHECK_FALSE(story.waits("answer"));
}

TEST_CASE("who is asked: the user by name or as recipient, nobody else") {
  struct Case {
    std::string to;
    std::string greeted;
    std::string kind;
    bool asked;
  };
  for (const auto& one : {Case{"ada@example.org", "", "person", true},
                          {"ada@example.org", "Ada", "person", true},
                          {"ada@example.org", "Charles", "person", false},
                          {"ada@example.org", "all", "person", true},
                          {"list@example.net", "", "list", false},
                          {"list@example.net", "Ada", "list", true},
                          {"ada@example.org", "", "bulk", false}}) {
    CommsStory story;
    json::object more;
    if (!one.greeted.empty()) more["greeted"] = one.greeted;
    story.mail({.id = "1@b",
                .to = one.to,
                .kind = one.kind,
                .questions = {"Who takes the minutes?"},
                .more = std::move(more)});
    INFO(one.to, " ", one.greeted, " ", one.kind);
    CHECK(story.waits("answer") == one.asked);
  }
}

TEST_CASE("promises are told of before their time, those of others after it") {
  CommsStory story;
  const auto until = story.now + 48h;
  story.mail({.id = "1@a",
              .from = "ada@example.org",
              .to = "bob@example.net",
              .more = promise("I'll send it by Wednesday.", "writer", until)});
  CHECK(story.cases[story.last_case].timers.at("promise") == until - 4h);
  const auto decision = story.next_timer("promise");
  CHECK(has(decision.why, "due "));
  CHECK(action_of(decision, "notify") != nullptr);
  CHECK_FALSE(story.waits("promise"));
  story.mail({.id = "9@b", .more = promise("I'll send it by Friday.", "writer", story.now + 24h)});
  CHECK(story.cases[story.last_case].timers.at("promise") == story.now + 24h);
  CHECK(has(story.next_timer("promise").why, "bob@example.net should have by"));
}

TEST_CASE("what a newsletter asks of its readers is no promise of theirs") {
  CommsStory story;
  story.mail({.id = "1@n",
              .kind = "bulk",
              .more = promise("Please order by Friday.", "reader", story.now + 24h)});
  CHECK_FALSE(story.waits("promise"));
}

TEST_CASE("rules act; what cannot be taken back always asks") {
  auto news = rule_named("news");
  news.from = {"*@shop.example"};
  news.label = {"news", "Important"};
  news.move = "News";
  news.remove = true;
  news.forward = {"eve@example.net"};
  config::Comms settings;
  settings.rules = {news};
  CommsStory story(settings);
  const auto decision = story.mail({.id = "1@s", .from = "offers@shop.example", .kind = "bulk"});
  const auto* label = action_of(decision, "label");
  REQUIRE(label != nullptr);
  CHECK(label->payload.at("add") == json::value(json::array{"news"}));  // not the protected one
  CHECK(action_of(decision, "move") != nullptr);
  REQUIRE(action_of(decision, "delete") != nullptr);
  CHECK(action_of(decision, "delete")->ask_first);
  CHECK(action_of(decision, "delete")->sink == "mailbox");
  CHECK_FALSE(action_of(decision, "move")->ask_first);
}

TEST_CASE("mail with a protected label is left as it is") {
  auto all = rule_named("all");
  all.move = "Elsewhere";
  config::Comms settings;
  settings.rules = {all};
  CommsStory story(settings);
  const auto decision = story.mail({.id = "1@b", .more = {{"labels", json::array{"important"}}}});
  CHECK(decision.actions.empty());
  CHECK(has(decision.why, "protected"));
}

TEST_CASE("machines, lists and our own kind get no answer, people so many and no more") {
  auto polite = rule_named("polite");
  polite.draft = "Thank you, I'll look at it.";
  config::Comms settings;
  settings.rules = {polite};
  for (const auto* kind : {"list", "bulk", "auto_reply", "bounce", "receipt"}) {
    CommsStory story(settings);
    INFO(kind);
    CHECK(action_of(story.mail({.id = "1@b", .kind = kind}), "draft") == nullptr);
  }
  CommsStory story(settings);
  int drafts = 0;
  for (int i = 0; i < 10; ++i) {
    const auto decision =
        story.mail({.id = std::to_string(i) + "@b", .answers = "0@b", .kind = "person"});
    drafts += action_of(decision, "draft") != nullptr ? 1 : 0;
  }
  CHECK(drafts == settings.drafts_per_thread);
}

// Each draft of one is sent to the other as it is, as an impatient person would.
static int exchange(bool keep_mark) {
  auto polite = rule_named("polite");
  polite.draft = "Thank you.";
  config::Comms of_ada;
  of_ada.rules = {polite};
  auto of_bob = of_ada;
  of_bob.addresses = {"bob@example.net"};
  of_bob.names = {"Bob"};
  CommsStory ada(of_ada, "ada");
  CommsStory bob(of_bob, "bob");
  int mails = 1;
  OneMail mail{.id = "0@b", .answers = "root@x"};
  for (; mails < 50; ++mails) {
    auto& reader = mails % 2 == 1 ? ada : bob;
    const auto decision = reader.mail(mail);
    const auto* draft = action_of(decision, "draft");
    if (draft == nullptr) return mails;
    mail.id = std::to_string(mails) + "@x";
    std::swap(mail.from, mail.to);
    if (keep_mark) mail.more["vigil"] = reader.entity;
  }
  return mails;
}

TEST_CASE("two of us that answer each other end at once, and soon if the mark is lost") {
  CHECK(exchange(true) == 2);
  CHECK(exchange(false) <= 2 * 3 + 1);
}

TEST_CASE("a class is asked for, and the rules for it wait for the answer") {
  auto junk = rule_named("junk");
  junk.in_class = {"spam"};
  junk.move = "Junk";
  config::Comms settings;
  settings.rules = {junk};
  settings.triage_file = "/var/lib/vigild/post.triage";
  CommsStory story(settings);
  auto decision = story.mail({.id = "1@b", .more = {{"features", "cheap pills"}}});
  CHECK(decision.actions.empty());
  REQUIRE(decision.plans.size() == 1);
  const auto& task = decision.plans.front().tasks.front();
  CHECK(task.containment == swarm::Containment::strict);  // it reads what strangers wrote
  CHECK(task.write_paths == std::vector<std::string>{"/var/lib/vigild"});
  const auto told = [&](double sure) {
    swarm::Report report;
    report.title = "class of 1@b";
    report.ok = true;
    report.result =
        json::object{{"mails", json::array{json::object{{"class", "spam"}, {"sure", sure}}}}};
    auto copy = story.cases[story.last_case];
    auto answer = story.wake(story.last_case, SwarmEnded{report});
    if (sure < 0.9) story.cases[story.last_case] = copy;
    return answer;
  };
  CHECK(told(0.8).actions.empty());
  decision = told(0.99);
  REQUIRE(action_of(decision, "move") != nullptr);
  CHECK(action_of(decision, "move")->payload.at("to") == "Junk");
  // Our own move teaches nothing; the user's teaches.
  auto moved = mail_data({.id = "1@b"}, story.now);
  moved["folder"] = "Junk";
  moved["features"] = "cheap pills";
  CHECK(story.tell("mail.moved", moved).rule == "own-move");
  moved["folder"] = "INBOX";
  decision = story.tell("mail.moved", moved);
  CHECK(decision.rule == "learn");
  REQUIRE(decision.plans.size() == 1);
  CHECK(*find_text(decision.plans[0].tasks[0].input, "learn") == "inbox");
  moved["folder"] = "Receipts";
  CHECK(story.tell("mail.moved", moved).plans.empty());
}

TEST_CASE("a message that is told twice is decided once") {
  CommsStory story;
  story.mail({.id = "1@b", .questions = {"Can you come on Friday?"}});
  const auto again = story.mail({.id = "1@b", .questions = {"Can you come on Friday?"}});
  CHECK(again.rule == "duplicate");
  CHECK(again.verdict == Verdict::ignored);
}

TEST_CASE("a meeting is prepared once, again when it is moved, not when it is cancelled") {
  CommsStory story;
  story.mail({.id = "1@b", .subject = "Numbers", .questions = {"Is the budget final?"}});
  json::object meeting{
      {"uid", "m1"},
      {"occurrence", "20260922T080000Z"},
      {"begins", to_rfc3339(story.now + 20h)},
      {"local", "2026-09-22T19:13:00"},
      {"zone", "Asia/Tokyo"},
      {"summary", "budget talk"},
      {"organiser", json::object{{"address", "carol@example.net"}}},
      {"attendees", json::array{json::object{{"name", "Bob"}, {"address", "bob@example.net"}},
                                json::object{{"address", "ada@example.org"}}}}};
  const auto changed = [&](std::string_view change) {
    return story.tell("calendar.changed", json::object{{"change", change}, {"event", meeting}});
  };
  changed("added");
  CHECK(story.cases[story.last_case].timers.at("brief") == story.now + 20h - 15min);
  auto decision = story.next_timer("brief");
  const auto* told = action_of(decision, "notify");
  REQUIRE(told != nullptr);
  const auto text = std::string(find_text(told->payload.at("text"), "").value_or(""));
  for (const auto* part : {"budget talk at Tue 22 Sep 10:13 (19:13 Asia/Tokyo)\n",
                           "- Bob <bob@example.net>\n", "- carol@example.net\n", "Numbers",
                           "asked: Is the budget final?", "document: Budget 2026"}) {
    INFO(text);
    CHECK(has(text, part));
  }
  CHECK_FALSE(has(text, "ada@example.org"));
  CHECK(story.tell("calendar.soon", json::object{{"event", meeting}}).actions.empty());
  story.mail({.id = "2@a", .from = "ada@example.org", .to = "bob@example.net", .answers = "1@b"});
  meeting["begins"] = to_rfc3339(story.now + 30h);
  changed("moved");
  decision = story.next_timer("brief");
  told = action_of(decision, "notify");
  REQUIRE(told != nullptr);
  CHECK_FALSE(has(std::string(*find_text(told->payload.at("text"), "")), "asked:"));
  CHECK(changed("cancelled").close_case);
}

TEST_CASE("a meeting that is told a day before is prepared when it is time") {
  CommsStory story;
  json::object meeting{{"uid", "m2"}, {"begins", to_rfc3339(story.now + 24h)}, {"summary", "talk"}};
  const json::object soon{{"event", meeting}};
  CHECK(story.tell("calendar.soon", soon).actions.empty());
  CHECK(action_of(story.next_timer("brief"), "notify") != nullptr);
  CHECK(story.tell("calendar.soon", soon).actions.empty());
  config::Comms settings;
  settings.brief_before = Duration{0};
  CommsStory silent(settings);
  CHECK(silent.tell("calendar.soon", soon).actions.empty());
  CHECK_FALSE(silent.waits("brief"));
}

TEST_CASE("importance is what the user does: writing to them, and verdicts") {
  CommsStory story;
  auto decision = story.mail({.id = "1@b"});
  CHECK(action_of(decision, "notify") == nullptr);
  for (int i = 0; i < 3; ++i) {
    story.mail(
        {.id = std::to_string(i) + "@a", .from = "ada@example.org", .to = "bob@example.net"});
  }
  decision = story.mail({.id = "2@b"});
  const auto* told = action_of(decision, "notify");
  REQUIRE(told != nullptr);
  for (int i = 0; i < 2; ++i) {
    story.wake(story.last_case, FeedbackGiven{{}, "noise", "", told->payload});
  }
  CHECK(action_of(story.mail({.id = "3@b"}), "notify") == nullptr);
}

TEST_CASE("at night nothing is told; it stands in the digest") {
  config::Comms settings;
  settings.quiet_hours = "14:00-15:00";
  settings.tell_at_once = "everything";
  CommsStory story(settings);
  auto urgent = story.mail({.id = "1@b", .kind = "bounce"});
  CHECK(urgent.actions.empty());
  CHECK(has(story.digest(), "Not delivered"));
}

TEST_CASE("the desk keeps the time of the digest in the user's zone") {
  config::Comms settings;
  settings.tz = "Europe/Berlin";
  settings.digest = {"08:00", "17:30"};
  CommsStory story(settings);
  story.wake("comms:desk", TimerDue{"settings", story.now, {}});
  CHECK(to_rfc3339(story.cases["comms:desk"].timers.at("digest")) == "2026-09-21T15:30:00.000Z");
}

TEST_CASE("settings that cannot be kept are refused with their place") {
  const auto refused = [](auto edit) {
    config::Comms settings;
    settings.addresses = {"a@b"};
    edit(settings);
    config::Entity entity;
    entity.name = "post";
    entity.of = settings;
    const auto made = make_comms(entity);
    REQUIRE_FALSE(made.has_value());
    return made.error().message;
  };
  CHECK(has(refused([](auto& s) { s.digest = {"8 o'clock"}; }), "comms.digest[0]"));
  CHECK(has(refused([](auto& s) { s.quiet_hours = "night"; }), "comms.quiet_hours"));
  CHECK(has(refused([](auto& s) {
              s.rules = {rule_named("r")};
              s.rules[0].subject = {"~("};
            }),
            "comms.rule[0].subject"));
  CHECK(has(refused([](auto& s) {
              s.rules = {rule_named("r")};
              s.rules[0].kind = {"human"};
            }),
            "comms.rule[0].kind"));
}
