#include <doctest/doctest.h>

#include "tests/config/scratch.hpp"
#include "tests/support/places.hpp"

namespace vigil::config {
namespace {

const std::string shipped = source_dir() + "/config/vigild.toml";

TEST_CASE("an empty file is a configuration: everything has a default") {
  const auto settings = settings_of("");
  CHECK(settings.http.listen == std::vector<std::string>{"127.0.0.1:8787"});
  CHECK(settings.daemon.decision_threads == 2);
  CHECK(settings.entities.empty());
}

TEST_CASE("the shipped file loads") {
  const auto result = load(shipped);
  INFO(all_texts(result));
  REQUIRE(std::holds_alternative<Loaded>(result));
  const auto& settings = std::get<Loaded>(result).settings;
  CHECK(settings.sources.contains("inbox"));
  CHECK(settings.sources.contains("morning"));
  CHECK(settings.entities.at("caretaker").kind == "rules");
  CHECK(std::get<Rules>(settings.entities.at("caretaker").of).rules.size() == 2);
}

TEST_CASE("the shipped file loads with everything in force that it comments out") {
  std::string text = read_whole(shipped);
  REQUIRE(!text.empty());
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    const bool key =
        text[at] == '#' && at + 1 < text.size() && text[at + 1] != ' ' && text[at + 1] != '\n';
    if (key) text.erase(at, 1);
    if (text.find('\n', at) == std::string::npos) break;
  }
  const auto result = load_text(text, "/etc/vigild/vigild.toml");
  INFO(all_texts(result));
  REQUIRE(std::holds_alternative<Loaded>(result));
  const auto& settings = std::get<Loaded>(result).settings;
  CHECK(settings.entities.size() == 3);
  CHECK(settings.sinks.size() == 5);
  CHECK(settings.sources.size() == 6);
}

TEST_CASE("sources are read") {
  const auto settings = settings_of(
      "[source.gh]\nkind = \"webhook\"\nscheme = \"github\"\ntrusted = true\n"
      "secrets = [\"cred:a\", \"file:b\"]\nallow = [\"10.0.0.0/8\", \"::1\"]\n"
      "body_bytes_max = \"1MiB\"\n"
      "[source.t]\nkind = \"schedule\"\nat = 2031-01-01T00:00:00+01:00\n"
      "data = { n = 1, deep = { list = [true, 1.5, \"x\"] } }\n"
      "[source.c]\nkind = \"schedule\"\ncron = \"0,30 8-18/2 * jan-jun MON-fri\"\n"
      "tz = \"America/New_York\"\nmisfire = \"run_all\"\noverlap = \"buffer_one\"\n");
  const auto& gh = settings.sources.at("gh");
  CHECK(gh.name == "gh");
  CHECK(gh.trusted);
  const auto& hook = std::get<Webhook>(gh.of);
  CHECK(hook.scheme == Scheme::github);
  CHECK(hook.secrets == std::vector<SecretRef>{{"cred:a"}, {"file:/etc/vigild/b"}});
  CHECK(hook.allow.size() == 2);
  CHECK(hook.body_bytes_max == 1024 * 1024);
  const auto& once = std::get<Schedule>(settings.sources.at("t").of);
  CHECK(to_rfc3339(once.at.value()) == "2030-12-31T23:00:00.000Z");
  CHECK(once.data.at("deep").at("list").as_array().size() == 3);
  const auto& cron = std::get<Schedule>(settings.sources.at("c").of);
  CHECK(cron.misfire == Misfire::run_all);
  CHECK(cron.overlap == Overlap::buffer_one);
  CHECK(cron.tz == "America/New_York");
}

const char* const an_entity =
    "[entity.e]\nkind = \"rules\"\nrole = \"r\"\nautonomy = \"act\"\ncase_key = \"{{event.id}}\"\n"
    "[entity.e.autonomy_of]\ncomment = \"observe\"\n"
    "[[entity.e.on]]\nsource = \"admin\"\ntypes = [\"a.*\", \"b\"]\nwhen = \"true\"\n"
    "[entity.e.reactivity]\ndebounce = { period = \"2s\" }\nbatch = { max_size = 5 }\n"
    "throttle = { count = 2, period = \"1h\" }\ncooldown = \"5m\"\nconcurrency = 3\n"
    "active_hours = { days = [\"fri\", \"mon\", 7], from = \"22:30\", to = \"06:00\" }\n"
    "cancel_on = [\"a.closed\"]\n"
    "[entity.e.budget]\ncompute = \"1h30m\"\ntokens = 5000000000\n"
    "[[entity.e.rule]]\nname = \"r1\"\nremember = \"x\"\n"
    "[[entity.e.rule.task]]\nname = \"one\"\nargv = [\"./run\", \"{{event.id}}\"]\nretries = 2\n"
    "[[entity.e.rule.task]]\nname = \"two\"\nbuiltin = \"summary\"\nneeds = [\"one\"]\n"
    "input = { a = \"{{event.id}}\" }\nsandbox = \"net\"\n"
    "[[entity.e.rule.action]]\nsink = \"l\"\non = \"report\"\npayload = { text = \"t\" }\n"
    "[sink.l]\nkind = \"log\"\n";

TEST_CASE("an entity is read") {
  const auto settings = settings_of(an_entity);
  const Entity& e = settings.entities.at("e");
  CHECK(e.name == "e");
  CHECK(e.autonomy == Autonomy::act);
  CHECK(e.autonomy_of.at("comment") == Autonomy::observe);
  REQUIRE(e.on.size() == 1);
  CHECK(e.on[0].types == std::vector<std::string>{"a.*", "b"});
  CHECK(e.reactivity->debounce->period == 2s);
  CHECK(e.reactivity->batch->max_size == 5);
  CHECK(e.reactivity->batch->timeout == 1min);
  CHECK(e.reactivity->throttle->count == 2);
  CHECK(e.reactivity->cooldown == Duration{5min});
  CHECK(e.reactivity->concurrency == 3);
  CHECK(e.reactivity->active_hours->days == std::vector<int>{1, 5, 7});
  CHECK(e.reactivity->active_hours->from_minute == 22 * 60 + 30);
  CHECK(e.reactivity->active_hours->to_minute == 6 * 60);
  CHECK(e.budget.compute == 90min);
  CHECK(e.budget.tokens == 5'000'000'000);
  const auto& rules = std::get<Rules>(e.of);
  CHECK(rules.case_key == "{{event.id}}");
  REQUIRE(rules.rules.size() == 1);
  const Rule& rule = rules.rules[0];
  REQUIRE(rule.tasks.size() == 2);
  CHECK(rule.tasks[0].argv[0] == "/etc/vigild/run");
  CHECK(rule.tasks[0].retries == 2);
  CHECK(rule.tasks[1].needs == std::vector<std::string>{"one"});
  CHECK(rule.tasks[1].sandbox == "net");
  REQUIRE(rule.actions.size() == 1);
  CHECK(rule.actions[0].on == "report");
}

TEST_CASE("relative paths start at the directory of their file, names of programs do not") {
  Scratch scratch;
  scratch.write("vigild.toml",
                "[daemon]\nstate_dir = \"state\"\n"
                "[sink.f]\nkind = \"file\"\npath = \"../notes\"\n");
  scratch.write("entities.d/a.toml",
                "[sink.c]\nkind = \"command\"\nargv = [\"bin/run\", \"bin/x\"]\n"
                "[sink.g]\nkind = \"github\"\ntoken = \"file:token\"\n"
                "[entity.e]\nkind = \"process\"\non = [{}]\n"
                "process = { argv = [\"python3\"], workdir = \"here\" }\n"
                "[entity.c]\nkind = \"codebase\"\non = [{}]\n[entity.c.codebase]\n"
                "repository = \"/srv/./r/\"\n"
                "command = [{ name = \"t\", argv = [\"./gradlew\"] }]\n");
  const auto result = load(scratch.path());
  INFO(all_texts(result));
  REQUIRE(std::holds_alternative<Loaded>(result));
  const auto& loaded = std::get<Loaded>(result);
  const auto& settings = loaded.settings;
  CHECK(settings.daemon.state_dir == scratch.path("state"));
  CHECK(settings.daemon.admin_socket == scratch.path("state/admin.sock"));
  const auto up = std::filesystem::path(scratch.path()).parent_path() / "notes";
  CHECK(std::get<FileSink>(settings.sinks.at("f").of).path == up.string());
  const auto& argv = std::get<CommandSink>(settings.sinks.at("c").of).argv;
  CHECK(argv == std::vector<std::string>{scratch.path("entities.d/bin/run"), "bin/x"});
  CHECK(std::get<GithubSink>(settings.sinks.at("g").of).token.text ==
        "file:" + scratch.path("entities.d/token"));
  const auto& process = std::get<Process>(settings.entities.at("e").of);
  CHECK(process.argv == std::vector<std::string>{"python3"});
  CHECK(process.workdir == scratch.path("entities.d/here"));
  const auto& codebase = *find_kind<Codebase>(settings.entities.at("c"));
  CHECK(codebase.repository == "/srv/./r/");
  CHECK(codebase.commands[0].argv[0] == "./gradlew");
  CHECK(loaded.files ==
        std::vector<std::string>{scratch.path("vigild.toml"), scratch.path("entities.d/a.toml")});
}

TEST_CASE("drop-ins are read in the order of their names; other files are left alone") {
  Scratch scratch;
  const auto main = scratch.write("vigild.toml", "");
  scratch.write("entities.d/b.toml", "[sink.b]\nkind = \"log\"\n");
  scratch.write("entities.d/a.toml", "[sink.a]\nkind = \"log\"\n");
  scratch.write("entities.d/c.toml~", "nonsense");
  scratch.write("entities.d/.d.toml", "nonsense");
  scratch.write("entities.d/README", "nonsense");
  const auto result = load(main);
  INFO(all_texts(result));
  REQUIRE(std::holds_alternative<Loaded>(result));
  const auto& files = std::get<Loaded>(result).files;
  REQUIRE(files.size() == 3);
  CHECK(files[1] == scratch.path("entities.d/a.toml"));
  CHECK(files[2] == scratch.path("entities.d/b.toml"));
}

TEST_CASE("a name defined in two files is refused and both places are told") {
  Scratch scratch;
  scratch.write("vigild.toml", "[sink.out]\nkind = \"log\"\n");
  scratch.write("entities.d/a.toml", "\n[sink.out]\nkind = \"log\"\n[daemon]\n");
  const auto found = mistakes(load(scratch.path()));
  REQUIRE(found.size() == 2);
  CHECK(found[0].file == scratch.path("entities.d/a.toml"));
  CHECK(found[0].line == 2);
  CHECK(found[0].message.find(scratch.path("vigild.toml") + ":1") != std::string::npos);
  CHECK(found[1].key == "daemon");
  CHECK(found[1].line == 4);
  CHECK(found[1].message.find("belongs in vigild.toml") != std::string::npos);
}

TEST_CASE("a name may be used in one file and defined in another") {
  Scratch scratch;
  scratch.write("vigild.toml",
                "[entity.e]\nkind = \"codebase\"\non = [{}]\n"
                "codebase = { repository = \"/r\", report_sink = \"later\" }\n");
  scratch.write("entities.d/a.toml", "[sink.later]\nkind = \"log\"\n");
  CHECK(all_texts(load(scratch.path())) == "");
  // While that file cannot be read nobody knows whether the sink exists.
  scratch.write("entities.d/a.toml", "[sink.later\n");
  const auto found = mistakes(load(scratch.path()));
  REQUIRE(found.size() == 1);
  CHECK(found[0].message.find("this is not TOML") != std::string::npos);
}

TEST_CASE("files that cannot be read are named") {
  Scratch scratch;
  const auto missing = mistakes(load(scratch.path("nowhere.toml")));
  REQUIRE(missing.size() == 1);
  CHECK(missing[0].to_text() ==
        scratch.path("nowhere.toml") + ": cannot be read: No such file or directory");
  CHECK(mistakes(load(scratch.path())).size() == 1);  // a directory without vigild.toml
  scratch.write("vigild.toml", std::string(5 * 1024 * 1024, '#'));
  const auto huge = mistakes(load(scratch.path()));
  REQUIRE(huge.size() == 1);
  CHECK(huge[0].message.find("larger than 4 MiB") != std::string::npos);
}

TEST_CASE("the state directory is the service manager's unless the file names one") {
  REQUIRE(::setenv("STATE_DIRECTORY", "/var/lib/one:/var/lib/two", 1) == 0);
  CHECK(settings_of("").daemon.state_dir == "/var/lib/one");
  CHECK(settings_of("").daemon.admin_socket == "/var/lib/one/admin.sock");
  CHECK(settings_of("[daemon]\nstate_dir = \"/x\"\n").daemon.state_dir == "/x");
  REQUIRE(::unsetenv("STATE_DIRECTORY") == 0);
  CHECK(settings_of("").daemon.state_dir ==
        (std::filesystem::current_path() / "vigild-state").string());
}

}  // namespace
}  // namespace vigil::config
