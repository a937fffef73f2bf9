#pragma once
// Every key of [entity.NAME.ops]. See schema.hpp.
#include "config/schema.hpp"
#include "config/schema_watches.hpp"

namespace vigil::config {

template <class Visitor>
void describe(Visitor& v, OpsCommand& of) {
  v.value(Spec{.name = "name",
               .meaning = "what the bundle calls it; that of a built-in one replaces it",
               .presence = Presence::required,
               .form = Form::task_name},
          of.name);
  v.value(Spec{.name = "argv",
               .meaning = "no shell; {unit} {since} {until} {label:NAME} in all but the first; "
                          "empty: leaves the built-in one out",
               .form = Form::program},
          of.argv);
  v.value(Spec{.name = "match", .meaning = "matchers over labels; none: every incident"}, of.match);
  v.value(Spec{.name = "read_paths", .meaning = "what it may read under containment"},
          of.read_paths);
  v.value(Spec{.name = "timeout", .meaning = "time for one run", .least = in_us(100ms)},
          of.timeout);
  v.value(Spec{.name = "sandbox",
               .meaning = "strict: no network, own directory; net: with network; none: as vigild",
               .choices = sandboxes},
          of.sandbox);
}

template <class Visitor>
void describe(Visitor& v, OpsRunbook& of) {
  v.value(Spec{.name = "name",
               .meaning = "unique in its entity",
               .presence = Presence::required,
               .form = Form::task_name},
          of.name);
  v.value(Spec{.name = "match", .meaning = "matchers over labels; at least one", .least = 1},
          of.match);
  v.value(
      Spec{.name = "arguments", .meaning = "labels whose values it is given; all must be there"},
      of.arguments);
  v.value(
      Spec{.name = "argument_pattern", .meaning = "what such a value must look like, as a whole"},
      of.argument_pattern);
  v.value(Spec{.name = "check",
               .meaning = "argv that must end with 0 before it acts; {label:NAME} of its arguments "
                          "in all but the first; empty: none",
               .form = Form::program},
          of.check);
  v.value(Spec{.name = "sink",
               .meaning = "command sink that acts; gets the arguments as JSON",
               .presence = Presence::required,
               .form = Form::name},
          of.sink);
  v.value(Spec{.name = "verify_after", .meaning = "pause before it is verified"}, of.verify_after);
  v.value(Spec{.name = "verify",
               .meaning = "argv as of check; empty: the alerts must have resolved by then",
               .form = Form::program},
          of.verify);
  v.value(Spec{.name = "rollback_sink",
               .meaning = "command sink that undoes what did not verify; empty: none",
               .form = Form::name},
          of.rollback_sink);
  v.value(Spec{.name = "per_hour_max", .meaning = "runs in an hour for one case", .least = 1},
          of.per_hour_max);
  v.value(Spec{.name = "timeout", .meaning = "time for check and verify", .least = in_us(100ms)},
          of.timeout);
  v.value(Spec{.name = "sandbox", .meaning = "of check and verify", .choices = sandboxes},
          of.sandbox);
}

template <class Visitor>
void describe(Visitor& v, OpsSilence& of) {
  v.value(Spec{.name = "match", .meaning = "matchers over labels; all must hold", .least = 1},
          of.match);
  v.value(Spec{.name = "from", .meaning = "start; none: always was"}, of.from);
  v.value(Spec{.name = "until", .meaning = "end; none: for ever"}, of.until);
  v.value(Spec{.name = "why", .meaning = "for people"}, of.why);
}

template <class Visitor>
void describe(Visitor& v, OpsInhibit& of) {
  v.value(Spec{.name = "source", .meaning = "while an incident like this is open", .least = 1},
          of.source);
  v.value(Spec{.name = "target", .meaning = "nobody is told of those like that", .least = 1},
          of.target);
  v.value(Spec{.name = "equal", .meaning = "if these labels are the same in both"}, of.equal);
}

template <class Visitor>
void describe(Visitor& v, OpsCheck& of) {
  v.value(Spec{.name = "id",
               .meaning = "as it stands in the ping",
               .presence = Presence::required,
               .form = Form::name},
          of.id);
  v.value(Spec{.name = "every",
               .meaning = "how often a ping is expected",
               .presence = Presence::required,
               .least = in_us(1s)},
          of.every);
  v.value(Spec{.name = "grace", .meaning = "how late it may be"}, of.grace);
  v.value(Spec{.name = "run_max", .meaning = "from its start to its end; 0s: any time"},
          of.run_max);
  v.value(Spec{.name = "severity", .meaning = "of its incidents", .choices = severities},
          of.severity);
}

template <class Visitor>
void describe_lists(Visitor& v, Ops& of) {
  v.tables(Spec{.name = "evidence", .meaning = "what is looked at when an incident begins"},
           of.evidence);
  v.tables(Spec{.name = "runbook", .meaning = "what may be done about one"}, of.runbooks);
  v.tables(Spec{.name = "silence", .meaning = "alerts nobody is told of"}, of.silences);
  v.tables(Spec{.name = "inhibit", .meaning = "alerts that another one explains"}, of.inhibits);
  v.tables(Spec{.name = "check", .meaning = "jobs that must report"}, of.checks);
  v.tables(Spec{.name = "watch", .meaning = "what is looked at on a schedule"}, of.watches);
  v.tables(Spec{.name = "scale", .meaning = "what may grow or shrink with a reading"}, of.scales);
}

template <class Visitor>
void describe(Visitor& v, Ops& of) {
  v.value(Spec{.name = "group_by",
               .meaning = "labels that make a case; those that are there count",
               .least = 1},
          of.group_by);
  v.value(Spec{.name = "report_sink",
               .meaning = "gets one message for each incident; empty: only remembered",
               .form = Form::name},
          of.report_sink);
  v.value(Spec{.name = "escalation_sink",
               .meaning = "gets what nobody acknowledged; empty: report_sink",
               .form = Form::name},
          of.escalation_sink);
  v.value(Spec{.name = "tell_from",
               .meaning = "incidents below this severity are only remembered",
               .choices = severities},
          of.tell_from);
  v.value(Spec{.name = "escalate_after", .meaning = "without an acknowledgement; 0s: never"},
          of.escalate_after);
  v.value(Spec{.name = "escalations_max", .meaning = "for one incident", .most = 100},
          of.escalations_max);
  v.value(Spec{.name = "remind_every", .meaning = "while it fires, acknowledged or not; 0s: never"},
          of.remind_every);
  v.value(Spec{.name = "settle", .meaning = "quiet for this long it is over"}, of.settle);
  v.value(Spec{.name = "flap_changes",
               .meaning = "so many changes between firing and resolved are flapping",
               .least = 2},
          of.flap_changes);
  v.value(Spec{.name = "flap_window", .meaning = "within this time", .least = in_us(1s)},
          of.flap_window);
  v.value(Spec{.name = "investigate", .meaning = "gather evidence when an incident begins"},
          of.investigate);
  v.value(
      Spec{.name = "unit_labels", .meaning = "labels that may name a unit of the service manager"},
      of.unit_labels);
  v.value(Spec{.name = "repositories",
               .meaning = "local clones whose latest commits are evidence",
               .form = Form::path},
          of.repositories);
  describe_lists(v, of);
}

template <class Visitor>
void describe_kind(Visitor& v, Boxed<Ops>& of) {
  v.table(Spec{.name = "ops", .meaning = "alerts that are watched over"}, of);
}

}  // namespace vigil::config
