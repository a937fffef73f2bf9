#pragma once
// Every key of [entity.*], and the whole document. See schema.hpp.
#include "config/schema.hpp"
#include "config/schema_admin.hpp"
#include "config/schema_comms.hpp"
#include "config/schema_market.hpp"
#include "config/schema_ops.hpp"
#include "config/schema_red_builds.hpp"
#include "config/schema_upgrades.hpp"

namespace vigil::config {

template <class Visitor>
void describe(Visitor& v, Subscription& of) {
  v.value(Spec{.name = "source",
               .meaning = "name of a source, or a pattern: * is any run of characters",
               .form = Form::pattern},
          of.source);
  v.value(Spec{.name = "types",
               .meaning = "types of events, or patterns",
               .form = Form::pattern,
               .least = 1},
          of.types);
  v.value(Spec{.name = "match", .meaning = "field matches; none: every event"}, of.match);
  v.value(Spec{.name = "when", .meaning = "a Lua expression over event; empty: true"}, of.when);
}

template <class Visitor>
void describe(Visitor& v, Debounce& of) {
  v.value(Spec{.name = "period",
               .meaning = "wait until the case was quiet for this long",
               .presence = Presence::required,
               .least = in_us(1ms)},
          of.period);
  v.value(Spec{.name = "timeout", .meaning = "but never longer than this; 0s: ten periods"},
          of.timeout);
}

template <class Visitor>
void describe(Visitor& v, Batch& of) {
  v.value(Spec{.name = "max_size",
               .meaning = "events that make a batch full",
               .least = 1,
               .most = 10'000},
          of.max_size);
  v.value(Spec{.name = "timeout",
               .meaning = "a batch that is not full is taken after this",
               .least = in_us(1ms)},
          of.timeout);
}

template <class Visitor>
void describe(Visitor& v, Throttle& of) {
  v.value(Spec{.name = "count", .meaning = "wakes in a period", .least = 1}, of.count);
  v.value(Spec{.name = "period", .meaning = "length of the period", .least = in_us(1ms)},
          of.period);
}

template <class Visitor>
void describe(Visitor& v, ActiveHours& of) {
  v.value(Spec{.name = "days", .meaning = "\"mon\" to \"sun\", or 1 (Monday) to 7", .least = 1},
          of.days);
  v.value(Spec{.name = "from", .meaning = "start, local to tz", .form = Form::clock},
          of.from_minute);
  v.value(Spec{.name = "to",
               .meaning = "end; earlier than from: over midnight, into the next day",
               .form = Form::clock},
          of.to_minute);
  v.value(Spec{.name = "tz", .meaning = "zone of from, to and days", .form = Form::zone}, of.tz);
}

template <class Visitor>
void describe(Visitor& v, Reactivity& of) {
  v.table(Spec{.name = "debounce", .meaning = "wake once a burst is over"}, of.debounce);
  v.table(Spec{.name = "batch", .meaning = "wake with many events at once"}, of.batch);
  v.table(Spec{.name = "throttle", .meaning = "over it, events wait for one later wake"},
          of.throttle);
  v.value(Spec{.name = "cooldown", .meaning = "silence after a decision that acted"}, of.cooldown);
  v.value(Spec{.name = "concurrency", .meaning = "swarms of this entity at once", .least = 1},
          of.concurrency);
  v.table(Spec{.name = "active_hours", .meaning = "outside of them events wait"}, of.active_hours);
  v.value(Spec{.name = "cancel_on",
               .meaning = "types of events that cancel the running swarm of their case",
               .form = Form::pattern},
          of.cancel_on);
}

template <class Visitor>
void describe(Visitor& v, Budget& of) {
  v.value(Spec{.name = "tokens", .meaning = "model tokens a day; 0: no limit"}, of.tokens);
  v.value(Spec{.name = "money_cents", .meaning = "cost a day, in cents; 0: no limit"},
          of.money_cents);
  v.value(Spec{.name = "compute", .meaning = "sum of task times a day; 0s: no limit"}, of.compute);
  v.value(
      Spec{.name = "notifications", .meaning = "actions a day that a person will see; 0: no limit"},
      of.notifications);
  v.value(Spec{.name = "swarms", .meaning = "swarms a day; 0: no limit"}, of.swarms);
  v.table(Spec{.name = "case", .meaning = "the same for each case by itself"}, of.of_case);
}

template <class Visitor>
void describe(Visitor& v, Command& of) {
  v.value(Spec{.name = "name",
               .meaning = "what the review calls it",
               .presence = Presence::required,
               .form = Form::task_name},
          of.name);
  v.value(Spec{.name = "argv",
               .meaning = "runs in the working tree; no shell",
               .presence = Presence::required,
               .form = Form::argv,
               .least = 1},
          of.argv);
  v.value(Spec{.name = "timeout", .meaning = "time for one run", .least = in_us(100ms)},
          of.timeout);
  v.value(Spec{.name = "paths",
               .meaning = "globs: runs only when a changed path matches one; empty: always"},
          of.paths);
  v.value(Spec{.name = "reports", .meaning = "globs: test reports it leaves, told test by test"},
          of.reports);
}

template <class Visitor>
void describe(Visitor& v, Codebase& of) {
  v.value(Spec{.name = "repository",
               .meaning = "a local clone",
               .presence = Presence::required,
               .form = Form::path},
          of.repository);
  v.value(Spec{.name = "branch", .meaning = "the branch others merge into; empty: that of HEAD"},
          of.branch);
  v.value(Spec{.name = "analysers",
               .meaning = "names of the analysers to run; empty: all",
               .form = Form::task_name},
          of.analysers);
  v.value(Spec{.name = "large_file_bytes",
               .meaning = "from this size on a new file is a finding",
               .least = 1},
          of.large_file_bytes);
  v.value(Spec{.name = "advisories",
               .meaning = "OSV advisories for changed dependencies; empty: they are not looked at",
               .form = Form::path},
          of.advisories);
  v.value(Spec{.name = "advisories_index",
               .meaning = "a file where what was read of them is kept; empty: read each time",
               .form = Form::path},
          of.advisories_index);
  v.value(Spec{.name = "orders_from",
               .meaning = "logins whose orders in comments count beside those of members"},
          of.orders_from);
  v.value(Spec{.name = "ignore_paths", .meaning = "globs of paths whose findings are dropped"},
          of.ignore_paths);
  v.tables(Spec{.name = "command", .meaning = "the repository's own checks"}, of.commands);
  v.value(Spec{.name = "report_sink",
               .meaning = "sink that gets the reviews; empty: they are only remembered",
               .form = Form::name},
          of.report_sink);
  v.value(Spec{.name = "status_sink",
               .meaning = "sink that gets the commit statuses; empty: none",
               .form = Form::name},
          of.status_sink);
  v.value(Spec{.name = "digest_sink",
               .meaning = "sink that gets the digests; empty: they are only remembered",
               .form = Form::name},
          of.digest_sink);
  v.table(Spec{.name = "upgrades", .meaning = "proposes upgrades of what it is pinned to"},
          of.upgrades);
  v.table(Spec{.name = "red_builds", .meaning = "looks into commands that fail on the branch"},
          of.red_builds);
}

template <class Visitor>
void describe(Visitor& v, RuleVerify& of) {
  v.value(Spec{.name = "argv",
               .meaning = "program and arguments; all but the first may hold {{expressions}}",
               .form = Form::program},
          of.argv);
  v.value(
      Spec{.name = "builtin", .meaning = "or an analyser of vigil-task", .form = Form::task_name},
      of.builtin);
  v.value(Spec{.name = "input", .meaning = "given to it as JSON; texts may hold {{expressions}}"},
          of.input);
  v.value(Spec{.name = "timeout", .meaning = "time to judge one result", .least = in_us(100ms)},
          of.timeout);
  v.value(Spec{.name = "sandbox",
               .meaning = "as of a task; never less contained than the task it judges",
               .choices = sandboxes},
          of.sandbox);
}

// What makes a task more than one command run once: docs/plans.md explains each.
template <class Visitor>
void describe_choices(Visitor& v, RuleTask& of) {
  v.value(Spec{.name = "reduce",
               .meaning = "or a reducer: makes one result of those it needs",
               .form = Form::task_name},
          of.reduce);
  v.value(Spec{.name = "needs_interface",
               .meaning = "tasks it may start beside, once they have published an interface",
               .form = Form::task_name},
          of.needs_interface);
  v.value(
      Spec{.name = "for_each",
           .meaning = "runs once per item of a list: input.MEMBER, or TASK.MEMBER of its needs"},
      of.for_each);
  v.value(Spec{.name = "spawn_max",
               .meaning = "how many tasks it may add while it runs",
               .most = 100'000},
          of.spawn_max);
  v.value(Spec{.name = "planner", .meaning = "its result is a list of tasks to run"}, of.planner);
  v.value(Spec{.name = "variants",
               .meaning = "attempts side by side; the first that ends well wins",
               .least = 1,
               .most = 16},
          of.variants);
  v.value(Spec{.name = "hedge", .meaning = "gets a second attempt beside one that takes very long"},
          of.hedge);
  v.value(
      Spec{.name = "cache", .meaning = "may take the result of an earlier task that was the same"},
      of.cache);
  v.value(Spec{.name = "digest",
               .meaning = "what else its result depends on; may hold {{expressions}}"},
          of.digest);
  v.table(Spec{.name = "verify", .meaning = "a command that judges its result"}, of.verify);
  v.table(Spec{.name = "ask", .meaning = "or a question to a model"}, of.ask);
  v.table(Spec{.name = "agent", .meaning = "or work for an agent"}, of.agent);
}

template <class Visitor>
void describe(Visitor& v, RuleTask& of) {
  v.value(Spec{.name = "name",
               .meaning = "unique in its rule",
               .presence = Presence::required,
               .form = Form::task_name},
          of.name);
  v.value(Spec{.name = "argv",
               .meaning = "program and arguments; all but the first may hold {{expressions}}",
               .form = Form::program},
          of.argv);
  v.value(
      Spec{.name = "builtin",
           .meaning = "or an analyser of vigil-task; exactly one of argv, builtin, reduce, ask and "
                      "agent",
           .form = Form::task_name},
      of.builtin);
  v.value(Spec{.name = "input", .meaning = "given to it as JSON; texts may hold {{expressions}}"},
          of.input);
  v.value(Spec{.name = "needs",
               .meaning = "tasks whose results it gets and waits for",
               .form = Form::task_name},
          of.needs);
  v.value(Spec{.name = "timeout", .meaning = "time for one attempt", .least = in_us(100ms)},
          of.timeout);
  v.value(Spec{.name = "retries", .meaning = "attempts after the first", .most = 100}, of.retries);
  v.value(Spec{.name = "sandbox",
               .meaning = "strict: no network, own directory; net: with network; none: as vigild",
               .choices = sandboxes},
          of.sandbox);
  describe_choices(v, of);
}

template <class Visitor>
void describe(Visitor& v, RuleAction& of) {
  v.value(Spec{.name = "sink",
               .meaning = "where it goes",
               .presence = Presence::required,
               .form = Form::name},
          of.sink);
  v.value(Spec{.name = "on",
               .meaning = "at once, or when the tasks have ended: report is either, ok, failed",
               .choices = action_moments},
          of.on);
  v.value(Spec{.name = "kind", .meaning = "class of the action, for autonomy", .form = Form::name},
          of.kind);
  v.value(Spec{.name = "payload", .meaning = "what is sent; texts may hold {{expressions}}"},
          of.payload);
}

template <class Visitor>
void describe(Visitor& v, Rule& of) {
  v.value(Spec{.name = "name",
               .meaning = "unique in its entity; the ledger names it",
               .presence = Presence::required,
               .form = Form::name},
          of.name);
  v.value(Spec{.name = "match", .meaning = "field matches; none: every event"}, of.match);
  v.value(Spec{.name = "when", .meaning = "a Lua expression over event; empty: true"}, of.when);
  v.value(Spec{.name = "remember",
               .meaning = "an episode to remember, with {{expressions}}; empty: none"},
          of.remember);
  v.value(
      Spec{.name = "on_failure",
           .meaning = "of a task: go on with the rest, stop it, or also run what can do without",
           .choices = failure_choices},
      of.on_failure);
  v.tables(Spec{.name = "task", .meaning = "what to run, side by side as far as needs allow"},
           of.tasks);
  v.tables(Spec{.name = "action", .meaning = "what to do outside"}, of.actions);
}

template <class Visitor>
void describe(Visitor& v, Process& of) {
  v.value(Spec{.name = "argv",
               .meaning = "a child that stays up and answers a JSON line with a JSON line",
               .presence = Presence::required,
               .form = Form::program,
               .least = 1},
          of.argv);
  v.value(Spec{.name = "timeout", .meaning = "time for one answer", .least = in_us(10ms)},
          of.timeout);
  v.value(Spec{.name = "workdir",
               .meaning = "where it runs; empty: a directory of its own",
               .form = Form::path},
          of.workdir);
  v.value(Spec{.name = "restart_backoff",
               .meaning = "pause before a restart, doubled up to 5m",
               .least = in_us(10ms),
               .most = in_us(5min)},
          of.restart_backoff);
  v.value(Spec{.name = "case_path",
               .meaning = "where the event says which case it belongs to",
               .form = Form::dotted_path},
          of.case_path);
  v.value(Spec{.name = "secrets",
               .meaning = "of a variable of its environment the secret that it holds",
               .form = Form::variable},
          of.secrets);
}

// What stands in the table that has the `kind`: its own keys, or a table named after it.
template <class Visitor, class Kind>
void describe_kind(Visitor& v, Kind& of) {
  describe(v, of);
}
template <class Visitor>
void describe_kind(Visitor& v, Boxed<Codebase>& of) {
  v.table(Spec{.name = "codebase", .meaning = "a repository that is watched over"}, of);
}
template <class Visitor>
void describe_kind(Visitor& v, Rules& of) {
  v.value(Spec{.name = "case_key",
               .meaning = "events for which this template gives the same text share a case"},
          of.case_key);
  v.tables(Spec{.name = "rule", .meaning = "the first one that matches decides", .least = 1},
           of.rules);
}
template <class Visitor>
void describe_kind(Visitor& v, Process& of) {
  v.table(Spec{.name = "process", .meaning = "a guardian in another language"}, of);
}

template <class Visitor>
void describe(Visitor& v, Entity& of) {
  v.value(Spec{.name = "role", .meaning = "for people: what it is for"}, of.role);
  v.value(Spec{.name = "expect_every",
               .meaning = "something it cares about must come this often: a longer silence is an "
                          "event `vigil.silence` of source `vigil`; 0s: any time"},
          of.expect_every);
  v.value(Spec{.name = "autonomy",
               .meaning = "observe: only remembers; propose: asks before it acts; act: acts"},
          of.autonomy);
  v.value(Spec{.name = "autonomy_of",
               .meaning = "[entity.NAME.autonomy_of]: the same for single classes of actions",
               .form = Form::name},
          of.autonomy_of);
  v.tables(Spec{.name = "on", .meaning = "which events it hears; at least one", .least = 1}, of.on);
  v.table(Spec{.name = "reactivity", .meaning = "how quickly a case reacts"}, of.reactivity);
  v.table(Spec{.name = "budget", .meaning = "what it may use in a day"}, of.budget);
  v.table(Spec{.name = "advice", .meaning = "which models it may ask, and about what"}, of.advice);
  of.kind = v.kinds(entity_kinds, of.of);
}

// What a file in entities.d may hold.
template <class Visitor>
void describe_names(Visitor& v, Settings& of) {
  v.named(Spec{.name = "source", .meaning = "where events come from"}, of.sources);
  v.named(Spec{.name = "sink", .meaning = "where actions go"}, of.sinks);
  v.named(Spec{.name = "entity", .meaning = "an inhabitant"}, of.entities);
}

template <class Visitor>
void describe(Visitor& v, Settings& of) {
  v.table(Spec{.name = "daemon", .meaning = "the process"}, of.daemon);
  v.table(Spec{.name = "admin", .meaning = "who may ask it for what"}, of.admin);
  v.table(Spec{.name = "http", .meaning = "the webhook door"}, of.http);
  v.table(Spec{.name = "outgoing", .meaning = "where requests may go"}, of.outgoing);
  v.table(Spec{.name = "storage", .meaning = "the database"}, of.storage);
  v.table(Spec{.name = "swarm", .meaning = "limits of all tasks"}, of.swarm);
  v.table(Spec{.name = "budget", .meaning = "what all entities together may use"}, of.budget);
  v.table(Spec{.name = "planning", .meaning = "bounds of what a model plans"}, of.planning);
  v.table(Spec{.name = "approvals", .meaning = "how proposals are answered"}, of.approvals);
  v.table(Spec{.name = "memory", .meaning = "how memories mature"}, of.memory);
  v.named(Spec{.name = "model", .meaning = "one that may be asked"}, of.models);
  v.named(Spec{.name = "agent", .meaning = "a program with a mind of its own"}, of.agents);
  v.named(Spec{.name = "mcp", .meaning = "tools of others"}, of.mcp);
  describe_names(v, of);
}

}  // namespace vigil::config
