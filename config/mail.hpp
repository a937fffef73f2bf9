#pragma once
// Mail and chat: accounts that are listened to ([source.NAME] kind = imap | maildir | lmtp |
// telegram) and acted in ([sink.NAME] kind = imap | maildir | smtp | slack | telegram). Plain
// values; settings.hpp holds them.
#include <optional>
#include <string>
#include <vector>

#include "config/secret.hpp"
#include "core/time.hpp"

namespace vigil::config {

using namespace std::chrono_literals;

enum class MailTls { implicit, starttls, none };  // none: on loopback alone

// An account on an IMAP server.
struct MailAccount {
  std::string host;
  int port = 0;  // 0: 993 with tls = implicit, else 143
  MailTls tls = MailTls::implicit;
  std::string user;
  std::optional<SecretRef> password;
  std::optional<SecretRef> token;  // OAuth 2.0; read anew at each login, as it is short-lived
  std::string ca_file;             // empty: whom this machine trusts
  Duration timeout = 30s;          // of one answer
};

struct ImapSource : MailAccount {
  std::vector<std::string> folders = {"INBOX"};  // the first one is listened to, all are looked at
  Duration every = 5min;
  bool idle = true;  // IDLE, where the server has it
  int backfill = 0;  // at the very first look tell the newest so many of each folder
  int remember = 2000;
  std::size_t message_bytes_max = 1024 * 1024;
};

struct MaildirSource {
  std::string path;
  std::vector<std::string> folders = {"INBOX"};  // as Maildir++ has them: Archive is .Archive
  Duration every = 5min;
  int backfill = 0;
  std::size_t message_bytes_max = 1024 * 1024;
};

struct LmtpSource {
  std::string listen;                   // path of a unix socket, or 127.0.0.1:24
  std::vector<std::string> recipients;  // patterns; empty: all
  std::size_t message_bytes_max = 25 * 1024 * 1024;
  int connections_max = 64;
  Duration timeout = 5min;  // of a silent client
};

struct TelegramSource {
  std::string base_url = "https://api.telegram.org";
  SecretRef token;
  std::vector<std::string> chats;  // ids that are listened to; empty: all
  Duration wait = 50s;             // how long one look may stay open
};

struct ImapSink : MailAccount {
  std::string drafts = "Drafts";
  std::vector<std::string> folders;  // patterns of where messages may be moved; empty: all
  std::vector<std::string> protected_folders;  // patterns of what is never touched
};

struct MaildirSink {
  std::string path;
  std::string drafts = "Drafts";
};

struct SmtpSink {
  std::string host;
  int port = 0;  // 0: 465 with tls = implicit, 587 with starttls, else 25
  MailTls tls = MailTls::implicit;
  std::string user;
  std::optional<SecretRef> password;
  std::optional<SecretRef> token;
  std::string ca_file;
  std::string from;             // the only sender
  std::vector<std::string> to;  // patterns of whom may be written to
  int per_hour_max = 20;
  Duration timeout = 1min;
};

struct SlackSink {
  std::string base_url = "https://slack.com/api";
  SecretRef token;
  std::string channel;  // unless the payload names one
  Duration timeout = 10s;
};

struct TelegramSink {
  std::string base_url = "https://api.telegram.org";
  SecretRef token;
  std::string chat;  // unless the payload names one
  Duration timeout = 10s;
};

}  // namespace vigil::config
