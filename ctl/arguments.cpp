#include "ctl/arguments.hpp"

#include <fmt/format.h>

#include <boost/json/object.hpp>

#include "ctl/nouns.hpp"
#include "ctl/verbs.hpp"

namespace vigil::ctl {
namespace {

void build(CLI::App& app, Choice& choice) {
  app.name("vigilctl");
  app.require_subcommand(1);
  app.fallthrough();  // --json and --socket may stand anywhere on the line
  app.set_version_flag("--version", std::string("vigilctl ") + VIGIL_VERSION);
  app.add_flag("--json", choice.json, "print the API's JSON");
  app.add_option("--socket", choice.socket,
                 "the daemon's socket; else $VIGILD_SOCKET, ./vigild-state/admin.sock, "
                 "/run/vigild/admin.sock")
      ->type_name("PATH");
  app.footer("exit codes: 0 ok, 1 failed, 2 usage, 3 the daemon cannot be reached");
  add_daemon_verbs(app, choice);
  add_event_verbs(app, choice);
  add_source_verbs(app, choice);
  add_work_verbs(app, choice);
  add_memory_verbs(app, choice);
  add_config_verbs(app, choice);
}

void collect(const CLI::App& app, const std::string& before, std::vector<std::string>& out) {
  for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    const auto name = before.empty() ? sub->get_name() : before + " " + sub->get_name();
    if (sub->get_subcommands([](const CLI::App*) { return true; }).empty()) out.push_back(name);
    collect(*sub, name, out);
  }
}

}  // namespace

CLI::App* add_noun(CLI::App& app, const std::string& name, const std::string& help) {
  auto* noun = app.add_subcommand(name, help);
  noun->require_subcommand(1);
  return noun;
}

CLI::App* add_verb(CLI::App& noun, Choice& choice, const std::string& name, const std::string& help,
                   Verb run) {
  auto* verb = noun.add_subcommand(name, help);
  verb->require_subcommand(0);
  verb->callback([&choice, run = std::move(run)] { choice.verb = run; });
  return verb;
}

std::shared_ptr<std::string> add_word(CLI::App& verb, const std::string& name,
                                      const std::string& help) {
  auto word = std::make_shared<std::string>();
  verb.add_option_function<std::string>(
          name, [word](const std::string& given) { *word = given; }, help)
      ->required();
  return word;
}

std::string ListArgs::target(const std::string& path) const {
  Target out(path);
  out.with("entity", entity).with("state", state).with("before", before);
  out.with("limit", limit > 0 ? fmt::format("{}", limit) : "");
  return out.text();
}

std::shared_ptr<ListArgs> add_list_options(CLI::App& verb, Paging paging) {
  auto args = std::make_shared<ListArgs>();
  verb.add_option_function<int>(
          "-n,--limit", [args](int given) { args->limit = given; }, "how many (50)")
      ->check(CLI::Range(1, 1'000));
  if (paging == Paging::no) return args;
  verb.add_option_function<std::string>(
      "--entity", [args](const std::string& given) { args->entity = given; }, "of this entity");
  verb.add_option_function<std::string>(
      "--before", [args](const std::string& given) { args->before = given; }, "older than this id");
  return args;
}

void add_daemon_verbs(CLI::App& app, Choice& choice) {
  add_verb(app, choice, "status", "what the daemon does now",
           [](const Session& session) { return session.get("/v1/status", status_page); });
  auto config = std::make_shared<std::string>();
  auto chains = std::make_shared<Chains>(Chains::leave);
  auto* doctor = add_verb(
      app, choice, "doctor", "look at what the daemon stands on",
      [config, chains](const Session& session) { return run_doctor(session, *config, *chains); });
  doctor->add_flag_function(
      "--ledger", [chains](std::int64_t) { *chains = Chains::read; },
      "read the whole ledger and audit: are they what was written");
  doctor->add_option_function<std::string>(
      "--config", [config](const std::string& given) { *config = given; },
      "check this configuration");
  auto* safe_mode = add_noun(app, "safe-mode", "after too many crashes nothing is decided");
  add_verb(*safe_mode, choice, "leave", "decide and act again", [](const Session& session) {
    return session.act("POST", "/v1/safe-mode/leave", {},
                       "safe mode is left: what waited is decided now");
  });
  auto every = std::make_shared<int>(2);
  auto count = std::make_shared<int>(0);
  auto* top = add_verb(
      app, choice, "top", "status, again and again",
      [every, count](const Session& session) { return show_top(session, *every, *count); });
  top->add_option_function<int>(
         "--interval", [every](int given) { *every = given; }, "seconds in between (2)")
      ->check(CLI::Range(1, 3'600));
  top->add_option_function<int>(
         "--count", [count](int given) { *count = given; }, "end after so many")
      ->check(CLI::Range(1, 1'000'000));
  add_verb(app, choice, "budget", "what was spent today, set aside and allowed",
           [](const Session& session) { return session.get("/v1/budget", budget_page); });
  auto rows = std::make_shared<std::shared_ptr<ListArgs>>();
  auto* audit = add_verb(app, choice, "audit", "who asked the daemon for what",
                         [rows](const Session& session) {
                           return session.get((*rows)->target("/v1/audit"), audit_page);
                         });
  *rows = add_list_options(*audit, Paging::no);
  audit->add_option_function<std::string>(
      "--before", [rows](const std::string& given) { (*rows)->before = given; },
      "older than this id");
  add_verb(app, choice, "mcp", "let an agent ask, over standard input and output (MCP)", serve_mcp);
  add_verb(app, choice, "metrics", "numbers for Prometheus", show_metrics);
  add_verb(app, choice, "version", "of vigilctl and of the daemon", show_version);
}

std::variant<Line, int> read_line(int count, const char* const* arguments) {
  CLI::App app("talks to vigild, the runtime for autonomous entities");
  Choice choice;
  build(app, choice);
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? exit_ok : exit_usage;
  }
  Line line;
  line.socket = choice.socket.empty() ? default_socket() : choice.socket;
  line.output = choice.json ? Output::json : Output::page;
  line.follow = choice.follow ? Follow::yes : Follow::no;
  line.verb = std::move(choice.verb);
  return line;
}

std::vector<std::string> all_verbs() {
  CLI::App app("");
  Choice choice;
  build(app, choice);
  std::vector<std::string> out;
  collect(app, "", out);
  return out;
}

}  // namespace vigil::ctl
