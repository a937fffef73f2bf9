// What becomes of a mail: its thread's state, who owes whom an answer, the actions of rules.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <utility>

#include "core/digest.hpp"
#include "entities/comms/course.hpp"
#include "entities/comms/letters.hpp"
#include "entities/comms/mail_plan.hpp"
#include "entities/comms/model_mail.hpp"
#include "entities/comms/origin.hpp"
#include "entities/comms/thread.hpp"
#include "entities/comms/words.hpp"

namespace vigil::entities::comms {
namespace {

constexpr std::size_t messages_kept = 50;
constexpr std::size_t owed_max = 10;
constexpr std::size_t promises_max = 10;

std::string sender_address(const json::value& data) { return text_of(data, "from.0.address", 320); }

std::string sender_name(const json::value& data) {
  const auto name = text_of(data, "from.0.name", 100);
  return name.empty() ? sender_address(data) : name;
}

template <class Take>
void for_each(const json::value& data, std::string_view member, Take take) {
  const auto* list = find_path(data, member);
  if (list == nullptr || !list->is_array()) return;
  for (const auto& one : list->get_array()) take(one);
}

bool holds_text(const json::value& data, std::string_view member, std::string_view wanted) {
  bool found = false;
  for_each(data, member, [&](const json::value& one) {
    found = found || (one.is_string() && std::string_view(one.get_string()) == wanted);
  });
  return found;
}

TimePoint written_at(const Course& course, const json::value& data) {
  const auto date = parse_rfc3339(text_of(data, "date"));
  // A date in the future is the sender's mistake, or a trick.
  return date ? std::min(*date, course.wake.now) : course.wake.now;
}

bool is_known(Course& course, const std::string& id) {
  return std::ranges::any_of(course.list("messages"), [&](const json::value& one) {
    return find_text(one, "id").value_or("") == id;
  });
}

void keep_message(Course& course, const json::value& data, bool mine) {
  auto& messages = course.list("messages");
  if (messages.size() >= messages_kept) messages.erase(messages.begin() + 1);
  messages.push_back(json::object{{"id", text_of(data, "message_id", 500)},
                                  {"from", sender_address(data)},
                                  {"date", to_rfc3339(written_at(course, data))},
                                  {"mine", mine}});
  if (!course.state.contains("subject")) course.state["subject"] = text_of(data, "subject");
}

std::string subject_of(const Course& course) {
  return text_of(json::value(course.state), "subject", 120);
}

// ---- promises ----------------------------------------------------------------------------------

void schedule_promises(Course& course) {
  std::optional<TimePoint> next;
  const auto before = course.setup.settings.promise_before;
  for (const auto& one : course.list("promises")) {
    const auto until = parse_rfc3339(text_of(one, "until"));
    if (!until) continue;
    const bool own = find_bool(one, "own").value_or(false);
    const auto due = own ? *until - before : *until;
    next = std::min(next.value_or(TimePoint::max()), due);
  }
  set_timer(course, "promise", next);
}

// `own`: the user is to do it. Else somebody else is.
void keep_promises(Course& course, const json::value& data, bool mine) {
  auto& promises = course.list("promises");
  const auto before = promises.size();
  for_each(data, "promises", [&](const json::value& one) {
    const auto until = parse_rfc3339(text_of(one, "until"));
    if (!until || *until <= course.wake.now || promises.size() >= promises_max) return;
    const bool by_writer = text_of(one, "who") == "writer";
    // What a list or a machine asks of its readers is asked of nobody.
    const bool personal = text_of(data, "kind") == "person" || mine;
    if (!personal || (!mine && !by_writer && !is_addressed(course.setup, data))) return;
    promises.push_back(json::object{{"text", text_of(one, "text")},
                                    {"until", to_rfc3339(*until)},
                                    {"own", by_writer == mine},
                                    {"who", mine ? "" : sender_name(data)}});
    course.say(fmt::format("{} until {}: {}", by_writer == mine ? "to be done" : "expected",
                           local_text(*until, course.setup.settings.tz),
                           text_of(one, "text", 120)));
  });
  if (promises.size() != before) schedule_promises(course);
}

// ---- of the user -------------------------------------------------------------------------------

void count_activity(Course& course, const json::value& data) {
  std::vector<std::int64_t> hours(24);
  if (const auto known = course.memory.fact("activity")) {
    std::size_t at = 0;
    for_each(known->value, "by_hour", [&](const json::value& one) {
      if (at < hours.size() && one.is_int64()) hours[at] = one.get_int64();
      ++at;
    });
  }
  const auto minute = minute_of(written_at(course, data), course.setup.settings.tz);
  ++hours[static_cast<std::size_t>(minute / 60)];
  json::array told;
  for (const auto count : hours) told.push_back(count);
  course.decision.facts.push_back(
      {"activity", json::object{{"by_hour", std::move(told)}}, 1.0, "the user's own mails"});
}

bool expects_answer(const json::value& data) {
  if (find_path(data, "questions") != nullptr) return true;
  bool asked = false;
  for_each(data, "promises",
           [&](const json::value& one) { asked = asked || text_of(one, "who") == "reader"; });
  return asked || find_path(data, "in_reply_to") == nullptr;
}

// Nobody waits in this thread any more; nor do the briefs of meetings say so.
void settle_questions(Course& course) {
  for (const auto& one : std::exchange(course.list("owed"), json::array{})) {
    const auto key = "with:" + text_of(one, "address", 320);
    auto known = course.memory.fact(key);
    auto* all = known ? known->value.if_object() : nullptr;
    auto* threads = all == nullptr ? nullptr : all->if_contains("threads");
    if (threads == nullptr || !threads->is_array()) continue;
    for (auto& thread : threads->get_array()) {
      const bool this_one = text_of(thread, "case", 400) == course.wake.case_key;
      if (this_one && thread.is_object()) thread.get_object().erase("asks");
    }
    course.decision.facts.push_back({key, std::move(known->value), 1.0, "mail"});
  }
  set_timer(course, "answer", std::nullopt);
  course.say("the user answered");
}

std::string on_own_mail(Course& course, const json::value& data) {
  const auto& settings = course.setup.settings;
  count_activity(course, data);
  std::string first_other;
  for (const auto* member : {"to", "cc"}) {
    for_each(data, member, [&](const json::value& one) {
      const auto address = text_of(one, "address", 320);
      if (address.empty() || is_user(course.setup, address)) return;
      if (first_other.empty()) first_other = address;
      if (std::string_view(member) != "to") return;
      auto sender = sender_of(course.memory, address);
      ++sender.written;
      remember_sender(course, address, sender);
    });
  }
  if (!course.list("owed").empty()) settle_questions(course);
  const bool waits =
      settings.follow_up_after > Duration{0} && !first_other.empty() && expects_answer(data);
  if (waits) {
    course.state["waiting"] = json::object{{"id", text_of(data, "message_id", 500)},
                                           {"to", first_other},
                                           {"since", to_rfc3339(written_at(course, data))}};
    set_timer(course, "follow_up", written_at(course, data) + settings.follow_up_after);
    course.say(fmt::format("an answer of {} is waited for", first_other));
  }
  keep_promises(course, data, true);
  return waits ? "sent" : "own";
}

// ---- of others ---------------------------------------------------------------------------------

void stop_waiting(Course& course, const json::value& data) {
  if (!course.state.contains("waiting")) return;
  course.state.erase("waiting");
  set_timer(course, "follow_up", std::nullopt);
  course.say(fmt::format("{} answered", sender_name(data)));
}

void note_questions(Course& course, const json::value& data) {
  const auto& settings = course.setup.settings;
  auto& owed = course.list("owed");
  const auto before = owed.size();
  for_each(data, "questions", [&](const json::value& one) {
    if (owed.size() >= owed_max || !one.is_string()) return;
    owed.push_back(json::object{{"text", cut_text(std::string_view(one.get_string()), 300)},
                                {"from", sender_name(data)},
                                {"address", sender_address(data)}});
  });
  if (owed.size() == before || settings.answer_after == Duration{0}) return;
  if (before == 0) set_timer(course, "answer", course.wake.now + settings.answer_after);
  course.say(fmt::format("{} asks {} of the user", sender_name(data), owed.size() - before));
}

// Whom the user last spoke with about what: for the briefs of meetings.
void note_thread_with(Course& course, const json::value& data) {
  const auto address = sender_address(data);
  if (address.empty()) return;
  const auto key = "with:" + address;
  json::array threads{json::object{{"case", course.wake.case_key},
                                   {"subject", subject_of(course)},
                                   {"at", to_rfc3339(course.wake.now)},
                                   {"asks", text_of(data, "questions.0")}}};
  if (const auto known = course.memory.fact(key)) {
    for_each(known->value, "threads", [&](const json::value& one) {
      if (threads.size() < 5 && text_of(one, "case", 400) != course.wake.case_key) {
        threads.push_back(one);
      }
    });
  }
  course.decision.facts.push_back(
      {key, json::object{{"threads", std::move(threads)}}, 1.0, "mail"});
}

std::string on_others_mail(Course& course, const json::value& data) {
  const auto kind = text_of(data, "kind");
  const auto address = sender_address(data);
  if (kind == "bounce") {
    const bool waited = course.state.contains("waiting");
    tell(course, {fmt::format("could not be delivered: {}", subject_of(course)), "bounce", address,
                  waited ? Urgency::at_once : Urgency::can_wait});
    return sort_mail(course, data), "bounce";
  }
  // Nobody has read what a machine answers.
  if (kind == "auto_reply" || kind == "receipt") {
    course.say(fmt::format("written by a machine ({})", text_of(data, "kind_why")));
    return sort_mail(course, data), kind;
  }
  auto sender = sender_of(course.memory, address);
  ++sender.seen;
  remember_sender(course, address, sender);
  stop_waiting(course, data);
  if (kind == "person") note_thread_with(course, data);
  const bool to_user = is_addressed(course.setup, data);
  if (to_user && (kind == "person" || kind == "list")) {
    note_questions(course, data);
    answer_questions(course, data);
    if (kind == "person") ask_about_mail(course, data);
    if (importance_of(sender) >= important_from) {
      tell(course, {fmt::format("{} writes: {}", sender_name(data), text_of(data, "subject", 120)),
                    "mail", address, Urgency::important});
    }
  }
  keep_promises(course, data, false);
  sort_mail(course, data);
  return kind.empty() ? "mail" : kind;
}

std::string on_message(Course& course, const json::value& data) {
  const auto id = text_of(data, "message_id", 500);
  if (is_known(course, id)) {
    course.say("this message is known");
    return "duplicate";
  }
  const bool mine =
      is_user(course.setup, sender_address(data)) || text_of(data, "special") == "sent";
  keep_message(course, data, mine);
  // What one of us wrote is remembered, and nothing follows from it: two of us end here.
  if (!text_of(data, "vigil").empty() && !mine) {
    course.say(fmt::format("written by the entity {}", text_of(data, "vigil", 60)));
    return "ours";
  }
  if (text_of(data, "special") == "drafts" || holds_text(data, "flags", "\\Draft")) {
    course.say("a draft");
    return "draft";
  }
  index_mail(course, data);
  return mine ? on_own_mail(course, data) : on_others_mail(course, data);
}

// ---- what the user does with it ----------------------------------------------------------------

std::string on_moved(Course& course, const json::value& data) {
  const auto id = text_of(data, "message_id", 500);
  const auto folder = text_of(data, "folder", 200);
  // Kept for the entity as a whole: a move may be told without its thread.
  const auto ours = course.memory.fact(own_move_key(id));
  if (ours && ours->value.is_string() && std::string_view(ours->value.get_string()) == folder) {
    course.decision.facts.push_back({own_move_key(id), nullptr, 1.0, "comms"});
    course.say("our own move");
    return "own-move";
  }
  const auto& classes = course.setup.settings.classes;
  const auto found = classes.find(folder);
  if (found == classes.end()) {
    course.say(fmt::format("moved to {}, which has no class", folder));
    return "moved";
  }
  return learn_class(course, data, found->second);
}

std::string on_flagged(Course& course, const json::value& data) {
  const auto& classes = course.setup.settings.classes;
  const auto class_of = [&](const char* folder) {
    const auto found = classes.find(folder);
    return found == classes.end() ? std::string() : found->second;
  };
  if (holds_text(data, "added", "$Junk")) return learn_class(course, data, class_of("Junk"));
  if (holds_text(data, "added", "$NotJunk")) return learn_class(course, data, class_of("INBOX"));
  if (holds_text(data, "added", "\\Answered")) {
    settle_questions(course);
    return "answered";
  }
  course.say("its flags changed");
  return "flagged";
}

}  // namespace

std::string on_mail_event(Course& course, const Event& event) {
  if (event.type == "mail.message") return on_message(course, event.data);
  if (event.type == "mail.moved") return on_moved(course, event.data);
  if (event.type == "mail.flagged") return on_flagged(course, event.data);
  forget_mail(course, event.data);
  course.say("it is gone from " + text_of(event.data, "folder", 200));
  return "gone";
}

std::string on_mail_timer(Course& course, const TimerDue& due) {
  const auto now = course.wake.now;
  const json::value state(course.state);
  if (due.name == "follow_up" && course.state.contains("waiting")) {
    const auto to = text_of(state, "waiting.to", 320);
    const auto since = parse_rfc3339(text_of(state, "waiting.since"));
    const auto days =
        std::chrono::duration_cast<std::chrono::hours>(now - since.value_or(now)).count() / 24;
    tell(course, {fmt::format("no answer of {} for {} days: {}", to, days, subject_of(course)),
                  "follow_up", to});
    course.state.erase("waiting");
  } else if (due.name == "answer" && !course.list("owed").empty()) {
    const auto& first = course.list("owed").front();
    tell(course, {fmt::format("{} waits for your answer: {}", text_of(first, "from", 100),
                              text_of(first, "text", 200)),
                  "question", text_of(first, "address", 320), Urgency::important});
  } else if (due.name == "promise") {
    json::array left;
    for (const auto& one : course.list("promises")) {
      const auto until = parse_rfc3339(text_of(one, "until"));
      const bool own = find_bool(one, "own").value_or(false);
      const auto at =
          until.value_or(now) - (own ? course.setup.settings.promise_before : Duration{0});
      if (at > now) {
        left.push_back(one);
        continue;
      }
      const auto when = local_text(until.value_or(now), course.setup.settings.tz);
      const auto text = text_of(one, "text", 200);
      tell(course,
           {own ? fmt::format("due {}: {}", when, text)
                : fmt::format("{} should have by {}: {}", text_of(one, "who", 100), when, text),
            "promise", "", own ? Urgency::important : Urgency::can_wait});
    }
    course.state["promises"] = std::move(left);
    schedule_promises(course);
  } else {
    course.say("nothing is waited for any more");
  }
  return due.name;
}

}  // namespace vigil::entities::comms
