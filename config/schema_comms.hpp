#pragma once
// Every key of [entity.NAME.comms]. See schema.hpp.
#include "config/schema.hpp"

namespace vigil::config {

inline constexpr std::array<std::string_view, 3> tellings{"everything", "important", "nothing"};

template <class Visitor>
void describe_tests(Visitor& v, CommsRule& of) {
  v.value(Spec{.name = "from", .meaning = "the sender: texts with *, or ~ and an expression"},
          of.from);
  v.value(Spec{.name = "to", .meaning = "somebody it went to, or a copy"}, of.to);
  v.value(Spec{.name = "list", .meaning = "the List-Id, without brackets"}, of.list);
  v.value(Spec{.name = "subject", .meaning = "the subject"}, of.subject);
  v.value(Spec{.name = "header",
               .meaning = "headers and what they hold; all of them",
               .form = Form::header_name},
          of.header);
  v.value(Spec{.name = "attachment", .meaning = "name or type of an attachment"}, of.attachment);
  v.value(Spec{.name = "kind",
               .meaning = "who wrote it: person, list, bulk, auto_reply, bounce, receipt"},
          of.kind);
  v.value(
      Spec{.name = "auth", .meaning = "what a trusted server says of the sender: pass, fail, none"},
      of.auth);
  v.value(Spec{.name = "class", .meaning = "what triage says"}, of.in_class);
  v.value(Spec{.name = "size_above", .meaning = "larger than this; 0B: any"}, of.size_above);
  v.value(Spec{.name = "size_below", .meaning = "smaller than this; 0B: any"}, of.size_below);
}

template <class Visitor>
void describe(Visitor& v, CommsRule& of) {
  v.value(Spec{.name = "name",
               .meaning = "unique in its entity; the ledger names it",
               .presence = Presence::required,
               .form = Form::name},
          of.name);
  describe_tests(v, of);
  v.value(Spec{.name = "flag", .meaning = "flags to set, such as \\Seen"}, of.flag);
  v.value(Spec{.name = "unflag", .meaning = "flags to take away"}, of.unflag);
  v.value(Spec{.name = "label", .meaning = "labels to put on it"}, of.label);
  v.value(Spec{.name = "unlabel", .meaning = "labels to take off"}, of.unlabel);
  v.value(Spec{.name = "move", .meaning = "folder to move it to; empty: it stays"}, of.move);
  v.value(Spec{.name = "draft", .meaning = "text of an answer to put into Drafts; empty: none"},
          of.draft);
  v.value(Spec{.name = "send",
               .meaning = "text of an answer to send, once somebody agrees; empty: none"},
          of.send);
  v.value(Spec{.name = "forward", .meaning = "addresses to forward it to, once somebody agrees"},
          of.forward);
  v.value(Spec{.name = "delete", .meaning = "delete it, once somebody agrees"}, of.remove);
  v.value(Spec{.name = "notify", .meaning = "tell of it at once"}, of.notify);
  v.value(Spec{.name = "stop", .meaning = "the rules after it are not tried"}, of.stop);
}

template <class Visitor>
void describe_learning(Visitor& v, Comms& of) {
  v.value(Spec{.name = "triage_file",
               .meaning = "a file for what is learned of classes; empty: nothing is learned",
               .form = Form::path},
          of.triage_file);
  v.value(Spec{.name = "triage_sure", .meaning = "a class below this counts as unsure"},
          of.triage_sure);
  v.value(Spec{.name = "classes",
               .meaning = "[entity.NAME.comms.classes]: folders and the class of what is in them"},
          of.classes);
}

template <class Visitor>
void describe_telling(Visitor& v, Comms& of) {
  v.value(Spec{.name = "follow_up_after",
               .meaning = "a mail of yours without an answer is told of; 0s: never"},
          of.follow_up_after);
  v.value(Spec{.name = "answer_after",
               .meaning = "a question to you without an answer is told of; 0s: never"},
          of.answer_after);
  v.value(Spec{.name = "promise_before",
               .meaning = "a promise of yours is told of so long before its time"},
          of.promise_before);
  v.value(Spec{.name = "brief_before",
               .meaning = "a meeting is told of so long before it begins; 0s: never"},
          of.brief_before);
  v.value(Spec{.name = "digest",
               .meaning = "times of day for what can wait; none: everything is told at once"},
          of.digest);
  v.value(Spec{.name = "quiet_hours",
               .meaning = "\"22:00-07:00\": nothing is told then; empty: learned"},
          of.quiet_hours);
  v.value(Spec{.name = "tell_at_once",
               .meaning = "what does not wait for the digest",
               .choices = tellings},
          of.tell_at_once);
  v.value(Spec{.name = "drafts_per_thread", .meaning = "answers drafted in one thread", .most = 20},
          of.drafts_per_thread);
  v.value(Spec{.name = "draft_answers",
               .meaning = "questions that remembered documents answer get an answer into Drafts"},
          of.draft_answers);
  v.value(Spec{.name = "index_mails",
               .meaning = "mails can be found by what they say, as documents can"},
          of.index_mails);
}

template <class Visitor>
void describe(Visitor& v, Comms& of) {
  v.value(Spec{.name = "addresses",
               .meaning = "mail addresses of the user",
               .presence = Presence::required,
               .least = 1},
          of.addresses);
  v.value(Spec{.name = "names", .meaning = "by which the user is addressed"}, of.names);
  v.value(Spec{.name = "tz", .meaning = "zone of the user", .form = Form::zone}, of.tz);
  v.value(Spec{.name = "mail_sink",
               .meaning = "sink that flags, labels, moves and drafts; empty: only remembered",
               .form = Form::name},
          of.mail_sink);
  v.value(Spec{.name = "send_sink",
               .meaning = "sink that sends and forwards, once somebody agrees; empty: not sent",
               .form = Form::name},
          of.send_sink);
  v.value(Spec{.name = "report_sink",
               .meaning = "gets notices, digests and briefs; empty: only remembered",
               .form = Form::name},
          of.report_sink);
  v.value(Spec{.name = "authserv_ids",
               .meaning = "servers whose Authentication-Results count; none: nobody's"},
          of.authserv_ids);
  v.value(Spec{.name = "protected_labels",
               .meaning = "mail with one of these is left as it is, and so are they"},
          of.protected_labels);
  describe_learning(v, of);
  describe_telling(v, of);
  v.tables(Spec{.name = "rule", .meaning = "tried in their order"}, of.rules);
}

template <class Visitor>
void describe_kind(Visitor& v, Boxed<Comms>& of) {
  v.table(Spec{.name = "comms", .meaning = "mail, chat and meetings that are watched over"}, of);
}

}  // namespace vigil::config
