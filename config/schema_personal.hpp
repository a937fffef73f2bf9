#pragma once
// Keys of [source.NAME] kind = calendar | documents. See schema.hpp.
#include "config/personal.hpp"
#include "config/spec.hpp"
#include "config/words.hpp"

namespace vigil::config {

template <class Visitor>
void describe(Visitor& v, Calendar& of) {
  v.value(Spec{.name = "form", .meaning = "where the calendar is"}, of.form);
  v.value(Spec{.name = "path",
               .meaning = "form file: an iCalendar file, or a folder of .ics files",
               .form = Form::path},
          of.path);
  v.value(Spec{.name = "url",
               .meaning = "forms http and caldav: of the file, or of the collection",
               .form = Form::url},
          of.url);
  v.value(Spec{.name = "user", .meaning = "forms http and caldav: who asks"}, of.user);
  v.value(Spec{.name = "password", .meaning = "of that user"}, of.password);
  v.value(
      Spec{
          .name = "tz", .meaning = "zone of times that have none of their own", .form = Form::zone},
      of.tz);
  v.value(Spec{.name = "soon",
               .meaning = "how long before an occurrence calendar.soon is told; several are told "
                          "each; none: never",
               .most = 10},
          of.soon);
  v.value(Spec{.name = "look_ahead",
               .meaning = "occurrences within this time are known",
               .least = in_us(std::chrono::hours{48}),
               .most = in_us(std::chrono::hours{24 * 400})},
          of.look_ahead);
  v.value(Spec{.name = "every",
               .meaning = "time between two looks; a file that changes is read at once",
               .least = in_us(std::chrono::seconds{1})},
          of.every);
  v.value(Spec{.name = "backfill", .meaning = "at the very first look tell all that is coming"},
          of.backfill);
  v.value(Spec{.name = "body_bytes_max",
               .meaning = "largest calendar, all its resources together",
               .least = 1024,
               .most = 16 * 1024 * 1024},
          of.body_bytes_max);
  v.value(Spec{.name = "timeout",
               .meaning = "time for one request, and for one reading",
               .least = in_us(std::chrono::milliseconds{100})},
          of.timeout);
}

template <class Visitor>
void describe(Visitor& v, Documents& of) {
  v.value(Spec{.name = "path",
               .meaning = "the folder; what lies in folders within it counts",
               .presence = Presence::required,
               .form = Form::path},
          of.path);
  v.value(Spec{.name = "entity",
               .meaning = "the entity that remembers them",
               .presence = Presence::required,
               .form = Form::name},
          of.entity);
  v.value(Spec{.name = "suffixes",
               .meaning = "ends of the names that are read: md, txt, html, htm, pdf",
               .least = 1,
               .most = 20},
          of.suffixes);
  v.value(Spec{.name = "ignore",
               .meaning = "names of files and folders that are passed over",
               .form = Form::pattern,
               .most = 100},
          of.ignore);
  v.value(Spec{.name = "every",
               .meaning = "looked at anyway after this; a change is noticed at once",
               .least = in_us(std::chrono::seconds{1})},
          of.every);
  v.value(Spec{.name = "file_bytes_max",
               .meaning = "a larger file is passed over",
               .least = 1024,
               .most = 64 * 1024 * 1024},
          of.file_bytes_max);
  v.value(Spec{.name = "files_max",
               .meaning = "more files than this are left out",
               .least = 1,
               .most = 100'000},
          of.files_max);
  v.value(Spec{.name = "timeout",
               .meaning = "time for one reading",
               .least = in_us(std::chrono::seconds{1})},
          of.timeout);
}

}  // namespace vigil::config
