// What people get wrong in a file, and what they are told.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/config/scratch.hpp"

namespace vigil::config {
namespace {

struct Mistake {
  const char* text;
  int line;
  const char* key;
  const char* says;
};

// One mistake each; `line` is where the person must look.
const Mistake in_the_tables[] = {
    {"[daemon\n", 1, "", "this is not TOML"},
    {"[daemon]\nlog_level = \"info\"\nlog_level = \"warn\"\n", 3, "", "this is not TOML"},
    {"a = [1,\n  2\nb = 3\n", 3, "", "this is not TOML"},
    {"[deamon]\n", 1, "deamon", "did you mean \"daemon\"?"},
    {"[daemon]\n\nlog_lvl = \"info\"\n", 3, "daemon.log_lvl", "did you mean \"log_level\"?"},
    {"[daemon]\nzzzzzz = 1\n", 2, "daemon.zzzzzz", "known here: state_dir"},
    {"[daemon]\nlog_level = \"wran\"\n", 2, "daemon.log_level", "did you mean \"warn\"?"},
    {"[daemon]\nlog_level = 3\n", 2, "daemon.log_level", "expected one of debug, info"},
    {"[daemon]\ndecision_threads = 0\n", 2, "daemon.decision_threads", "from 1 to 64, not 0"},
    {"[daemon]\ndecision_threads = \"two\"\n", 2, "daemon.decision_threads",
     "expected an integer, not a text"},
    {"[daemon]\ndecision_threads = 2.0\n", 2, "daemon.decision_threads", "expected an integer"},
    {"[daemon]\ndrain_timeout = 20\n", 2, "daemon.drain_timeout", "Write \"20s\" for seconds"},
    {"[daemon]\ndrain_timeout = \"20 sec\"\n", 2, "daemon.drain_timeout",
     "expected a duration like \"5m\""},
    {"[daemon]\ndrain_timeout = \"2h\"\n", 2, "daemon.drain_timeout", "at most \"1h\""},
    {"[daemon]\nstate_dir = 7\n", 2, "daemon.state_dir", "expected a text in quotes"},
    {"daemon = 1\n", 1, "daemon", "expected one table, [daemon], not an integer"},
    {"[[daemon]]\nlog_level = \"info\"\n", 1, "daemon", "expected one table"},
    {"[http]\nlisten = \"127.0.0.1:1\"\n", 2, "http.listen", "expected a list of texts"},
    {"[http]\nlisten = [\"127.0.0.1:1\",\n \"localhost\"]\n", 3, "http.listen[1]",
     "expected address:port"},
    {"[http]\nlisten = [\"127.0.0.1:70000\"]\n", 2, "http.listen[0]", "expected address:port"},
    {"[http]\nlisten = [\"::1:80\"]\n", 2, "http.listen[0]", "[::1]:8787"},
    {"[http]\nlisten = [\"0.0.0.0:8787\"]\n", 2, "http.listen[0]", "behind_proxy = true"},
    {"[http]\nlisten = [\"[2001:db8::1]:80\"]\n", 2, "http.listen[0]", "behind_proxy = true"},
    {"[http]\nbehind_proxy = \"yes\"\n", 2, "http.behind_proxy", "expected true or false"},
    {"[http]\nbody_bytes_max = \"25MB\"\n", 2, "http.body_bytes_max", "a size like \"25MiB\""},
    {"[http]\nhead_bytes_max = \"1B\"\n", 2, "http.head_bytes_max", "at least 1KiB"},
    {"[http]\nhead_bytes_max = -5\n", 2, "http.head_bytes_max", "at least 1KiB"},
    {"[http]\nidle_timeout = \"1ms\"\n", 2, "http.idle_timeout", "at least \"100ms\""},
    {"[storage]\nfree_bytes_min = 9223372036854775807\n", 2, "storage.free_bytes_min", "at most"},
    {"[storage]\nkeep_events = \"1d\"\n", 2, "storage.keep_events", "unknown key"},
    {"[swarm.resources]\ncompiler = 0\n", 2, "swarm.resources.compiler", "of 1 or more, not 0"},
    {"[swarm.resources]\n\"a b\" = 1\n", 2, "swarm.resources.a b", "expected a name of letters"},
};

const Mistake in_feeds_and_streams[] = {
    {"[source.x]\nkind = \"poll\"\nurl = \"http://h/\"\nform = \"fed\"\n", 4, "source.x.form",
     "did you mean \"feed\"?"},
    {"[source.x]\nkind = \"poll\"\nurl = \"http://h/\"\nform = \"table\"\n", 1,
     "source.x.table.columns", "say where each thing stands"},
    {"[source.x]\nkind = \"poll\"\nurl = \"http://h/\"\nupdates = true\n", 4, "source.x.updates",
     "form = \"feed\" alone"},
    {"[source.x]\nkind = \"poll\"\nurl = \"http://h/\"\nform = \"table\"\n"
     "table = { columns = { price = \"p\" } }\n",
     5, "source.x.table.symbol", "a price is of something"},
    {"[source.x]\nkind = \"poll\"\nform = \"table\"\nurl = \"https://h/\"\n[source.x.table]\n"
     "columns = { symbol = \"s\", bid = \"b\" }\n",
     6, "source.x.table.columns", "a bid alone"},
    {"[source.x]\nkind = \"poll\"\nform = \"table\"\nurl = \"https://h/\"\n[source.x.table]\n"
     "interval = \"1d\"\ncolumns = { symbol = \"s\", close = \"c\" }\n",
     7, "source.x.table.columns", "begins at some time"},
    {"[source.x]\nkind = \"file\"\n", 1, "source.x.path", "is required"},
    {"[source.x]\nkind = \"file\"\npath = \"/x\"\nevery = \"1ms\"\n", 4, "source.x.every",
     "at least 1s"},
    {"[source.x]\nkind = \"stream\"\nform = \"kraken\"\n", 1, "source.x.symbols",
     "needs what to listen to"},
    {"[source.x]\nkind = \"stream\"\nform = \"kraken\"\nsymbols = [\"A\"]\nurl = \"http://h\"\n", 5,
     "source.x.url", "wss:// or ws://"},
    {"[source.x]\nkind = \"stream\"\nform = \"kraken\"\nsymbols = [\"A\"]\nurl = \"ws://h/\"\n", 5,
     "source.x.url", "in the open"},
    {"[source.x]\nkind = \"stream\"\nform = \"kraken\"\nsymbols = [\"A\"]\n"
     "intervals = [\"1m\",\n\"7s\"]\n",
     5, "source.x.intervals[1]", "a part of a day"},
    {"[source.x]\nkind = \"stream\"\nform = \"kraken\"\nsymbols = [\"A\"]\n"
     "crossings = { A = \"1 x\" }\n",
     5, "source.x.crossings.A", "numbers with blanks"},
    {"[source.x]\nkind = \"stream\"\nform = \"kraken\"\nsymbols = [\"A\"]\nrefetch = "
     "\"http://h\"\n",
     5, "source.x.refetch", "{since}"},
    {"[source.x]\nkind = \"stream\"\nform = \"binance\"\nsymbols = [\"A\"]\nrefetch = "
     "\"http://h\"\n",
     5, "source.x.refetch", "{from}"},
    {"[source.x]\nkind = \"stream\"\nform = \"binance\"\nsymbols = [\"A\"]\n"
     "channels = [\"quotes\", \"books\"]\n",
     5, "source.x.channels[1]", "trades, bars or quotes"},
    {"[source.x]\nkind = \"stream\"\nform = \"binance\"\nsymbols = [\"A\"]\n"
     "channels = [\"trades\", \"bars\"]\n",
     5, "source.x.channels", "both trades and bars make bars"},
    {"[source.x]\nkind = \"stream\"\nform = \"kraken\"\nsymbols = [\"A\"]\n"
     "channels = [\"bars\"]\n",
     5, "source.x.channels", "are made of its trades"},
    {"[source.x]\nkind = \"stream\"\nform = \"bitstamp\"\nsymbols = [\"A\"]\n"
     "channels = [\"trades\", \"quotes\"]\n",
     5, "source.x.channels", "bitstamp has no quotes"},
    {"[source.x]\nkind = \"stream\"\nform = \"binance\"\nsymbols = [\"A\"]\n"
     "channels = [\"bars\"]\ncrossings = { A = \"1\" }\n",
     5, "source.x.channels", "crossings and refetch need trades"},
    {"[source.x]\nkind = \"stream\"\nurl = \"wss://h/\"\ntable = { columns = { symbol = \"s\" } "
     "}\n",
     4, "source.x.table.columns", "needs a price"},
};

const Mistake in_sources_and_sinks[] = {
    {"[source.x]\ntrusted = true\n", 1, "source.x.kind",
     "is required: webhook, schedule, repository, poll, file, stream, calendar, documents, imap, "
     "maildir, lmtp or telegram"},
    {"[source.x]\nkind = \"web-hook\"\n", 2, "source.x.kind", "did you mean \"webhook\"?"},
    {"[source.X]\nkind = \"webhook\"\n", 1, "source.X", "a name is made of a-z"},
    {"[source]\nx = 1\n", 2, "source.x", "expected a table, [source.x]"},
    {"[source.admin]\nkind = \"schedule\"\nevery = \"5s\"\n", 1, "source.admin", "is taken"},
    {"[source.x]\nkind = \"webhook\"\ncron = \"* * * * *\"\nsecrets = [\"cred:a\"]\n", 3,
     "source.x.cron", "belongs to kind = \"schedule\", and this is kind = \"webhook\""},
    {"[source.x]\nkind = \"imap\"\nhost = \"mx.example.org\"\ntls = \"none\"\n", 4, "source.x.tls",
     "tls = \"none\" is for a server on loopback alone"},
    {"[source.x]\nkind = \"lmtp\"\nlisten = \"0.0.0.0:24\"\n", 3, "source.x.listen",
     "expected the absolute path of a unix socket, or a loopback address"},
    {"[sink.x]\nkind = \"smtp\"\nhost = \"mx.example.org\"\nfrom = \"a@b.c\"\n", 1, "sink.x.to",
     "is required"},
    {"[source.x]\nkind = \"webhook\"\nscheme = \"githb\"\n", 3, "source.x.scheme",
     "did you mean \"github\"?"},
    {"[source.x]\nkind = \"webhook\"\nscheme = \"github\"\n", 1, "source.x.secrets",
     "needs a secret: secrets = [\"file:PATH\"]"},
    {"[source.x]\nkind = \"webhook\"\nscheme = \"github\"\nsecret = \"file:a\"\n", 4,
     "source.x.secret", "did you mean \"secrets\"?"},
    {"[source.x]\nkind = \"webhook\"\nsecrets = [\"hunter2\"]\n", 3, "source.x.secrets[0]",
     "put it into a file with mode 600"},
    {"[source.x]\nkind = \"webhook\"\nsecrets = \"file:a\"\n", 3, "source.x.secrets",
     "expected a list of references"},
    {"[source.x]\nkind = \"webhook\"\nsecrets = [\"cred:../shadow\"]\n", 3, "source.x.secrets[0]",
     "expected \"cred:NAME\""},
    {"[source.x]\nkind = \"webhook\"\nsecrets = [\"file:\"]\n", 3, "source.x.secrets[0]",
     "expected \"file:PATH\""},
    {"[http]\nlisten = [\"10.0.0.1:80\"]\nbehind_proxy = true\n[source.x]\nkind = \"webhook\"\n"
     "scheme = \"none\"\n",
     6, "source.x.scheme", "lets everybody in"},
    {"[http]\nbehind_proxy = true\n[source.x]\nkind = \"webhook\"\nscheme = \"none\"\n", 5,
     "source.x.scheme", "lets everybody in"},
    {"[source.x]\nkind = \"webhook\"\nscheme = \"basic\"\nsecrets = [\"cred:a\"]\n", 1,
     "source.x.user", "needs a user name"},
    {"[source.x]\nkind = \"webhook\"\nsecrets = [\"cred:a\"]\nsignature_prefix = \"v0=\"\n", 4,
     "source.x.signature_prefix", "is used by scheme = \"hmac\" alone"},
    {"[source.x]\nkind = \"webhook\"\nsecrets = [\"cred:a\"]\nallow = [\"10.0.0.0/33\"]\n", 4,
     "source.x.allow[0]", "an address or a range"},
    {"[source.x]\nkind = \"webhook\"\nsecrets = [\"cred:a\"]\ntype = \"a.b\"\ntype_path = \"t\"\n",
     5, "source.x.type_path", "not both"},
    {"[source.x]\nkind = \"poll\"\nurl = \"http://a.example/\"\ntoken = \"cred:a\"\n", 4,
     "source.x.token", "would travel in the open"},
    {"[source.x]\nkind = \"poll\"\nurl = \"https://a.example/\"\nform = \"document\"\nid = \"n\"\n",
     5, "source.x.id", "is used by form = \"items\" alone"},
    {"[source.x]\nkind = \"repository\"\n", 1, "source.x.path", "is required"},
    {"[source.x]\nkind = \"schedule\"\n", 1, "source.x", "give cron, every or at"},
    {"[source.x]\nkind = \"schedule\"\nevery = \"5m\"\ncron = \"* * * * *\"\n", 1, "source.x",
     "exactly one of cron, every and at"},
    {"[source.x]\nkind = \"schedule\"\ncron = \"* * * *\"\n", 3, "source.x.cron", "has 4"},
    {"[source.x]\nkind = \"schedule\"\ncron = \"61 * * * *\"\n", 3, "source.x.cron",
     "the minute is 0 to 59"},
    {"[source.x]\nkind = \"schedule\"\ncron = \"0 9 * * mon-fry\"\n", 3, "source.x.cron",
     "the day of the week"},
    {"[source.x]\nkind = \"schedule\"\ncron = \"0 9 * 5-2 *\"\n", 3, "source.x.cron", "the month"},
    {"[source.x]\nkind = \"schedule\"\ncron = \"*/0 9 * * *\"\n", 3, "source.x.cron", "*/0"},
    {"[source.x]\nkind = \"schedule\"\ncron = \"@fortnightly\"\n", 3, "source.x.cron",
     "five fields"},
    {"[source.x]\nkind = \"schedule\"\nevery = \"1h\"\ntz = \"Europe/Berln\"\n", 4, "source.x.tz",
     "an IANA time zone"},
    {"[source.x]\nkind = \"schedule\"\nevery = \"1h\"\ntz = \"/etc/localtime\"\n", 4, "source.x.tz",
     "an IANA time zone"},
    {"[source.x]\nkind = \"schedule\"\nat = 2031-01-01T00:00:00\n", 3, "source.x.at",
     "with its offset from UTC"},
    {"[source.x]\nkind = \"schedule\"\nevery = \"1m\"\njitter = \"2m\"\n", 4, "source.x.jitter",
     "shorter than every"},
    {"[sink.vigil]\nkind = \"log\"\n", 1, "sink.vigil", "is taken"},
    {"[sink.x]\nkind = \"http\"\n", 1, "sink.x.url", "is required"},
    {"[sink.x]\nkind = \"http\"\nurl = \"ftp://host\"\n", 3, "sink.x.url", "an address like"},
    {"[sink.x]\nkind = \"http\"\nurl = \"https://me:pw@host/\"\n", 3, "sink.x.url",
     "without a user name"},
    {"[sink.x]\nkind = \"http\"\nurl = \"https://h/\"\nheaders = { \"a b\" = \"1\" }\n", 4,
     "sink.x.headers.a b", "a header name"},
    {"[sink.x]\nkind = \"http\"\nurl = \"https://h/\"\nheaders = { a = \"1\\r\\nb: 2\" }\n", 4,
     "sink.x.headers.a", "one line"},
    {"[sink.x]\nkind = \"github\"\ntoken = \"ghp_0123456789abcdef\"\n", 3, "sink.x.token",
     "put it into a file"},
    {"[sink.x]\nkind = \"command\"\nargv = \"rm -rf /tmp/x\"\n", 3, "sink.x.argv",
     "there is no shell"},
    {"[sink.x]\nkind = \"command\"\nargv = []\n", 3, "sink.x.argv", "at least one item"},
    {"[sink.x]\nkind = \"file\"\npath = \"\"\n", 3, "sink.x.path", "must not be empty"},
    {"[sink.x]\nkind = \"log\"\npath = \"a\"\n", 3, "sink.x.path", "belongs to kind = \"file\""},
    {"[sink.x]\nkind = \"log\"\n[sink.x]\nkind = \"log\"\n", 3, "", "this is not TOML"},
};

// Each of these stands behind `before`, which has 15 lines and is right by itself.
const std::string before =
    "[source.s]\nkind = \"schedule\"\nevery = \"1h\"\n[sink.out]\nkind = \"log\"\n"
    "[entity.a]\nkind = \"process\"\n[[entity.a.on]]\nsource = \"s\"\n"
    "[entity.a.process]\nargv = [\"p\"]\n[entity.x]\non = [{}]\n# the table entity.x\n# goes on\n";

const Mistake in_entities[] = {
    {"role = \"nobody\"\n", 12, "entity.x.kind", "codebase, rules, process, ops, market or comms"},
    {"kind = \"codebase\"\n", 12, "entity.x.codebase.repository", "is required"},
    {"kind = \"rules\"\n", 12, "entity.x.rule", "add [[entity.x.rule]]"},
    {"kind = \"process\"\n[entity.x.codebase]\nrepository = \"/r\"\n[entity.x.process]\n"
     "argv = [\"p\"]\n",
     17, "entity.x.codebase", "belongs to kind = \"codebase\""},
    {"kind = \"process\"\n[entity.x.process]\nargv = [\"\"]\n", 18, "entity.x.process.argv[0]",
     "must not be empty"},
    {"kind = \"process\"\nautonomy = \"free\"\nprocess = { argv = [\"p\"] }\n", 17,
     "entity.x.autonomy", "expected one of observe, propose, act"},
    {"kind = \"process\"\nprocess = { argv = [\"p\"] }\nautonomy_of = { notify = \"yes\" }\n", 18,
     "entity.x.autonomy_of.notify", "expected one of observe"},
    {"kind = \"process\"\nprocess = { argv = [\"p\"] }\nbudget = { compute = 60 }\n", 18,
     "entity.x.budget.compute", "expected a duration"},
    {"kind = \"process\"\nprocess = { argv = [\"p\"] }\nreactivity = { debounce = {} }\n", 18,
     "entity.x.reactivity.debounce.period", "is required"},
    {"kind = \"process\"\nprocess = { argv = [\"p\"] }\nreactivity = { debounce = \"5s\" }\n", 18,
     "entity.x.reactivity.debounce", "expected one table"},
    {"kind = \"process\"\nprocess = { argv = [\"p\"] }\n"
     "reactivity = { debounce = { period = \"5s\", timeout = \"1s\" } }\n",
     18, "entity.x.reactivity.debounce.timeout", "not be shorter than the period"},
    {"kind = \"process\"\nprocess = { argv = [\"p\"] }\nreactivity = { concurrency = 0 }\n", 18,
     "entity.x.reactivity.concurrency", "of 1 or more"},
    {"kind = \"process\"\nprocess = { argv = [\"p\"] }\n"
     "reactivity.active_hours = { from = \"8:00\" }\n",
     18, "entity.x.reactivity.active_hours.from", "a time of day like \"08:00\""},
    {"kind = \"process\"\nprocess = { argv = [\"p\"] }\n"
     "reactivity.active_hours = { from = \"08:00\", to = \"08:00\" }\n",
     18, "entity.x.reactivity.active_hours.to", "no hour would be active"},
    {"kind = \"process\"\nprocess = { argv = [\"p\"] }\n"
     "reactivity.active_hours = { days = [0, \"mon\"] }\n",
     18, "entity.x.reactivity.active_hours.days[0]", "1 (Monday) to 7 (Sunday)"},
    {"kind = \"process\"\nprocess = { argv = [\"p\"] }\n[[entity.x.reactivity]]\n", 18,
     "entity.x.reactivity", "expected one table"},
    {"kind = \"codebase\"\n[entity.x.codebase]\nrepository = \"/r\"\nreport_sink = \"ouz\"\n", 19,
     "entity.x.codebase.report_sink", "there is no sink \"ouz\"; did you mean \"out\"?"},
    {"kind = \"codebase\"\n[entity.x.codebase]\nrepository = \"/r\"\n"
     "[[entity.x.codebase.command]]\nname = \"t\"\n",
     19, "entity.x.codebase.command[0].argv", "is required"},
    {"kind = \"rules\"\n[entity.x.rule]\nname = \"a\"\n", 17, "entity.x.rule", "two brackets"},
    {"kind = \"rules\"\n[[entity.x.rule]]\n", 17, "entity.x.rule[0].name", "is required"},
    {"kind = \"rules\"\n[[entity.x.rule]]\nname = \"a\"\n[[entity.x.rule]]\nname = \"a\"\n", 20,
     "entity.x.rule[1].name", "stands here twice"},
    {"kind = \"rules\"\n[[entity.x.rule]]\nname = \"a\"\n[[entity.x.rule.action]]\nsink = \"n\"\n",
     20, "entity.x.rule[0].action[0].sink", "there is no sink \"n\": define [sink.n]"},
    {"kind = \"rules\"\n[[entity.x.rule]]\nname = \"a\"\n[[entity.x.rule.action]]\nsink = \"out\"\n"
     "on = \"ok\"\n",
     21, "entity.x.rule[0].action[0].on", "this rule has none"},
    {"kind = \"rules\"\n[[entity.x.rule]]\nname = \"a\"\n[[entity.x.rule.task]]\nname = \"t\"\n",
     19, "entity.x.rule[0].task[0]", "give argv or builtin"},
    {"kind = \"rules\"\n[[entity.x.rule]]\nname = \"a\"\n[[entity.x.rule.task]]\nname = \"t\"\n"
     "argv = [\"{{event.data.run}}\"]\n",
     21, "entity.x.rule[0].task[0].argv[0]", "never taken from an event"},
    {"kind = \"rules\"\n[[entity.x.rule]]\nname = \"a\"\n[[entity.x.rule.task]]\nname = \"t\"\n"
     "argv = [\"p\"]\nneeds = [\"u\"]\n",
     22, "entity.x.rule[0].task[0].needs[0]", "there is no task \"u\""},
    {"kind = \"rules\"\n[[entity.x.rule]]\nname = \"a\"\n[[entity.x.rule.task]]\nname = \"t\"\n"
     "argv = [\"p\"]\nneeds = [\"u\"]\n[[entity.x.rule.task]]\nname = \"u\"\nargv = [\"p\"]\n"
     "needs = [\"t\"]\n",
     19, "entity.x.rule[0].task", "in a circle, or for one that does: t, u"},
    {"kind = \"rules\"\n[[entity.x.rule]]\nname = \"a\"\n[[entity.x.rule.task]]\nname = \"t\"\n"
     "argv = [\"p\"]\nsandbox = \"off\"\n",
     22, "entity.x.rule[0].task[0].sandbox", "expected one of strict, net, none"},
    {"kind = \"rules\"\n[[entity.x.rule]]\nname = \"a\"\nmatch = { datum = 1 }\n", 19,
     "entity.x.rule[0].match.datum", "an event has no \"datum\"; did you mean \"data\"?"},
    {"kind = \"rules\"\n[[entity.x.rule]]\nname = \"a\"\nmatch = { action = \"opened\" }\n", 19,
     "entity.x.rule[0].match.action", "the payload is below data: \"data.action\""},
    {"kind = \"rules\"\n[[entity.x.rule]]\nname = \"a\"\nmatch = { \"data.a?\" = 1 }\n", 19,
     "entity.x.rule[0].match.data.a?", "expected true (is there)"},
    {"kind = \"rules\"\n[[entity.x.rule]]\nname = \"a\"\nmatch = { subject = [] }\n", 19,
     "entity.x.rule[0].match.subject", "matches nothing"},
    {"kind = \"rules\"\n[[entity.x.rule]]\nname = \"a\"\nmatch = { or = [{}] }\n", 19,
     "entity.x.rule[0].match.or", "an empty match matches everything"},
    {"kind = \"rules\"\n[[entity.x.rule]]\nname = \"a\"\nmatch = { or = \"b\" }\n", 19,
     "entity.x.rule[0].match.or", "expected a list of matches"},
    {"kind = \"rules\"\n[[entity.x.rule]]\nname = \"a\"\nmatch = \"subject\"\n", 19,
     "entity.x.rule[0].match", "expected a match like"},
};

void check(const std::string& text, const Mistake& mistake) {
  INFO(text);
  const auto result = load_text(text, "vigild.toml");
  const auto found = mistakes(result);
  INFO(all_texts(result));
  REQUIRE(found.size() == 1);
  CHECK(found[0].file == "vigild.toml");
  CHECK(found[0].line == mistake.line);
  CHECK(found[0].column >= 1);
  CHECK(found[0].key == mistake.key);
  CHECK(found[0].message.find(mistake.says) != std::string::npos);
}

TEST_CASE("each mistake in the tables is named once, at its line") {
  for (const auto& mistake : in_the_tables) check(mistake.text, mistake);
}

TEST_CASE("each mistake in a source or a sink is named once, at its line") {
  for (const auto& mistake : in_sources_and_sinks) check(mistake.text, mistake);
  for (const auto& mistake : in_feeds_and_streams) check(mistake.text, mistake);
}

TEST_CASE("each mistake in an entity is named once, at its line") {
  const auto right = load_text(before + "kind = \"process\"\nprocess = { argv = [\"p\"] }\n", "f");
  INFO(all_texts(right));
  CHECK(mistakes(right).empty());
  for (const auto& mistake : in_entities) check(before + mistake.text, mistake);
}

TEST_CASE("cron expressions may use names, lists, ranges, steps and nicknames") {
  for (const std::string cron : {"* * * * *", "*/5 0-23/2 1,15 jan-MAR,12 fri-sun", "@Daily",
                                 "0 9 * * 7", " 0\t9 * * 1-5 ", "7/10 * * * *", "@annually"}) {
    CAPTURE(cron);
    const auto text = "[source.x]\nkind = \"schedule\"\ncron = '" + cron + "'\n";
    CHECK(all_texts(load_text(text, "f")) == "");
  }
}

TEST_CASE("a subscription must name a source that exists, unless it is a pattern") {
  const std::string start = "[source.github]\nkind = \"schedule\"\nevery = \"1h\"\n[entity.x]\n";
  const std::string end = "kind = \"process\"\nprocess = { argv = [\"p\"] }\n";
  const auto with = [&](const std::string& on) {
    return load_text(start + on + end, "vigild.toml");
  };
  CHECK(mistakes(with("on = [{ source = \"github\" }]\n")).empty());
  CHECK(mistakes(with("on = [{ source = \"git*\" }]\n")).empty());
  CHECK(mistakes(with("on = [{ source = \"admin\" }]\n")).empty());
  const auto unknown = mistakes(with("on = [{ source = \"githup\" }]\n"));
  REQUIRE(unknown.size() == 1);
  CHECK(unknown[0].line == 5);
  CHECK(unknown[0].message == "there is no source \"githup\"; did you mean \"github\"?");
  const auto silent = mistakes(with(""));
  REQUIRE(silent.size() == 1);
  CHECK(silent[0].key == "entity.x.on");
  CHECK(silent[0].message.find("add [[entity.x.on]]") != std::string::npos);
  CHECK(mistakes(with("on = []\n")).size() == 1);
}

TEST_CASE("all mistakes of a file are told at once, in the order of their places") {
  const auto result = load_text(
      "[daemon]\nlog_level = \"loud\"\ndrain_timeout = 5\nspeed = 9\n"
      "[http]\nlisten = [\"0.0.0.0:80\"]\n"
      "[source.hook]\nkind = \"webhook\"\nscheme = \"github\"\n"
      "[source.tick]\nkind = \"schedule\"\ncron = \"nonsense\"\n"
      "[entity.e]\nkind = \"rules\"\non = [{ source = \"hok\" }]\n"
      "[[entity.e.rule]]\nname = \"r\"\n[[entity.e.rule.action]]\nsink = \"nowhere\"\n",
      "vigild.toml");
  const auto found = mistakes(result);
  INFO(all_texts(result));
  std::vector<int> lines;
  for (const auto& one : found) lines.push_back(one.line);
  CHECK(lines == std::vector<int>{2, 3, 4, 6, 7, 12, 15, 19});
}

TEST_CASE("a mistake is not followed by others that only result from it") {
  const auto only = [](const std::string& text) {
    const auto found = mistakes(load_text(text, "vigild.toml"));
    return found.size() == 1 ? found[0].key : all_texts(load_text(text, "vigild.toml"));
  };
  CHECK(only("[source.x]\nkind = \"schedule\"\nevery = \"often\"\n") == "source.x.every");
  CHECK(only("[sink.x]\nkind = \"http\"\nurll = \"https://h/\"\n") == "sink.x.urll");
  CHECK(only("[source.x]\nkind = \"nonsense\"\nanything = 1\n") == "source.x.kind");
  CHECK(only("[source.x]\nkind = \"webhook\"\nscheme = \"github\"\nsecrets = [7]\n") ==
        "source.x.secrets[0]");
}

TEST_CASE("the text of a diagnostic is file:line:column: key: message, on one line") {
  const auto found = mistakes(load_text("[daemon]\n  log_lvl = 1\n", "/etc/vigild/vigild.toml"));
  REQUIRE(found.size() == 1);
  CHECK(found[0].to_text() ==
        "/etc/vigild/vigild.toml:2:3: daemon.log_lvl: unknown key; did you mean \"log_level\"?");
  const auto sly = mistakes(load_text("\"a\\nb\" = 1\n", "f"));
  REQUIRE(sly.size() == 1);
  CHECK(sly[0].to_text().find('\n') == std::string::npos);
}

TEST_CASE("a secret that stands in the file is not repeated in the message") {
  const auto text =
      all_texts(load_text("[sink.x]\nkind = \"github\"\ntoken = \"ghp_0123456789abcdef\"\n", "f"));
  CHECK(text.find("ghp_") == std::string::npos);
  CHECK(text.find("put it into a file") != std::string::npos);
}

}  // namespace
}  // namespace vigil::config
