#pragma once
// Keys of the sources that look for themselves: [source.NAME] kind = repository | poll. See
// schema.hpp.
#include "config/hearing.hpp"
#include "config/schema_streams.hpp"
#include "config/spec.hpp"
#include "config/words.hpp"

namespace vigil::config {

template <class Visitor>
void describe(Visitor& v, Repository& of) {
  v.value(Spec{.name = "path",
               .meaning = "folder of a repository on this machine, bare or with a work tree",
               .presence = Presence::required,
               .form = Form::path},
          of.path);
  v.value(
      Spec{.name = "name", .meaning = "what it is called, like octo/repo; empty: as its folder"},
      of.name);
  v.value(Spec{.name = "refs",
               .meaning = "refs whose changes are told",
               .form = Form::pattern,
               .least = 1,
               .most = 100},
          of.refs);
  v.value(Spec{.name = "type", .meaning = "type of its events", .form = Form::event_type}, of.type);
  v.value(Spec{.name = "settle",
               .meaning = "how long it must be quiet before it is read",
               .most = in_us(1min)},
          of.settle);
  v.value(Spec{.name = "every",
               .meaning = "read anyway after this, for file systems that notify nobody; 0s: never"},
          of.every);
  v.value(Spec{.name = "timeout", .meaning = "time for one reading", .least = in_us(1s)},
          of.timeout);
  v.value(Spec{.name = "commits_max",
               .meaning = "commits listed in one event; their number is told all the same",
               .most = 500},
          of.commits_max);
  v.value(Spec{.name = "backfill",
               .meaning = "at the very first look tell every ref that is there as created"},
          of.backfill);
}

template <class Visitor>
void describe_items(Visitor& v, Poll& of) {
  v.value(Spec{.name = "items",
               .meaning = "form items: where the list stands; empty: the document is the list",
               .form = Form::dotted_path},
          of.items);
  v.value(Spec{.name = "id",
               .meaning = "form items: where an item says which it is",
               .form = Form::dotted_path},
          of.id);
  v.value(Spec{.name = "type", .meaning = "type of its events", .form = Form::event_type}, of.type);
  v.value(Spec{.name = "type_path",
               .meaning = "where an item says what happened: the type is then TYPE.VALUE",
               .form = Form::dotted_path},
          of.type_path);
  v.value(Spec{.name = "subject_path",
               .meaning = "where an item says what it is about",
               .form = Form::dotted_path},
          of.subject_path);
  v.value(Spec{.name = "time_path",
               .meaning = "where an item says when it happened, as RFC 3339",
               .form = Form::dotted_path},
          of.time_path);
  v.value(Spec{.name = "newest_first",
               .meaning = "the order of the list; events are told oldest first"},
          of.newest_first);
  v.value(Spec{.name = "backfill", .meaning = "at the very first look tell all that is there"},
          of.backfill);
  v.value(Spec{.name = "remember",
               .meaning = "ids of items that are remembered; those in the list always are",
               .least = 1,
               .most = 1'000'000},
          of.remember);
  v.value(Spec{.name = "updates",
               .meaning = "form feed: tell an entry again when it says something else"},
          of.updates);
  v.table(Spec{.name = "table", .meaning = "form table: how rows say what they are"}, of.table);
}

template <class Visitor>
void describe(Visitor& v, Poll& of) {
  v.value(Spec{.name = "url",
               .meaning = "what is fetched",
               .presence = Presence::required,
               .form = Form::url},
          of.url);
  v.value(Spec{.name = "form", .meaning = "what the document is"}, of.form);
  v.value(Spec{.name = "every",
               .meaning = "time between two looks; the server may ask for more",
               .least = in_us(1s)},
          of.every);
  v.value(Spec{.name = "token", .meaning = "sent as Authorization: Bearer"}, of.token);
  v.value(Spec{.name = "headers",
               .meaning = "sent with each request; not the place for secrets",
               .form = Form::header_name},
          of.headers);
  describe_items(v, of);
  v.value(Spec{.name = "body_bytes_max",
               .meaning = "largest document",
               .least = 1024,
               .most = 64 * 1024 * 1024},
          of.body_bytes_max);
  v.value(Spec{.name = "timeout", .meaning = "time for one request", .least = in_us(100ms)},
          of.timeout);
}

}  // namespace vigil::config
