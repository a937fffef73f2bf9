// What leaves or is drafted, what documents answer, and mails as documents.
#include "tests/entities/comms_world.hpp"

using namespace vigil;
using namespace vigil::entities;
using namespace vigil::testing;

TEST_CASE("what is sent and forwarded asks first, and goes to the sink that sends") {
  auto rule = rule_named("out");
  rule.send = "Thank you.";
  rule.forward = {"eve@example.net"};
  config::Comms settings;
  settings.rules = {rule};
  CommsStory story(settings);
  const auto decision =
      story.mail({.id = "1@b",
                  .more = {{"text", "The numbers are in."},
                           {"attachments", json::array{json::object{{"name", "numbers.pdf"}}}}}});
  const auto* forward = action_of(decision, "forward");
  REQUIRE(forward != nullptr);
  CHECK(forward->sink == "out");
  CHECK(forward->ask_first);
  CHECK(forward->payload.at("to") == json::value(json::array{"eve@example.net"}));
  CHECK(forward->payload.at("subject") == "Fwd: Plans");
  const auto text = std::string(find_text(forward->payload.at("text"), "").value_or(""));
  INFO(text);
  CHECK(has(text, "From: bob@example.net\nDate: 2026-09-21T"));
  CHECK(has(text, "Not forwarded: numbers.pdf\n\nThe numbers are in.\n"));
  const auto* send = action_of(decision, "send");
  REQUIRE(send != nullptr);
  CHECK(send->sink == "out");
  CHECK(send->payload.at("in_reply_to") == "1@b");
  CHECK(send->payload.at("subject") == "Re: Plans");
  CHECK(action_of(story.mail({.id = "2@b", .kind = "auto_reply"}), "send") == nullptr);
}

TEST_CASE("a question that a document answers gets a draft with the source, others get none") {
  CommsStory story;
  auto decision =
      story.mail({.id = "1@b", .questions = {"Is it you?", "When is the tank checked?"}});
  const auto* draft = action_of(decision, "draft");
  REQUIRE(draft != nullptr);
  CHECK(draft->sink == "mailbox");
  CHECK(draft->payload.at("text") ==
        "> When is the tank checked?\n\n“The tank is checked every October.”\n"
        "(handbook/heating.md, Upkeep, line 31)\n\n");
  CHECK(action_of(decision, "send") == nullptr);
  CHECK(action_of(story.mail({.id = "2@b", .questions = {"Is it you?"}}), "draft") == nullptr);
  const OneMail of_list{.id = "3@b", .kind = "list", .questions = {"When is the tank checked?"}};
  CHECK(action_of(story.mail(of_list), "draft") == nullptr);
  config::Comms settings;
  settings.draft_answers = false;
  CommsStory silent(settings);
  decision = silent.mail({.id = "1@b", .questions = {"When is the tank checked?"}});
  CHECK(action_of(decision, "draft") == nullptr);
}

TEST_CASE("a mail is a document until it is gone") {
  CommsStory story;
  const auto decision = story.mail({.id = "1@b", .more = {{"text", "The tank is empty."}}});
  REQUIRE(decision.documents.size() == 1);
  CHECK(decision.documents[0].key == "mail:1@b");
  CHECK(decision.documents[0].title == "Plans");
  CHECK(decision.documents[0].body == "bob@example.net, 2026-09-21\n\nThe tank is empty.");
  CHECK(story.mail({.id = "2@b", .more = {{"special", "junk"}}}).documents.empty());
  const auto gone = story.tell("mail.gone", mail_data({.id = "1@b"}, story.now));
  REQUIRE(gone.documents.size() == 1);
  CHECK(gone.documents[0].key == "mail:1@b");
  CHECK(gone.documents[0].body.empty());
}

TEST_CASE("what a person does to a message lands in the case of its thread") {
  CommsStory story;
  story.mail({.id = "2@b", .answers = "1@b", .questions = {"Can you come on Friday?"}});
  const auto thread = story.last_case;
  CHECK(story.waits("answer"));
  const json::object flagged{{"message_id", "2@b"},
                             {"thread", "1@b"},
                             {"folder", "INBOX"},
                             {"added", json::array{"\\Answered"}}};
  CHECK(story.tell("mail.flagged", flagged).rule == "answered");
  CHECK(story.last_case == thread);
  CHECK_FALSE(story.waits("answer"));
}
