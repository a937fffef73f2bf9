#include <doctest/doctest.h>

#include <algorithm>

#include "tests/config/scratch.hpp"
#include "tests/support/places.hpp"

namespace vigil::config {
namespace {

const std::string shipped = source_dir() + "/config/vigild.toml";

std::vector<std::string> changes(const std::string& before, const std::string& after) {
  std::vector<std::string> texts;
  for (const auto& change : difference(settings_of(before), settings_of(after)).changes) {
    texts.push_back(change.key + " " + change.what);
  }
  return texts;
}

using Texts = std::vector<std::string>;

void check_round_trip(const std::string& text) {
  const auto settings = settings_of(text);
  const auto printed = to_toml(settings);
  INFO(printed);
  const auto again = load_text(printed, "/elsewhere/vigild.toml");
  INFO(all_texts(again));
  REQUIRE(std::holds_alternative<Loaded>(again));
  CHECK(difference(settings, std::get<Loaded>(again).settings).changes.empty());
  CHECK(to_toml(std::get<Loaded>(again).settings) == printed);
}

const char* const everything_odd =
    "[daemon]\nadmin_socket = \"sock\"\ndrain_timeout = \"1h\"\n"
    "[storage]\nevents_keep = 0\nledger_keep = \"1d2h3m4s5ms6us\"\n"
    "[http]\nlisten = []\nbody_bytes_max = 123457\n"
    "[swarm.resources]\n\"model:large\" = 3\n"
    "[source.a-b_c]\nkind = \"schedule\"\nat = 2031-01-01T00:00:00.123456+01:00\n"
    "subject = \"quote \\\" back \\\\ line \\n tab \\t bell \\u0007 \\u00e9 \\U0001F600\"\n"
    "data = { \"a key\" = [1, -2, 3.5, 1e300, true, {}], \"\" = { x = [] }, d = 2020-01-02 }\n"
    "[source.hook]\nkind = \"webhook\"\nscheme = \"hmac\"\nsecrets = [\"cred:x\", \"file:y\"]\n"
    "signature_encoding = \"base64\"\n"
    "[sink.h]\nkind = \"http\"\nurl = \"http://[::1]:80/x\"\nsecret = \"file:s\"\n"
    "headers = { x-a = \"b: c\" }\n"
    "[sink.g]\nkind = \"github\"\ntoken = \"cred:t\"\n"
    "[sink.c]\nkind = \"command\"\nargv = [\"x\", \"\", \"a b\"]\n"
    "[sink.f]\nkind = \"file\"\npath = \"out\"\n"
    "[entity.e]\nkind = \"rules\"\nautonomy_of = { a = \"act\" }\n"
    "[[entity.e.on]]\nmatch = { or = [{ id = \"a\" }, { \"data.x\" = [1, \"~b\", 2.5] }], "
    "not = [{ \"data.y?\" = true }], and = [{ subject = \"c\" }] }\nwhen = '''a\nb'''\n"
    "[[entity.e.on]]\n"
    "[entity.e.reactivity]\ncooldown = \"1ms\"\nconcurrency = 1\n"
    "active_hours = { days = [1], from = \"23:59\", to = \"24:00\", tz = \"Asia/Tokyo\" }\n"
    "throttle = {}\nbatch = {}\ndebounce = { period = \"1s\" }\ncancel_on = [\"*\"]\n"
    "[[entity.e.rule]]\nname = \"r\"\nmatch.data.z = false\n"
    "task = [{ name = \"t\", builtin = \"b\", input = { a = { b = 1 } } }]\n"
    "[[entity.e.rule.action]]\nsink = \"h\"\non = \"failed\"\npayload = { a = \"{{event.id}}\" }\n"
    "[entity.p]\nkind = \"process\"\non = [{}]\nprocess = { argv = [\"p\"], workdir = \"w\" }\n"
    "[entity.c]\nkind = \"codebase\"\non = [{}]\n[entity.c.codebase]\nrepository = \"r\"\n"
    "command = [{ name = \"t\", argv = [\"make\"], paths = [\"*.c\"] }]\n";

TEST_CASE("settings that are written as TOML and read again are the same") {
  check_round_trip("");
  check_round_trip(read_whole(shipped));
  check_round_trip(everything_odd);
}

TEST_CASE("nothing changes between equal settings") {
  CHECK(changes(everything_odd, everything_odd).empty());
  const auto same = difference(settings_of(everything_odd), settings_of(everything_odd));
  CHECK(same.needs_restart.empty());
}

const std::string base =
    "[sink.out]\nkind = \"log\"\n[entity.market]\nkind = \"rules\"\non = [{}]\n"
    "[entity.market.reactivity]\ncooldown = \"5m\"\n";
const std::string one_rule = "[[entity.market.rule]]\nname = \"one\"\n";
const std::string two_rule = "[[entity.market.rule]]\nname = \"two\"\nremember = \"x y\"\n";

TEST_CASE("a change names its key, the old value and the new one") {
  auto after = base;
  after.replace(after.find("5m"), 2, "10m");
  CHECK(changes(base + one_rule, after + one_rule) ==
        Texts{"entity.market changed: reactivity.cooldown 5m -> 10m"});
  CHECK(changes(base + one_rule, base + "throttle = { count = 2, period = \"1h\" }\n" + one_rule) ==
        Texts{"entity.market changed: reactivity.throttle.count none -> 2",
              "entity.market changed: reactivity.throttle.period none -> 1h"});
}

TEST_CASE("what came and what went is named, in the order of keys") {
  const std::string z = "[sink.z]\nkind = \"log\"\n";
  const std::string a = "[source.a]\nkind = \"schedule\"\nevery = \"1h\"\n";
  CHECK(changes(base + one_rule + z, base + one_rule + a) ==
        Texts{"sink.z removed", "source.a added"});
}

TEST_CASE("rules are known by their names, and their order counts") {
  CHECK(changes(base + one_rule, base + one_rule + two_rule).size() == 4);
  const auto swapped = changes(base + one_rule + two_rule, base + two_rule + one_rule);
  CHECK(swapped == Texts{"entity.market changed: order"});
  auto other = two_rule;
  other.replace(other.find("x y"), 3, "z");
  CHECK(changes(base + one_rule + two_rule, base + other + one_rule) ==
        Texts{"entity.market changed: rule[two].remember \"x y\" -> z"});
}

TEST_CASE("a thing of another kind is changed in all of its keys") {
  const std::string log = "[sink.x]\nkind = \"log\"\n";
  const std::string file = "[sink.x]\nkind = \"file\"\npath = \"/f\"\n";
  CHECK(changes(log, file) ==
        Texts{"sink.x changed: kind log -> file", "sink.x changed: path none -> /f"});
}

TEST_CASE("keys that a reload cannot apply are told") {
  const auto change = difference(
      settings_of("[daemon]\nstate_dir = \"/a\"\nadmin_socket = \"/s\"\n"),
      settings_of("[daemon]\nstate_dir = \"/b\"\nadmin_socket = \"/s\"\nlog_level = \"debug\"\n"
                  "[http]\nlisten = [\"127.0.0.1:1\"]\nbody_bytes_max = \"1MiB\"\n"
                  "[swarm.resources]\ncompiler = 1\n[storage]\nevents_keep = \"1d\"\n"));
  CHECK(change.changes.size() == 6);
  CHECK(change.needs_restart == Texts{"daemon.state_dir", "http.listen", "swarm.resources"});
}

TEST_CASE("a long value is cut in what people see, and still compared whole") {
  const std::string head = "[source.a]\nkind = \"schedule\"\nevery = \"1h\"\nsubject = \"";
  const auto found =
      changes(head + std::string(300, 'x') + "a\"\n", head + std::string(300, 'x') + "b\"\n");
  REQUIRE(found.size() == 1);
  CHECK(found[0].size() < 250);
}

}  // namespace
}  // namespace vigil::config
