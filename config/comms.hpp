#pragma once
// What [entity.NAME.comms] can say: whose mail it is, how it is sorted, what is told and when.
// Values only; config/schema_comms.hpp names the keys, entities/comms reads the patterns.
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/time.hpp"

namespace vigil::config {

// Texts with `*` for any run of characters, or "~" and a regular expression; upper and lower case
// are the same. A list means any of them, and all lists that are given must hold.
struct CommsRule {  // [[entity.NAME.comms.rule]]
  std::string name;
  std::vector<std::string> from;
  std::vector<std::string> to;  // and cc
  std::vector<std::string> list;
  std::vector<std::string> subject;
  std::map<std::string, std::string> header;
  std::vector<std::string> attachment;  // its name, or its type
  std::vector<std::string> kind;        // person, list, bulk, auto_reply, bounce, receipt
  std::vector<std::string> auth;        // pass, fail, none
  std::vector<std::string> in_class;
  std::size_t size_above = 0;
  std::size_t size_below = 0;
  std::vector<std::string> flag;
  std::vector<std::string> unflag;
  std::vector<std::string> label;
  std::vector<std::string> unlabel;
  std::string move;
  std::string draft;  // the text of an answer
  std::string send;   // the same, sent once somebody agrees
  std::vector<std::string> forward;
  bool remove = false;  // delete
  bool notify = false;
  bool stop = false;
};

struct Comms {  // [entity.NAME.comms]
  std::vector<std::string> addresses;
  std::vector<std::string> names;  // by which the user is addressed
  std::string tz = "UTC";
  std::string mail_sink;
  std::string send_sink;  // of what leaves the mailbox
  std::string report_sink;
  std::vector<std::string> authserv_ids;
  std::vector<std::string> protected_labels = {"Important", "$Important"};
  std::string triage_file;
  double triage_sure = 0.95;
  std::map<std::string, std::string> classes = {
      {"INBOX", "inbox"}, {"Archive", "inbox"}, {"Junk", "spam"}, {"Spam", "spam"}};
  Duration follow_up_after = std::chrono::hours{72};
  Duration answer_after = std::chrono::hours{24};
  Duration promise_before = std::chrono::hours{4};
  Duration brief_before = std::chrono::minutes{15};
  std::vector<std::string> digest = {"08:00"};
  std::string quiet_hours;
  std::string tell_at_once = "important";
  int drafts_per_thread = 3;
  bool draft_answers = true;  // to questions that documents answer
  bool index_mails = true;
  std::vector<CommsRule> rules;
};

}  // namespace vigil::config
