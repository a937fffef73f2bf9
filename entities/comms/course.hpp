#pragma once
// One decision of the guardian while it is made, and what all its parts do: act on mails, tell the
// user now or in the digest. Private to this folder; pure.
#include <string>
#include <vector>

#include "config/comms.hpp"
#include "config/minds.hpp"
#include "entities/comms/local_time.hpp"
#include "entities/comms/mail_rule.hpp"
#include "entities/guardian.hpp"

namespace vigil::entities::comms {

constexpr std::string_view desk_case = "comms:desk";  // where the digest is made

struct CommsSetup {
  config::Comms settings;
  std::vector<std::string> addresses;  // of the user, in lower case
  std::vector<MailRule> rules;
  std::vector<int> digest;  // minutes of the day
  std::optional<QuietHours> quiet;
  config::Advice advice = {};  // who may be asked; nobody: all goes without
};
// The error names the key.
Result<CommsSetup> make_setup(const config::Comms& settings);

struct Course {
  const CommsSetup& setup;
  const Wake& wake;
  const Recollection& memory;
  json::object state;
  Decision decision = {};
  std::vector<std::string> remarks = {};

  void say(std::string remark) { remarks.push_back(std::move(remark)); }
  // A list of the state, made if it is not there.
  json::array& list(std::string_view name);
};

// A text of outside content: one line, cut.
std::string text_of(const json::value& value, std::string_view path, std::size_t bytes_max = 300);

// ---- what it does ------------------------------------------------------------------------------

// The fact that says where we moved a message ourselves.
std::string own_move_key(std::string_view message_id);

// The only way an action on mail comes about. `send`, `forward` and `delete` always ask; without a
// send_sink nothing is sent or forwarded, and without a mail_sink nothing else is done.
void act(Course& course, std::string kind, json::object payload);

enum class Urgency { at_once, important, can_wait };

struct Notice {
  std::string text;    // one line
  std::string what;    // question, follow_up, promise, mail, bounce
  std::string sender;  // whom it is about: feedback counts for them
  Urgency urgency = Urgency::can_wait;
};
// At once, or kept for the digest: as tell_at_once and the quiet hours say.
void tell(Course& course, const Notice& notice);
void set_timer(Course& course, std::string name, std::optional<TimePoint> due,
               json::value note = {});

// ---- who people are ----------------------------------------------------------------------------

struct Sender {
  int seen = 0;     // mails from them
  int written = 0;  // of the user to them
  int useful = 0;
  int noise = 0;
};
Sender sender_of(const Recollection& memory, std::string_view address);
void remember_sender(Course& course, std::string_view address, const Sender& sender);
// 0 to 1: from what the user does, not from what they say of themselves.
double importance_of(const Sender& sender);
constexpr double important_from = 0.5;

bool is_user(const CommsSetup& setup, std::string_view address);
// Whether the user is among the recipients, not just of a copy.
bool is_addressed(const CommsSetup& setup, const json::value& data);

// ---- the parts ---------------------------------------------------------------------------------

// Each answers with the name of the branch that decided, for `explain`.
std::string on_mail_event(Course& course, const Event& event);
std::string on_triage(Course& course, const swarm::Report& report);
std::string on_mail_timer(Course& course, const TimerDue& due);
std::string on_chat(Course& course, const Event& event);
std::string on_meeting(Course& course, const Event& event);
std::string on_meeting_timer(Course& course, const TimerDue& due);
std::string on_desk(Course& course);
std::string on_feedback(Course& course, const FeedbackGiven& given);

}  // namespace vigil::entities::comms
