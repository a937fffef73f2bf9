#include <boost/json/object.hpp>

#include "ctl/nouns.hpp"
#include "ctl/verbs.hpp"

namespace vigil::ctl {
namespace {

// "list" with the usual options, and one for the state.
void add_list(CLI::App& noun, Choice& choice, const std::string& path, Page page,
              const std::string& states) {
  auto args = std::make_shared<std::shared_ptr<ListArgs>>();
  auto* verb =
      add_verb(noun, choice, "list", "newest first", [args, path, page](const Session& session) {
        return session.get((*args)->target(path), page);
      });
  *args = add_list_options(*verb, Paging::yes);
  if (!states.empty()) verb->add_option("--state", (*args)->state, states);
}

void add_show(CLI::App& noun, Choice& choice, const std::string& path, Page page,
              const std::string& word) {
  auto id = std::make_shared<std::shared_ptr<std::string>>();
  auto* verb = add_verb(noun, choice, "show", "one of them", [id, path, page](const Session& s) {
    return s.get(path_of(path, **id), page);
  });
  *id = add_word(*verb, word, word == "ENTITY" ? "its name" : "its id");
}

// POST path/ID/verb with an optional text.
struct Act {
  std::string verb;
  std::string help;
  std::string word;
  std::string path;
  std::string done;
  std::string option;  // the member of the body, and the option that gives it; empty: none
};
void add_act(CLI::App& noun, Choice& choice, Act act) {
  auto id = std::make_shared<std::shared_ptr<std::string>>();
  auto text = std::make_shared<std::string>();
  auto* verb = add_verb(noun, choice, act.verb, act.help, [id, text, act](const Session& session) {
    json::object body;
    if (!text->empty()) body[act.option] = *text;
    return session.act("POST", path_of(act.path, **id, "/" + act.verb), body,
                       safe(**id) + ": " + act.done);
  });
  *id = add_word(*verb, act.word, act.word == "ENTITY" ? "its name" : "its id");
  if (!act.option.empty()) verb->add_option("--" + act.option, *text, "in your words");
}

void add_approve(CLI::App& noun, Choice& choice) {
  auto args = std::make_shared<ApproveArgs>();
  auto* verb = add_verb(noun, choice, "approve", "let it go out",
                        [args](const Session& session) { return approve(session, *args); });
  verb->add_option("ACTION", args->id, "its id")->required();
  verb->add_option("--note", args->note, "in your words");
  verb->add_flag("--always-like-this", args->always,
                 "and the next ones that differ only in what they say, within [approvals]' bounds");
}

void add_feedback(CLI::App& app, Choice& choice) {
  struct Args {
    std::string id;
    std::string verdict;
    std::string note;
  };
  auto args = std::make_shared<Args>();
  auto* verb = add_verb(app, choice, "feedback", "was an action useful or noise",
                        [args](const Session& session) {
                          json::object body{{"verdict", args->verdict}};
                          if (!args->note.empty()) body["note"] = args->note;
                          return session.act("POST", path_of("/v1/actions/", args->id, "/feedback"),
                                             body, "noted: the entity learns from it");
                        });
  verb->add_option("ACTION", args->id, "its id")->required();
  verb->add_option("VERDICT", args->verdict, "useful or noise")
      ->required()
      ->check(CLI::IsMember({"useful", "noise"}));
  verb->add_option("--note", args->note, "what it is about: a finding's key, or your words");
}

void add_timers(CLI::App& app, Choice& choice) {
  auto* timers = add_noun(app, "timers", "what will wake entities by time");
  auto all = std::make_shared<std::shared_ptr<ListArgs>>();
  auto* list = add_verb(*timers, choice, "list", "timers of cases", [all](const Session& session) {
    return session.get((*all)->target("/v1/timers"), timers_page);
  });
  *all = add_list_options(*list, Paging::no);
  auto coming = std::make_shared<std::shared_ptr<ListArgs>>();
  auto* next = add_verb(*timers, choice, "next", "timers and schedules, by time",
                        [coming](const Session& session) {
                          return session.get((*coming)->target("/v1/timers/next"), next_page);
                        });
  *coming = add_list_options(*next, Paging::no);
}

void add_dead(CLI::App& app, Choice& choice) {
  auto* dead = add_noun(app, "dead", "wakes that could not be decided");
  auto args = std::make_shared<std::shared_ptr<ListArgs>>();
  auto* list = add_verb(*dead, choice, "list", "all of them", [args](const Session& session) {
    return session.get((*args)->target("/v1/dead"), dead_page);
  });
  *args = add_list_options(*list, Paging::no);
  add_act(*dead, choice, {"retry", "decide it again", "WAKE", "/v1/dead/", "is decided again", ""});
  add_act(*dead, choice, {"drop", "give it up", "WAKE", "/v1/dead/", "dropped", ""});
}

void add_show_swarm(CLI::App& swarms, Choice& choice) {
  auto args = std::make_shared<ShowSwarmArgs>();
  auto* verb = add_verb(swarms, choice, "show", "when each task ran, and the numbers",
                        [args](const Session& session) { return show_swarm(session, *args); });
  verb->add_option("SWARM", args->id, "its id")->required();
  auto* all = verb->add_flag("--all", args->all, "every task, however many there are");
  verb->add_option("--html", args->html, "draw it into this file; - for standard output")
      ->type_name("FILE")
      ->excludes(all)
      ->excludes(verb->add_flag("--results", args->results, "with what the tasks answered"));
}

void add_run_plan(CLI::App& swarms, Choice& choice) {
  auto args = std::make_shared<RunPlanArgs>();
  auto* verb = add_verb(swarms, choice, "run", "run a plan of yours in the name of an entity",
                        [args](const Session& session) { return run_plan(session, *args); });
  verb->add_option("FILE", args->file, "the plan as JSON, see docs/plans.md; - for standard input")
      ->required();
  verb->add_option("--entity", args->entity, "within whose budgets and limits it runs")->required();
  verb->add_flag("--watch", args->watch, "stay until it ends; the exit code says how");
}

void add_trend(CLI::App& swarms, Choice& choice) {
  auto args = std::make_shared<TrendArgs>();
  auto* verb = add_verb(swarms, choice, "trend", "speed, correctness and parallelism, day by day",
                        [args](const Session& session) { return show_trend(session, *args); });
  verb->add_option("--entity", args->entity, "of this entity");
  verb->add_option("--days", args->days, "how many, today included (14)")
      ->check(CLI::Range(1, 366));
}

void add_swarms(CLI::App& app, Choice& choice) {
  auto* swarms = add_noun(app, "swarms", "work in short tasks side by side");
  add_list(*swarms, choice, "/v1/swarms", swarms_page, "planned running done failed cancelled");
  add_show_swarm(*swarms, choice);
  add_run_plan(*swarms, choice);
  add_trend(*swarms, choice);
  auto id = std::make_shared<std::string>();
  auto* watch = add_verb(*swarms, choice, "watch", "while it runs; without an id all of them",
                         [id](const Session& session) { return watch_swarms(session, *id); });
  watch->add_option("SWARM", *id, "its id");
  add_act(*swarms, choice,
          {"cancel", "stop it", "SWARM", "/v1/swarms/", "is being cancelled", "why"});
  add_act(*swarms, choice,
          {"retry", "run again what is not done", "SWARM", "/v1/swarms/", "runs again", ""});
}

}  // namespace

void add_work_verbs(CLI::App& app, Choice& choice) {
  auto* entities = add_noun(app, "entities", "who lives here");
  add_verb(*entities, choice, "list", "all of them",
           [](const Session& session) { return session.get("/v1/entities", entities_page); });
  add_show(*entities, choice, "/v1/entities/", entity_page, "ENTITY");
  add_act(*entities, choice, {"pause", "its wakes wait", "ENTITY", "/v1/entities/", "paused", ""});
  add_act(*entities, choice, {"resume", "its wakes go on", "ENTITY", "/v1/entities/", "awake", ""});

  auto* cases = add_noun(app, "cases", "what entities are at");
  add_list(*cases, choice, "/v1/cases", cases_page, "open closed");
  add_show(*cases, choice, "/v1/cases/", case_page, "CASE");
  auto over = std::make_shared<std::shared_ptr<std::string>>();
  auto* post_mortem =
      add_verb(*cases, choice, "post-mortem", "of its last incident, as Markdown",
               [over](const Session& session) { return show_post_mortem(session, **over); });
  *over = add_word(*post_mortem, "CASE", "its id");

  auto* decisions = add_noun(app, "decisions", "the ledger");
  add_list(*decisions, choice, "/v1/decisions", decisions_page, "");

  add_swarms(app, choice);

  auto* actions = add_noun(app, "actions", "what goes out");
  add_list(*actions, choice, "/v1/actions", actions_page,
           "proposed approved sending delivered failed unknown denied expired superseded");
  add_show(*actions, choice, "/v1/actions/", action_page, "ACTION");
  add_approve(*actions, choice);
  add_act(*actions, choice,
          {"deny", "never let it go out", "ACTION", "/v1/actions/", "denied", "note"});
  add_feedback(app, choice);
  add_timers(app, choice);
  add_dead(app, choice);
}

}  // namespace vigil::ctl
