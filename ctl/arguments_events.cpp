#include <boost/json/object.hpp>

#include "ctl/nouns.hpp"
#include "ctl/verbs.hpp"

namespace vigil::ctl {
namespace {

void add_text(CLI::App& verb, const std::string& name, std::string& into, const std::string& help) {
  verb.add_option(name, into, help);
}

void add_tail(CLI::App& noun, Choice& choice) {
  auto args = std::make_shared<TailArgs>();
  auto* verb = add_verb(noun, choice, "tail", "the newest events; -f goes on",
                        [args](const Session& session) { return tail_events(session, *args); });
  add_text(*verb, "--source", args->source, "from this source");
  add_text(*verb, "--type", args->type, "of this type; may hold *");
  add_text(*verb, "--entity", args->entity, "about this entity (with --topics)");
  add_text(*verb, "--topics", args->topics,
           "what to follow: event,decision,swarm,task,action (all)");
  verb->add_option("-n,--count", args->count, "how many old ones first (20; with -f none)")
      ->check(CLI::Range(0, 1'000));
  verb->add_flag("-f,--follow", choice.follow, "show what happens from now on");
}

void add_list(CLI::App& noun, Choice& choice) {
  struct Args {
    std::string source;
    std::string type;
  };
  auto more = std::make_shared<Args>();
  auto holder = std::make_shared<std::shared_ptr<ListArgs>>();
  auto* verb = add_verb(noun, choice, "list", "the journal, newest first",
                        [more, holder](const Session& session) {
                          Target target("/v1/events");
                          target.with("source", more->source).with("type", more->type);
                          target.with("before", (*holder)->before);
                          const auto limit = (*holder)->limit;
                          target.with("limit", limit > 0 ? std::to_string(limit) : "");
                          return session.get(target.text(), events_page);
                        });
  *holder = add_list_options(*verb, Paging::no);
  add_text(*verb, "--before", (*holder)->before, "older than this id");
  add_text(*verb, "--source", more->source, "from this source");
  add_text(*verb, "--type", more->type, "of this type; may hold *");
}

void add_emit(CLI::App& noun, Choice& choice) {
  auto args = std::make_shared<EmitArgs>();
  auto* verb = add_verb(noun, choice, "emit", "put an event into the journal",
                        [args](const Session& session) { return emit_event(session, *args); });
  verb->add_option("--type", args->type, "dotted, such as note.added")->required();
  add_text(*verb, "--source", args->source, "speak for this source (admin)");
  add_text(*verb, "--subject", args->subject, "what it is about");
  add_text(*verb, "--uid", args->uid, "a second event with this one is a duplicate");
  add_text(*verb, "--data", args->data, "JSON, @FILE, or - for standard input");
  verb->add_flag("--untrusted", args->untrusted, "a stranger wrote the data");
}

void add_mail(CLI::App& app, Choice& choice) {
  auto* mail = add_noun(app, "mail", "for mail servers");
  auto args = std::make_shared<DeliverArgs>();
  args->recipients = {"local"};
  auto* verb = add_verb(*mail, choice, "deliver",
                        "hand the message on standard input to a source of kind lmtp",
                        [args](const Session&) { return deliver_mail(*args); });
  verb->add_option("--to", args->where, "where the source listens: a socket's path or 127.0.0.1:24")
      ->required();
  add_text(*verb, "--sender", args->sender, "of the envelope");
  verb->add_option("--recipient", args->recipients, "of the envelope; may be given again");
  verb->footer("exit codes: 0 stored, 69 refused, 75 keep it and try again");
}

}  // namespace

void add_event_verbs(CLI::App& app, Choice& choice) {
  auto* events = add_noun(app, "events", "what came in");
  add_tail(*events, choice);
  add_list(*events, choice);
  auto shown = std::make_shared<std::shared_ptr<std::string>>();
  auto* show = add_verb(*events, choice, "show", "one event with its payload",
                        [shown](const Session& session) {
                          return session.get(path_of("/v1/events/", **shown), event_page);
                        });
  *shown = add_word(*show, "EVENT", "its id");
  add_emit(*events, choice);
  auto replayed = std::make_shared<std::shared_ptr<std::string>>();
  auto* replay =
      add_verb(*events, choice, "replay", "route it once more", [replayed](const Session& session) {
        return session.act("POST", path_of("/v1/events/", **replayed, "/replay"), {},
                           "replayed; what becomes of it: vigilctl explain " + safe(**replayed));
      });
  *replayed = add_word(*replay, "EVENT", "its id");
  auto explained = std::make_shared<std::shared_ptr<std::string>>();
  auto* explain =
      add_verb(app, choice, "explain", "what became of an event, and why",
               [explained](const Session& session) { return explain_event(session, **explained); });
  *explained = add_word(*explain, "EVENT", "its id");
  explain->add_flag("-f,--follow", choice.follow, "draw it again when something happened");
  add_mail(app, choice);
}

}  // namespace vigil::ctl
