#include <doctest/doctest.h>

#include <boost/json/object.hpp>

#include "entities/ops/evidence.hpp"
#include "entities/ops/grouping.hpp"
#include "entities/ops/silence.hpp"

using namespace vigil;
using namespace vigil::entities::ops;

TEST_CASE("matchers say what Alertmanager's say") {
  const Labels labels{{"alertname", "Disk full"}, {"env", "prod"}, {"path", "C:\\x"}};
  struct Row {
    const char* text;
    bool holds;
  };
  for (const auto& row :
       {Row{"env=prod", true}, Row{"env=\"prod\"", true}, Row{"env!=prod", false},
        Row{"env=~pro.", true}, Row{"env=~pr", false}, Row{"env!~pr", true},
        Row{" alertname = \"Disk full\" ", true}, Row{"gone=", true}, Row{"gone!=", false},
        Row{"gone=~.+", false}, Row{"gone!=x", true}, Row{"path=\"C:\\\\x\"", true}}) {
    CAPTURE(row.text);
    const auto matcher = Matcher::parse(row.text);
    REQUIRE(matcher.has_value());
    CHECK(matcher->matches(labels) == row.holds);
  }
  for (const std::string& text :
       {std::string(), std::string("env"), std::string("=x"), std::string("a b=x"),
        std::string("a!x"), std::string("a=~("), std::string("a=") + std::string(2000, 'x')}) {
    CAPTURE(text);
    const auto matcher = Matcher::parse(text);
    REQUIRE_FALSE(matcher.has_value());
    CHECK(matcher.error().message.find("write name=") != std::string::npos);
  }
}

TEST_CASE("a command is read as a person writes it") {
  const auto silence =
      parse_command("/silence alertname=\"Disk full\" host=~\"a b\" for 2h disk swap");
  REQUIRE(silence.has_value());
  CHECK(silence->verb == "silence");
  CHECK(silence->matchers == std::vector<std::string>{"alertname=\"Disk full\"", "host=~\"a b\""});
  CHECK(*silence->lasts == std::chrono::hours{2});
  CHECK(silence->note == "disk swap");
  CHECK(parse_command("ack").has_value());
  CHECK(parse_command("ack on it")->note == "on it");
  for (const auto* text :
       {"", "/", "reboot now", "silence for 2h", "silence a=b", "silence a=b for",
        "silence a=b for ever", "silence a=b for 900w", "silence a=~( for 1h", "unsilence"}) {
    CAPTURE(text);
    const auto command = parse_command(text);
    REQUIRE_FALSE(command.has_value());
    CHECK_FALSE(command.error().message.empty());
  }
}

TEST_CASE("a silence comes back from memory as it was, and none without an end does") {
  Silence silence;
  silence.id = "1";
  silence.match = parse_matchers({"a=~\"b|c\""}).value();
  silence.from = from_unix_us(1'000'000);
  silence.until = from_unix_us(9'000'000);
  const auto again = silence_from_json(to_json(silence));
  REQUIRE(again.has_value());
  CHECK(to_json(*again) == to_json(silence));
  CHECK(again->holds({{"a", "c"}}, from_unix_us(1'000'000)));
  CHECK_FALSE(again->holds({{"a", "c"}}, from_unix_us(999'999)));
  CHECK_FALSE(again->holds({{"a", "c"}}, from_unix_us(9'000'000)));
  CHECK_FALSE(again->holds({{"a", "d"}}, from_unix_us(2'000'000)));
  auto endless = to_json(silence);
  endless.erase("until");
  CHECK_FALSE(silence_from_json(endless).has_value());
}

TEST_CASE("a case is the group's, whichever alerts are in a message") {
  Delivery delivery;
  delivery.source = "alertmanager";
  delivery.group = "{}:{a=b}";
  delivery.group_labels = {{"alertname", "Disk"}, {"instance", "h1"}};
  const std::vector<std::string> group_by{"alertname", "job"};
  CHECK(case_of(delivery, group_by) == "alert:alertname=\"Disk\"");
  delivery.group_labels.clear();
  const auto by_sender = case_of(delivery, group_by);
  CHECK(by_sender.starts_with("group:alertmanager/"));
  delivery.alerts.push_back({});
  CHECK(case_of(delivery, group_by) == by_sender);
  delivery.group_labels = {{"alertname", std::string(5000, 'x')}};
  CHECK(case_of(delivery, group_by).size() <= 400);
}

TEST_CASE("only a plain word of an event becomes part of an argument, and never the program") {
  const Fillings fillings{{"unit", "web.service"},
                          {"label:host", "a b"},
                          {"label:opt", "-rf"},
                          {"label:up", "../x"},
                          {"label:shell", "$(id)"}};
  using Argv = std::vector<std::string>;
  CHECK(filled({"{unit}", "--unit={unit}", "x"}, fillings) ==
        Argv{"{unit}", "--unit=web.service", "x"});
  for (const auto* bad :
       {"{label:host}", "{label:opt}", "{label:up}", "{label:shell}", "{gone}", "a{gone}b"}) {
    CAPTURE(bad);
    CHECK_FALSE(filled({"echo", bad}, fillings).has_value());
  }
  CHECK(filled({"echo", "a{b"}, fillings) == Argv{"echo", "a{b"});
}
