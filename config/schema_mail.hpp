#pragma once
// Keys of mail and chat: [source.NAME] kind = imap | maildir | lmtp | telegram and [sink.NAME] kind
// = imap | maildir | smtp | slack | telegram. See schema.hpp.
#include "config/mail.hpp"
#include "config/spec.hpp"
#include "config/words.hpp"

namespace vigil::config {

constexpr std::int64_t mail_bytes_most = 256 * 1024 * 1024;

template <class Visitor, class Of>
void describe_server(Visitor& v, Of& of, std::string_view port) {
  v.value(Spec{.name = "host", .meaning = "the server", .presence = Presence::required}, of.host);
  v.value(Spec{.name = "port", .meaning = port, .most = 65'535}, of.port);
  v.value(Spec{.name = "tls",
               .meaning = "the certificate and the name in it are always checked; none is for "
                          "loopback alone"},
          of.tls);
  v.value(Spec{.name = "user", .meaning = "who logs in"}, of.user);
  v.value(Spec{.name = "password", .meaning = "of the user"}, of.password);
  v.value(
      Spec{.name = "token",
           .meaning = "instead of a password: an OAuth 2.0 access token (XOAUTH2), read anew at "
                      "each login, so that another program may renew the file"},
      of.token);
  v.value(Spec{.name = "ca_file",
               .meaning = "PEM file of who may have signed the certificate; empty: whom this "
                          "machine trusts",
               .form = Form::path},
          of.ca_file);
  v.value(Spec{.name = "timeout", .meaning = "time for one answer", .least = in_us(1s)},
          of.timeout);
}

constexpr std::string_view imap_port = "0: 993 with tls = implicit, else 143";
constexpr std::string_view smtp_port = "0: 465 with tls = implicit, 587 with starttls, else 25";

template <class Visitor>
void describe(Visitor& v, ImapSource& of) {
  describe_server(v, of, imap_port);
  v.value(
      Spec{.name = "folders",
           .meaning = "the first is listened to, all are looked at; a move between them is told",
           .least = 1,
           .most = 100},
      of.folders);
  v.value(Spec{.name = "every",
               .meaning = "looks anyway after this, and this often where the server cannot be "
                          "listened to",
               .least = in_us(1s)},
          of.every);
  v.value(Spec{.name = "idle", .meaning = "listen with IDLE where the server has it"}, of.idle);
  v.value(Spec{.name = "backfill",
               .meaning = "at the very first look tell the newest so many of each folder",
               .most = 100'000},
          of.backfill);
  v.value(Spec{.name = "remember",
               .meaning = "newest messages of each folder whose moves and flags are noticed",
               .least = 10,
               .most = 100'000},
          of.remember);
  v.value(Spec{.name = "message_bytes_max",
               .meaning = "of a larger message only the beginning is read",
               .least = 16 * 1024,
               .most = mail_bytes_most},
          of.message_bytes_max);
}

template <class Visitor>
void describe(Visitor& v, MaildirSource& of) {
  v.value(Spec{.name = "path",
               .meaning = "a Maildir: it holds new, cur and tmp",
               .presence = Presence::required,
               .form = Form::path},
          of.path);
  v.value(
      Spec{.name = "folders",
           .meaning = "INBOX, and folders as Maildir++ has them: Archive is the directory .Archive",
           .least = 1,
           .most = 100},
      of.folders);
  v.value(Spec{.name = "every",
               .meaning = "looks anyway after this, for file systems that notify nobody",
               .least = in_us(1s)},
          of.every);
  v.value(Spec{.name = "backfill",
               .meaning = "at the very first look tell the newest so many of each folder",
               .most = 100'000},
          of.backfill);
  v.value(Spec{.name = "message_bytes_max",
               .meaning = "of a larger message only the beginning is read",
               .least = 16 * 1024,
               .most = mail_bytes_most},
          of.message_bytes_max);
}

template <class Visitor>
void describe(Visitor& v, LmtpSource& of) {
  v.value(Spec{.name = "listen",
               .meaning = "where an MTA delivers by LMTP: an absolute path of a unix socket, or a "
                          "loopback address such as 127.0.0.1:24",
               .presence = Presence::required,
               .takes = Takes::restart},
          of.listen);
  v.value(
      Spec{
          .name = "recipients", .meaning = "whose mail is taken; empty: everybody's", .most = 1000},
      of.recipients);
  v.value(Spec{.name = "message_bytes_max",
               .meaning = "a larger message is refused",
               .least = 16 * 1024,
               .most = mail_bytes_most},
          of.message_bytes_max);
  v.value(Spec{.name = "connections_max", .meaning = "clients at once", .least = 1, .most = 1000},
          of.connections_max);
  v.value(Spec{.name = "timeout", .meaning = "of a silent client", .least = in_us(1s)}, of.timeout);
}

template <class Visitor, class Of>
void describe_telegram(Visitor& v, Of& of) {
  v.value(Spec{.name = "base_url", .meaning = "of the Bot API", .form = Form::url}, of.base_url);
  v.value(Spec{.name = "token", .meaning = "of the bot", .presence = Presence::required}, of.token);
}

template <class Visitor>
void describe(Visitor& v, TelegramSource& of) {
  describe_telegram(v, of);
  v.value(Spec{.name = "chats",
               .meaning = "ids of chats that are listened to; empty: all",
               .most = 1000},
          of.chats);
  v.value(Spec{.name = "wait",
               .meaning = "how long one look stays open when there is nothing new",
               .least = in_us(0s),
               .most = in_us(5min)},
          of.wait);
}

template <class Visitor>
void describe(Visitor& v, ImapSink& of) {
  describe_server(v, of, imap_port);
  v.value(Spec{.name = "drafts", .meaning = "folder of drafts"}, of.drafts);
  v.value(Spec{.name = "folders",
               .meaning = "patterns of folders that messages may be moved to; empty: all",
               .most = 100},
          of.folders);
  v.value(Spec{.name = "protected_folders",
               .meaning = "patterns of folders whose messages are never touched",
               .most = 100},
          of.protected_folders);
}

template <class Visitor>
void describe(Visitor& v, MaildirSink& of) {
  v.value(Spec{.name = "path",
               .meaning = "a Maildir: it holds new, cur and tmp",
               .presence = Presence::required,
               .form = Form::path},
          of.path);
  v.value(Spec{.name = "drafts", .meaning = "folder of drafts"}, of.drafts);
}

template <class Visitor>
void describe(Visitor& v, SmtpSink& of) {
  describe_server(v, of, smtp_port);
  v.value(Spec{.name = "from",
               .meaning = "the sender, as it stands in the message",
               .presence = Presence::required},
          of.from);
  v.value(Spec{.name = "to",
               .meaning = "patterns of addresses that may be written to: me@example.org, "
                          "*@example.org",
               .presence = Presence::required,
               .least = 1,
               .most = 1000},
          of.to);
  v.value(Spec{.name = "per_hour_max", .meaning = "messages in an hour", .least = 1},
          of.per_hour_max);
}

template <class Visitor>
void describe(Visitor& v, SlackSink& of) {
  v.value(Spec{.name = "base_url", .meaning = "of the Web API", .form = Form::url}, of.base_url);
  v.value(Spec{.name = "token",
               .meaning = "of the bot (xoxb-), which may write (chat:write)",
               .presence = Presence::required},
          of.token);
  v.value(Spec{.name = "channel", .meaning = "where it writes, unless the payload says"},
          of.channel);
  v.value(Spec{.name = "timeout", .meaning = "time for one attempt", .least = in_us(100ms)},
          of.timeout);
}

template <class Visitor>
void describe(Visitor& v, TelegramSink& of) {
  describe_telegram(v, of);
  v.value(Spec{.name = "chat", .meaning = "where it writes, unless the payload says"}, of.chat);
  v.value(Spec{.name = "timeout", .meaning = "time for one attempt", .least = in_us(100ms)},
          of.timeout);
}

}  // namespace vigil::config
