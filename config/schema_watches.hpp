#pragma once
// Every key of [[entity.NAME.ops.watch]] and [[entity.NAME.ops.scale]]. See schema.hpp.
#include "config/schema.hpp"

namespace vigil::config {

template <class Visitor>
void describe(Visitor& v, OpsWatchRule& of) {
  v.value(Spec{.name = "name",
               .meaning = "name of the alert; empty: that of the reading",
               .form = Form::task_name},
          of.name);
  v.value(Spec{.name = "reading",
               .meaning = "name of a reading, and matchers of its labels: disk.free{mount=\"/\"}",
               .presence = Presence::required},
          of.reading);
  v.value(Spec{.name = "above", .meaning = "fires while the value is more"}, of.above);
  v.value(Spec{.name = "below", .meaning = "fires while the value is less"}, of.below);
  v.value(Spec{.name = "clear",
               .meaning = "once it fires, it resolves only when the value has come back to this"},
          of.clear);
  v.value(Spec{.name = "anomaly", .meaning = "fires when the value is unusual for its series"},
          of.anomaly);
  v.value(Spec{.name = "change_above",
               .meaning = "fires when the value has changed by more than so many percent"},
          of.change_above);
  v.value(Spec{.name = "rise_above",
               .meaning = "fires when a value that only grows has grown by more than this within "
                          "change_within; one that starts anew counts from 0"},
          of.rise_above);
  v.value(Spec{.name = "change_within",
               .meaning = "against the oldest value that is not older than this",
               .least = in_us(1s)},
          of.change_within);
  v.value(Spec{.name = "full_within",
               .meaning = "fires when the value is on its way to `limit` and there so soon",
               .least = in_us(1s)},
          of.full_within);
  v.value(Spec{.name = "limit", .meaning = "of full_within"}, of.limit);
  v.value(Spec{.name = "for", .meaning = "only after it was so for this long"}, of.lasts);
  v.value(Spec{.name = "hold", .meaning = "how long an anomaly counts as one", .least = in_us(1s)},
          of.hold);
  v.value(Spec{.name = "severity", .meaning = "of the alert", .choices = severities}, of.severity);
}

template <class Visitor>
void describe(Visitor& v, OpsWatch& of) {
  v.value(Spec{.name = "name",
               .meaning = "unique in its entity; its case is watch:NAME",
               .presence = Presence::required,
               .form = Form::name},
          of.name);
  v.value(Spec{.name = "every", .meaning = "how often it looks", .least = in_us(1s)}, of.every);
  v.value(Spec{.name = "analyser",
               .meaning = "one that gives readings, as `vigil-task list` names "
                          "it; with argv it reads what the program prints"},
          of.analyser);
  v.value(Spec{.name = "input", .meaning = "given to the analyser"}, of.input);
  v.value(Spec{.name = "argv",
               .meaning = "a program that prints readings, a number, or what a Nagios plugin "
                          "prints; no shell",
               .form = Form::program},
          of.argv);
  v.value(Spec{.name = "read_paths", .meaning = "what it may read under containment"},
          of.read_paths);
  v.value(Spec{.name = "sandbox",
               .meaning = "strict: no network, own directory; net: with network; none: as vigild",
               .choices = sandboxes},
          of.sandbox);
  v.value(Spec{.name = "timeout", .meaning = "time for one look", .least = in_us(100ms)},
          of.timeout);
  v.value(Spec{.name = "missing_after",
               .meaning = "so many times `every` without a reading are an alert; 0: never",
               .most = 1000},
          of.missing_after);
  v.value(Spec{.name = "failing",
               .meaning = "severity of the alert when it could not look twice in a row",
               .choices = severities},
          of.failing);
  v.tables(Spec{.name = "rule", .meaning = "what of the readings is an alert"}, of.rules);
}

template <class Visitor>
void describe(Visitor& v, OpsScale& of) {
  v.value(Spec{.name = "name",
               .meaning = "unique in its entity",
               .presence = Presence::required,
               .form = Form::name},
          of.name);
  v.value(Spec{.name = "watch",
               .meaning = "whose readings it follows",
               .presence = Presence::required,
               .form = Form::name},
          of.watch);
  v.value(Spec{.name = "reading",
               .meaning = "as of a rule; of several series the largest counts",
               .presence = Presence::required},
          of.reading);
  v.value(Spec{.name = "up_above",
               .meaning = "grows when the value is more",
               .presence = Presence::required},
          of.up_above);
  v.value(Spec{.name = "down_below",
               .meaning = "shrinks when the value is less",
               .presence = Presence::required},
          of.down_below);
  v.value(Spec{.name = "for", .meaning = "only after it was so for this long"}, of.lasts);
  v.value(Spec{.name = "cooldown", .meaning = "after a change nothing is changed for this long"},
          of.cooldown);
  v.value(Spec{.name = "min", .meaning = "smallest size", .least = 0}, of.min);
  v.value(Spec{.name = "max", .meaning = "largest size", .least = 1}, of.max);
  v.value(Spec{.name = "step", .meaning = "of one change", .least = 1}, of.step);
  v.value(Spec{.name = "per_hour_max", .meaning = "changes in an hour", .least = 1},
          of.per_hour_max);
  v.value(Spec{.name = "size", .meaning = "the reading of the same watch that is the present size"},
          of.size);
  v.value(Spec{.name = "argv",
               .meaning = "or a program that prints the present size; no shell",
               .form = Form::program},
          of.argv);
  v.value(Spec{.name = "sandbox", .meaning = "of argv", .choices = sandboxes}, of.sandbox);
  v.value(Spec{.name = "sink",
               .meaning = "gets the wish, as an action of class `scale`: a command or http sink",
               .presence = Presence::required,
               .form = Form::name},
          of.sink);
}

}  // namespace vigil::config
