#pragma once
// Every key of the configuration outside [entity.*], once. A visitor walks the members of a
// settings struct with what is known about each: the loader fills them, the printer writes them,
// the reference lists them. A visitor has
//   value(spec, member)    one value                 table(spec, member)   a table or an optional
//   one tables(spec, vector)   [[...]]                   named(spec, map)      [key.NAME]
//   kinds(words, variant)  the key `kind` and what belongs to it; returns the word
#include "config/schema_doors.hpp"
#include "config/schema_hearing.hpp"
#include "config/schema_mail.hpp"
#include "config/schema_minds.hpp"
#include "config/schema_outgoing.hpp"
#include "config/schema_personal.hpp"
#include "config/schema_safety.hpp"
#include "config/settings.hpp"
#include "config/spec.hpp"
#include "config/words.hpp"

namespace vigil::config {

template <class Visitor>
void describe(Visitor& v, Daemon& of) {
  v.value(Spec{.name = "state_dir",
               .meaning = "directory of the database, backups and work directories",
               .form = Form::path,
               .default_text = "$STATE_DIRECTORY, else ./vigild-state",
               .takes = Takes::restart},
          of.state_dir);
  v.value(Spec{.name = "admin_socket",
               .meaning = "unix socket that vigilctl talks to",
               .form = Form::path,
               .default_text = "STATE_DIR/admin.sock",
               .takes = Takes::restart},
          of.admin_socket);
  v.value(Spec{.name = "log_level", .meaning = "least important level that is logged"},
          of.log_level);
  v.value(Spec{.name = "decision_threads",
               .meaning = "threads that decide; different cases run in parallel",
               .least = 1,
               .most = 64,
               .takes = Takes::restart},
          of.decision_threads);
  v.value(Spec{.name = "drain_timeout",
               .meaning = "how long running swarms and open requests may take at shutdown",
               .most = in_us(1h)},
          of.drain_timeout);
  describe_safety(v, of);
}

template <class Visitor>
void describe(Visitor& v, Storage& of) {
  v.value(Spec{.name = "events_keep", .meaning = "how long events are kept; 0s for ever"},
          of.events_keep);
  v.value(Spec{.name = "ledger_keep", .meaning = "how long decisions are kept; 0s for ever"},
          of.ledger_keep);
  v.value(Spec{.name = "swarms_keep", .meaning = "how long swarms are kept; 0s for ever"},
          of.swarms_keep);
  v.value(Spec{.name = "episodes_keep", .meaning = "how long episodes are kept; 0s for ever"},
          of.episodes_keep);
  v.value(Spec{.name = "cache_keep",
               .meaning = "how long results of tasks with `cache` may be taken by later tasks; 0s "
                          "for ever"},
          of.cache_keep);
  v.value(Spec{.name = "cache_bytes_max",
               .meaning = "most that these results may take together; the oldest go first",
               .least = 0,
               .most = 64 * gib},
          of.cache_bytes_max);
  v.value(Spec{.name = "free_bytes_min",
               .meaning = "below this free space on the disk (or 5 % of it) nothing is accepted",
               .takes = Takes::restart},
          of.free_bytes_min);
  v.value(Spec{.name = "ballast_bytes",
               .meaning = "file that is given up when the disk is full, to have room to recover",
               .most = 64 * gib,
               .takes = Takes::restart},
          of.ballast_bytes);
  v.value(Spec{.name = "queue_max",
               .meaning = "events accepted and not yet routed; beyond, senders get 503",
               .least = 1,
               .takes = Takes::restart},
          of.queue_max);
}

template <class Visitor>
void describe(Visitor& v, Swarms& of) {
  v.value(Spec{.name = "slots",
               .meaning = "tasks at once over all entities; 0: twice the processors",
               .most = 10'000,
               .takes = Takes::restart},
          of.slots);
  v.value(Spec{.name = "slots_per_entity",
               .meaning = "tasks at once of one entity; 0: no limit of its own",
               .most = 10'000,
               .takes = Takes::restart},
          of.slots_per_entity);
  v.value(Spec{.name = "task_timeout",
               .meaning = "time for a task that states none of its own",
               .least = in_us(100ms),
               .takes = Takes::restart},
          of.task_timeout);
  v.value(Spec{.name = "grace",
               .meaning = "time between TERM and KILL",
               .most = in_us(10min),
               .takes = Takes::restart},
          of.grace);
  v.value(Spec{.name = "output_bytes_max",
               .meaning = "largest output of a task that is kept; the rest is counted",
               .least = kib,
               .most = gib,
               .takes = Takes::restart},
          of.output_bytes_max);
  v.value(Spec{.name = "memory_bytes_max",
               .meaning = "memory a task may use",
               .least = 16 * mib,
               .takes = Takes::restart},
          of.memory_bytes_max);
  v.value(Spec{.name = "resources",
               .meaning = "[swarm.resources]: names of scarce things and how many tasks may hold "
                          "each at once",
               .form = Form::task_name,
               .least = 1,
               .takes = Takes::restart},
          of.resources);
  v.value(Spec{.name = "rates",
               .meaning = "[swarm.rates]: of such a scarce thing, how many tasks that hold it may "
                          "start in a minute",
               .form = Form::task_name,
               .least = 1,
               .takes = Takes::restart},
          of.rates);
}

// What one scheme alone asks for.
template <class Visitor>
void describe_own(Visitor& v, Webhook& of) {
  v.value(
      Spec{.name = "ids",
           .meaning = "scheme ping: [source.NAME.ids]: of a check the secret that stands in its "
                      "address, /ping/<secret>",
           .form = Form::name},
      of.ids);
  v.value(Spec{.name = "per_minute_max",
               .meaning = "scheme ping: pings of one check in a minute; beyond, 429",
               .least = 1,
               .most = 6000},
          of.per_minute_max);
  v.value(Spec{.name = "topics",
               .meaning = "scheme sns: ARNs of the topics that may send; everybody else's messages "
                          "are signed by AWS as well",
               .most = 100},
          of.topics);
  v.value(
      Spec{.name = "certificate",
           .meaning = "scheme sns: PEM file of the signing certificate; empty: fetched from AWS "
                      "and kept",
           .form = Form::path},
      of.certificate);
  v.value(Spec{.name = "confirm",
               .meaning = "scheme sns: confirm the subscription of a listed topic; false: the link "
                          "stands in an event for a person to open"},
          of.confirm);
  v.value(Spec{.name = "own_ids",
               .meaning = "schemes slack and telegram: ids of our own bot and user, whose messages "
                          "are not told; empty: no bot's are",
               .most = 20},
          of.own_ids);
  v.table(Spec{.name = "redelivery",
               .meaning = "scheme github: deliveries that did not arrive are asked for again"},
          of.redelivery);
}

template <class Visitor>
void describe(Visitor& v, Webhook& of) {
  v.value(Spec{.name = "scheme",
               .meaning = "how the sender proves itself; none is for loopback without a proxy"},
          of.scheme);
  v.value(Spec{.name = "secrets",
               .meaning = "all are tried: put the new one beside the old one to rotate",
               .most = 16},
          of.secrets);
  v.value(Spec{.name = "user",
               .meaning =
                   "schemes basic, alertmanager, sendgrid and postmark: the user name; the secret "
                   "is the password"},
          of.user);
  v.value(Spec{.name = "allow",
               .meaning = "addresses that may call; empty: all",
               .form = Form::address_range},
          of.allow);
  v.value(Spec{.name = "tolerance",
               .meaning = "largest age of a signed timestamp",
               .least = in_us(1s),
               .most = in_us(24h)},
          of.tolerance);
  v.value(
      Spec{.name = "body_bytes_max", .meaning = "largest body; 0B: that of [http]", .most = gib},
      of.body_bytes_max);
  v.value(Spec{.name = "signature_header",
               .meaning = "scheme hmac: the header that holds the signature",
               .form = Form::header_name},
          of.signature_header);
  v.value(Spec{.name = "signature_prefix",
               .meaning = "scheme hmac: what stands before the signature, such as sha256="},
          of.signature_prefix);
  v.value(Spec{.name = "signature_encoding",
               .meaning = "scheme hmac: how the signature is written",
               .choices = encodings},
          of.signature_encoding);
  v.value(Spec{.name = "type",
               .meaning = "type of its events; empty: as the sender says, else SOURCE.VALUE with "
                          "the value at type_path",
               .form = Form::event_type},
          of.type);
  v.value(Spec{.name = "type_path",
               .meaning = "where the body says what happened",
               .form = Form::dotted_path},
          of.type_path);
  v.value(Spec{.name = "subject_path",
               .meaning = "where the body says what it is about",
               .form = Form::dotted_path},
          of.subject_path);
  v.value(Spec{.name = "id_header",
               .meaning = "header with the delivery id; empty: that of the scheme. Without one a "
                          "signed body is its own id, any other request is an event of its own",
               .form = Form::header_name},
          of.id_header);
  describe_own(v, of);
}

template <class Visitor>
void describe(Visitor& v, Schedule& of) {
  v.value(Spec{.name = "cron",
               .meaning = "minute hour day month weekday; exactly one of cron, every and at",
               .form = Form::cron},
          of.cron);
  v.value(Spec{.name = "every", .meaning = "time between firings", .least = in_us(1s)}, of.every);
  v.value(Spec{.name = "at", .meaning = "fires once"}, of.at);
  v.value(Spec{.name = "tz", .meaning = "zone in which cron is meant", .form = Form::zone}, of.tz);
  v.value(
      Spec{.name = "jitter", .meaning = "each firing is late by up to this", .most = in_us(24h)},
      of.jitter);
  v.value(Spec{.name = "misfire", .meaning = "what becomes of firings that were missed"},
          of.misfire);
  v.value(Spec{.name = "misfire_grace", .meaning = "later than this is missed"}, of.misfire_grace);
  v.value(
      Spec{.name = "catchup_spread", .meaning = "misfire run_all: pause between the missed ones"},
      of.catchup_spread);
  v.value(Spec{.name = "overlap", .meaning = "what to do when the last firing is still at work"},
          of.overlap);
  v.value(Spec{.name = "type", .meaning = "type of its events", .form = Form::event_type}, of.type);
  v.value(Spec{.name = "subject", .meaning = "subject of its events"}, of.subject);
  v.value(Spec{.name = "data", .meaning = "payload of its events"}, of.data);
}

template <class Visitor>
void describe(Visitor& v, HttpSink& of) {
  constexpr std::int64_t soon = in_us(100ms);
  v.value(Spec{.name = "url",
               .meaning = "where the payload is posted",
               .presence = Presence::required,
               .form = Form::url},
          of.url);
  v.value(Spec{.name = "secret", .meaning = "signs requests as Standard Webhooks do"}, of.secret);
  v.value(Spec{.name = "headers",
               .meaning = "sent with each request; not the place for secrets",
               .form = Form::header_name},
          of.headers);
  v.value(Spec{.name = "timeout", .meaning = "time for one attempt", .least = soon}, of.timeout);
}

template <class Visitor>
void describe(Visitor& v, GithubSink& of) {
  v.value(Spec{.name = "base_url", .meaning = "of the REST API", .form = Form::url}, of.base_url);
  v.value(Spec{.name = "token",
               .meaning = "may comment and set commit statuses",
               .presence = Presence::required},
          of.token);
  v.value(Spec{.name = "context", .meaning = "name of the commit status"}, of.context);
  v.value(Spec{.name = "timeout", .meaning = "time for one attempt", .least = in_us(100ms)},
          of.timeout);
}

template <class Visitor>
void describe(Visitor& v, CommandSink& of) {
  v.value(Spec{.name = "argv",
               .meaning = "runs with the payload as JSON on standard input; no shell",
               .presence = Presence::required,
               .form = Form::program,
               .least = 1},
          of.argv);
  v.value(Spec{.name = "timeout", .meaning = "time for one run", .least = in_us(100ms)},
          of.timeout);
  v.value(Spec{.name = "idempotent",
               .meaning = "may be run again when its outcome was lost in a crash"},
          of.idempotent);
  v.value(Spec{.name = "per_hour_max", .meaning = "runs in an hour", .least = 1}, of.per_hour_max);
  v.value(
      Spec{.name = "secrets",
           .meaning = "[sink.NAME.secrets]: of a variable of its environment the secret that it "
                      "holds",
           .form = Form::variable},
      of.secrets);
}

template <class Visitor>
void describe(Visitor& v, FileSink& of) {
  v.value(Spec{.name = "path",
               .meaning = "one JSON line is appended for each action",
               .presence = Presence::required,
               .form = Form::path},
          of.path);
}

template <class Visitor>
void describe(Visitor&, LogSink&) {}  // a line in the daemon's log

template <class Visitor>
void describe(Visitor& v, GitSink& of) {
  v.value(Spec{.name = "repository",
               .meaning = "a local clone that has the commits",
               .presence = Presence::required,
               .form = Form::path},
          of.repository);
  v.value(Spec{.name = "remote", .meaning = "of the clone, where branches are pushed"}, of.remote);
  v.value(Spec{.name = "ssh_key", .meaning = "a private key for ssh", .form = Form::path},
          of.ssh_key);
  v.value(Spec{.name = "credentials",
               .meaning = "a file as git-credential-store keeps it, for https",
               .form = Form::path},
          of.credentials);
  v.value(Spec{.name = "timeout", .meaning = "time for one push", .least = in_us(1s)}, of.timeout);
}

template <class Visitor>
void describe(Visitor& v, Source& of) {
  v.value(Spec{.name = "trusted",
               .meaning = "its content is not written by strangers: its events are not tainted"},
          of.trusted);
  v.value(Spec{.name = "expect_every",
               .meaning = "an event must come this often: a longer silence is an event "
                          "`vigil.silence` of source `vigil`; 0s: any time"},
          of.expect_every);
  v.kinds(source_kinds, of.of);
}

template <class Visitor>
void describe(Visitor& v, Sink& of) {
  v.kinds(sink_kinds, of.of);
}

}  // namespace vigil::config
