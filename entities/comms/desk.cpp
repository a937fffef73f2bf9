// The digest, meetings, chats, and what people say of notices.
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <set>

#include "entities/comms/asks.hpp"
#include "entities/comms/course.hpp"
#include "entities/comms/words.hpp"

namespace vigil::entities::comms {
namespace {

constexpr int digest_lines_max = 200;
constexpr int threads_told_max = 3;
constexpr std::size_t people_told_max = 20;

void notify(Course& course, std::string what, std::string text, std::string sticky = {}) {
  if (course.setup.settings.report_sink.empty()) return;
  Action action;
  action.sink = course.setup.settings.report_sink;
  action.sticky_key = std::move(sticky);
  action.payload = {
      {"text", std::move(text)}, {"what", std::move(what)}, {"case", course.wake.case_key}};
  course.decision.actions.push_back(std::move(action));
}

std::string heading_of(std::string_view what) {
  if (what == "question") return "Waiting for you";
  if (what == "follow_up") return "No answer yet";
  if (what == "promise") return "Promised";
  if (what == "bounce") return "Not delivered";
  if (what == "chat") return "Asked in chats";
  return "Mail";
}

// Times of day in the zone the event was made for, where that is another one.
std::string in_its_zone(const json::value& meeting, TimePoint begins, const std::string& tz) {
  const auto zone = text_of(meeting, "zone", 60);
  const auto there = text_of(meeting, "local", 30);
  if (zone.empty() || there.size() < 16) return {};
  const auto clock = there.substr(11, 5);
  return local_text(begins, tz).ends_with(clock) ? "" : fmt::format(" ({} {})", clock, zone);
}

// Who they are, what was last spoken of with them, and what they still wait for.
std::string about_person(const Course& course, const json::value& person) {
  const auto address = lower_ascii(text_of(person, "address", 320));
  const auto name = text_of(person, "name", 100);
  auto out = fmt::format("- {}\n", name.empty() ? address : fmt::format("{} <{}>", name, address));
  const auto known = course.memory.fact("with:" + address);
  const auto* threads = known ? find_path(known->value, "threads") : nullptr;
  if (threads == nullptr || !threads->is_array()) return out;
  int shown = 0;
  for (const auto& thread : threads->get_array()) {
    if (++shown > threads_told_max) break;
    out += fmt::format("    {} ({})\n", text_of(thread, "subject", 120),
                       text_of(thread, "at").substr(0, 10));
    if (const auto asks = text_of(thread, "asks"); !asks.empty()) {
      out += fmt::format("    asked: {}\n", asks);
    }
  }
  return out;
}

// The organiser and who else comes, each once, without the user.
std::vector<json::value> people_of(const Course& course, const json::value& meeting) {
  std::vector<json::value> out;
  std::set<std::string> told;
  const auto add = [&](const json::value& person) {
    const auto address = lower_ascii(text_of(person, "address", 320));
    if (address.empty() || is_user(course.setup, address) || out.size() >= people_told_max) return;
    if (told.insert(address).second) out.push_back(person);
  };
  const auto* people = find_path(meeting, "attendees");
  if (people != nullptr && people->is_array()) {
    for (const auto& one : people->get_array()) add(one);
  }
  if (const auto* organiser = find_path(meeting, "organiser")) add(*organiser);
  return out;
}

std::string brief_of(Course& course, const json::value& meeting) {
  const auto& tz = course.setup.settings.tz;
  const auto begins = parse_rfc3339(text_of(meeting, "begins")).value_or(course.wake.now);
  auto out = fmt::format("{} at {}{}", text_of(meeting, "summary", 200), local_text(begins, tz),
                         in_its_zone(meeting, begins, tz));
  if (const auto where = text_of(meeting, "location", 200); !where.empty()) out += ", " + where;
  out += '\n';
  for (const auto& person : people_of(course, meeting)) out += about_person(course, person);
  for (const auto& found : course.memory.search(text_of(meeting, "summary", 200), 3)) {
    out += fmt::format("- {}: {}: {}\n", found.key.starts_with("mail:") ? "mail" : "document",
                       cut_text(found.title, 120), cut_text(found.excerpt, 200));
  }
  return out;
}

std::string give_brief(Course& course) {
  const auto known = course.state.find("meeting");
  if (known == course.state.end()) {
    course.say("the meeting is not known any more");
    return "brief";
  }
  const auto meeting = known->value();
  if (find_bool(json::value(course.state), "briefed").value_or(false)) {
    course.say("the brief was given");
    return "brief-given";
  }
  course.state["briefed"] = true;
  notify(course, "brief", brief_of(course, meeting), "brief");
  course.say("a brief for " + text_of(meeting, "summary", 120));
  return "brief";
}

}  // namespace

std::string on_meeting(Course& course, const Event& event) {
  const auto begins = parse_rfc3339(text_of(event.data, "event.begins"));
  if (text_of(event.data, "change") == "cancelled" || !begins) {
    set_timer(course, "brief", std::nullopt);
    course.decision.close_case = true;
    course.say("cancelled");
    return "cancelled";
  }
  const auto before = parse_rfc3339(text_of(json::value(course.state), "meeting.begins"));
  if (before && *before != *begins) course.state["briefed"] = false;  // moved: prepared anew
  const auto& meeting = *find_path(event.data, "event");
  auto kept = meeting.is_object() ? meeting.get_object() : json::object{};
  kept.erase("description");
  course.state["meeting"] = std::move(kept);
  const auto lead = course.setup.settings.brief_before;
  const bool all_day = find_bool(meeting, "all_day").value_or(false);
  if (lead == Duration{0} || all_day || *begins <= course.wake.now) {
    set_timer(course, "brief", std::nullopt);
    course.say("no brief is needed");
    return "meeting";
  }
  if (*begins - lead <= course.wake.now) return give_brief(course);
  set_timer(course, "brief", *begins - lead);
  course.say("a brief is due " + local_text(*begins - lead, course.setup.settings.tz));
  return "meeting";
}

std::string on_meeting_timer(Course& course, const TimerDue&) { return give_brief(course); }

std::string on_chat(Course& course, const Event& event) {
  const auto& data = event.data;
  const auto text = text_of(data, "text", 2000);
  const bool to_user =
      find_bool(data, "mentions_me").value_or(false) || find_bool(data, "direct").value_or(false);
  if (find_bool(data, "bot").value_or(false) || !to_user) {
    course.say("not said to the user");
    return "chat";
  }
  for (const auto& sentence : sentences_of(text)) {
    if (!is_question(sentence)) continue;
    tell(course, {fmt::format("{} asks in {}: {}", text_of(data, "user.name", 100),
                              text_of(data, "channel_name", 100), cut_text(sentence, 200)),
                  "chat", text_of(data, "user.id", 100), Urgency::can_wait});
    return "chat-question";
  }
  course.say("no question");
  return "chat";
}

std::string on_desk(Course& course) {
  const auto& setup = course.setup;
  const auto* due = std::get_if<TimerDue>(&course.wake.because);
  const auto next = next_of(setup.digest, course.wake.now, setup.settings.tz);
  set_timer(course, "digest", next);
  if (due == nullptr || due->name != "digest") {
    course.say(next ? "the next digest is due " + local_text(*next, setup.settings.tz)
                    : "there is no digest");
    return "settings";
  }
  const auto kept = course.memory.facts("digest:", digest_lines_max);
  if (kept.empty()) {
    course.say("nothing to tell");
    return "digest-empty";
  }
  std::map<std::string, std::string> parts;
  for (const auto& one : kept) {
    parts[heading_of(text_of(one.value, "what"))] += "- " + text_of(one.value, "text", 400) + "\n";
    course.decision.facts.push_back({one.key, nullptr, 1.0, "told"});
  }
  std::string text;
  for (const auto& [heading, lines] : parts) {
    text += fmt::format("{}{}\n{}", text.empty() ? "" : "\n", heading, lines);
  }
  notify(course, "digest", std::move(text));
  course.say(fmt::format("a digest of {}", kept.size()));
  return "digest";
}

std::string on_feedback(Course& course, const FeedbackGiven& given) {
  const auto sender = text_of(given.about, "sender", 320);
  if (sender.empty()) {
    course.say("the answer was taken note of");
    return "feedback";
  }
  auto known = sender_of(course.memory, sender);
  ++(given.verdict == "useful" ? known.useful : known.noise);
  remember_sender(course, sender, known);
  course.say(fmt::format("notices of {} are {}: importance {:.2f}", sender, given.verdict,
                         importance_of(known)));
  return "feedback";
}

}  // namespace vigil::entities::comms
