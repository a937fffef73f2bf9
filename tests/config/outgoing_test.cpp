// Mistakes in where requests may go and in what is asked for again.
#include <doctest/doctest.h>

#include "tests/config/scratch.hpp"

namespace vigil::config {
namespace {

struct Mistake {
  const char* text;
  int line;
  const char* key;
  const char* says;
};

const Mistake in_outgoing[] = {
    {"[outgoing]\nallow = [\"10.0.0.0/8\", \"10.0.0.0/40\"]\n", 2, "outgoing.allow[1]",
     "like \"git.lan\""},
    {"[outgoing]\nallow = [\"git.lan:https\"]\n", 2, "outgoing.allow[0]", "git.lan:443"},
    {"[outgoing]\nallow = [\"127.1\"]\n", 2, "outgoing.allow[0]", "an address or a range"},
    {"[outgoing]\nallow = [\"http://git.lan\"]\n", 2, "outgoing.allow[0]", "a port"},
    {"[sink.x]\nkind = \"command\"\nargv = [\"true\"]\nsecrets = { \"A B\" = \"cred:a\" }\n", 4,
     "sink.x.secrets.A B", "the name of a variable"},
};

#define HOOK "[source.x]\nkind = \"webhook\"\nscheme = \"github\"\nsecrets = [\"cred:a\"]\n"

const Mistake in_redelivery[] = {
    {HOOK "redelivery = { hooks = [], token = \"cred:t\" }\n", 5, "source.x.redelivery.hooks", ""},
    {HOOK "redelivery = { hooks = [\"repos/a/hooks/1\"], token = \"cred:t\" }\n", 5,
     "source.x.redelivery.hooks[0]", "repos/OWNER/REPO/hooks/ID"},
    {HOOK "redelivery = { hooks = [\"orgs/a/hooks/x\"], token = \"cred:t\" }\n", 5,
     "source.x.redelivery.hooks[0]", "the id stands in"},
    {HOOK "redelivery = { hooks = [\"orgs/a/hooks/1\"] }\n", 5, "source.x.redelivery.token",
     "give a token"},
    {HOOK "redelivery = { hooks = [\"app/hook\"], app_id = \"7\" }\n", 5,
     "source.x.redelivery.app_id", "go together"},
    {"[source.x]\nkind = \"webhook\"\nscheme = \"gitlab\"\nsecrets = [\"cred:a\"]\n"
     "redelivery = { hooks = [\"app/hook\"], token = \"cred:t\" }\n",
     5, "source.x.redelivery", "scheme = \"github\" alone"},
};

TEST_CASE("each mistake in where requests may go is named once, at its line") {
  const auto check = [](const Mistake& mistake) {
    INFO(mistake.text);
    const auto result = load_text(mistake.text, "vigild.toml");
    const auto found = mistakes(result);
    INFO(all_texts(result));
    REQUIRE(found.size() == 1);
    CHECK(found[0].line == mistake.line);
    CHECK(found[0].key == mistake.key);
    CHECK(found[0].message.find(mistake.says) != std::string::npos);
  };
  for (const auto& mistake : in_outgoing) check(mistake);
  for (const auto& mistake : in_redelivery) check(mistake);
}

TEST_CASE("what is right is read, written and read again") {
  const auto right = std::string(HOOK) +
                     "redelivery = { hooks = [\"repos/o/r/hooks/1\", \"app/hook\"], app_id = "
                     "\"7\", private_key = \"cred:k\", every = \"1h\" }\n"
                     "[outgoing]\nallow = [\"10.0.0.0/8\", \"::1\", \"git.lan\", \"*.lan:80\", "
                     "\"[fd00::1]:443\", \"10.0.0.1:80\"]\n"
                     "[sink.run]\nkind = \"command\"\nargv = [\"true\"]\n"
                     "secrets = { API_TOKEN = \"cred:a\" }\n";
  const auto first = load_text(right, "vigild.toml");
  INFO(all_texts(first));
  REQUIRE(std::holds_alternative<Loaded>(first));
  const auto& settings = std::get<Loaded>(first).settings;
  CHECK(settings.outgoing.allow.size() == 6);
  const auto& hook = std::get<Webhook>(settings.sources.at("x").of);
  REQUIRE(hook.redelivery.has_value());
  CHECK(hook.redelivery->hooks == std::vector<std::string>{"repos/o/r/hooks/1", "app/hook"});
  CHECK(hook.redelivery->every == 1h);
  const auto second = load_text(to_toml(settings), "again.toml");
  INFO(all_texts(second));
  REQUIRE(std::holds_alternative<Loaded>(second));
  CHECK(difference(settings, std::get<Loaded>(second).settings).changes.empty());
}

}  // namespace
}  // namespace vigil::config
