#include "entities/comms/course.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/digest.hpp"
#include "entities/comms/words.hpp"

namespace vigil::entities::comms {
namespace {

// What cannot be taken back, or reaches somebody else.
bool always_asks(std::string_view kind) {
  return kind == "send" || kind == "forward" || kind == "delete";
}

std::string digest_key(const Course& course, std::size_t number) {
  const auto digest = sha256(course.wake.case_key);
  return fmt::format("digest:{}:{}:{}", to_unix_us(course.wake.now),
                     to_hex(as_bytes(digest).substr(0, 6)), number);
}

std::optional<QuietHours> quiet_of(const Course& course) {
  if (course.setup.quiet) return course.setup.quiet;
  const auto known = course.memory.fact("activity");
  if (!known) return std::nullopt;
  const auto* hours = find_path(known->value, "by_hour");
  if (hours == nullptr || !hours->is_array()) return std::nullopt;
  std::vector<int> counts;
  for (const auto& one : hours->get_array()) {
    counts.push_back(one.is_int64() ? static_cast<int>(one.get_int64()) : 0);
  }
  return learned_quiet(counts);
}

bool waits_for_digest(const Course& course, const Notice& notice) {
  const auto& settings = course.setup.settings;
  const auto quiet = quiet_of(course);
  if (!course.setup.digest.empty() && quiet &&
      is_quiet(*quiet, minute_of(course.wake.now, settings.tz))) {
    return true;
  }
  if (course.setup.digest.empty() || settings.tell_at_once == "everything") return false;
  if (notice.urgency == Urgency::at_once) return false;
  return settings.tell_at_once == "nothing" || notice.urgency == Urgency::can_wait;
}

}  // namespace

Result<CommsSetup> make_setup(const config::Comms& settings) {
  CommsSetup out;
  out.settings = settings;
  for (const auto& address : settings.addresses) out.addresses.push_back(lower_ascii(address));
  for (std::size_t i = 0; i < settings.rules.size(); ++i) {
    auto rule = make_mail_rule(settings.rules[i]);
    if (!rule) {
      return fail(rule.error().code, fmt::format("comms.rule[{}].{}", i, rule.error().message));
    }
    out.rules.push_back(std::move(*rule));
  }
  for (std::size_t i = 0; i < settings.digest.size(); ++i) {
    const auto minute = parse_minute(settings.digest[i]);
    if (!minute) {
      return fail(minute.error().code,
                  fmt::format("comms.digest[{}]: {}", i, minute.error().message));
    }
    out.digest.push_back(*minute);
  }
  if (!settings.quiet_hours.empty()) {
    const auto quiet = parse_quiet(settings.quiet_hours);
    if (!quiet) {
      return fail(quiet.error().code, fmt::format("comms.quiet_hours: {}", quiet.error().message));
    }
    out.quiet = *quiet;
  }
  return out;
}

json::array& Course::list(std::string_view name) {
  auto& value = state[name];
  if (!value.is_array()) value = json::array{};
  return value.get_array();
}

std::string text_of(const json::value& value, std::string_view path, std::size_t bytes_max) {
  auto text = std::string(find_text(value, path).value_or(""));
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  }
  return cut_text(text, bytes_max);
}

std::string own_move_key(std::string_view message_id) {
  const auto digest = sha256(message_id);
  return "moved:" + to_hex(as_bytes(digest).substr(0, 16));
}

void act(Course& course, std::string kind, json::object payload) {
  const auto& settings = course.setup.settings;
  const bool leaves = kind == "send" || kind == "forward";
  const auto& sink = leaves ? settings.send_sink : settings.mail_sink;
  if (sink.empty()) {
    course.say(
        fmt::format("would {}, but there is no {}", kind, leaves ? "send_sink" : "mail_sink"));
    return;
  }
  Action action;
  action.sink = sink;
  action.ask_first = always_asks(kind);
  payload["do"] = kind;
  action.kind = std::move(kind);
  action.payload = std::move(payload);
  course.decision.actions.push_back(std::move(action));
}

void set_timer(Course& course, std::string name, std::optional<TimePoint> due, json::value note) {
  course.decision.timers.push_back({std::move(name), due, std::move(note)});
}

void tell(Course& course, const Notice& notice) {
  course.say(notice.text);
  const auto& sink = course.setup.settings.report_sink;
  if (sink.empty()) return;
  json::object what{{"text", notice.text},
                    {"what", notice.what},
                    {"sender", notice.sender},
                    {"case", course.wake.case_key}};
  if (waits_for_digest(course, notice)) {
    what["at"] = to_rfc3339(course.wake.now);
    course.decision.facts.push_back(
        {digest_key(course, course.decision.facts.size()), std::move(what), 1.0, "comms"});
    return;
  }
  Action action;
  action.sink = sink;
  action.payload = std::move(what);
  course.decision.actions.push_back(std::move(action));
}

Sender sender_of(const Recollection& memory, std::string_view address) {
  Sender out;
  const auto known = memory.fact("sender:" + std::string(address));
  if (!known) return out;
  const auto number = [&](std::string_view name) {
    return static_cast<int>(find_integer(known->value, name).value_or(0));
  };
  return {number("seen"), number("written"), number("useful"), number("noise")};
}

void remember_sender(Course& course, std::string_view address, const Sender& sender) {
  if (address.empty() || address.size() > 320) return;
  course.decision.facts.push_back({"sender:" + std::string(address),
                                   json::object{{"seen", sender.seen},
                                                {"written", sender.written},
                                                {"useful", sender.useful},
                                                {"noise", sender.noise},
                                                {"importance", importance_of(sender)}},
                                   1.0, "mail"});
}

double importance_of(const Sender& sender) {
  // One mail of the user to them outweighs five of theirs; a verdict outweighs both.
  const double for_it = sender.written + 4.0 * sender.useful;
  const double against = 1 + 0.2 * sender.seen + 4.0 * sender.noise;
  return for_it / (for_it + against);
}

bool is_user(const CommsSetup& setup, std::string_view address) {
  return std::ranges::find(setup.addresses, address) != setup.addresses.end();
}

bool is_addressed(const CommsSetup& setup, const json::value& data) {
  const auto greeted = lower_text(find_text(data, "greeted").value_or(""));
  const auto is_name = [&](const std::string& name) { return lower_text(name) == greeted; };
  const bool by_name = !greeted.empty() && std::ranges::any_of(setup.settings.names, is_name);
  if (by_name) return true;
  static constexpr std::string_view everybody[] = {"all",   "everyone", "team",  "folks",
                                                   "there", "zusammen", "alle",  "leute",
                                                   "both",  "guys",     "beide", "everybody"};
  const bool somebody_else = !greeted.empty() && !setup.settings.names.empty() &&
                             std::ranges::find(everybody, greeted) == std::end(everybody);
  if (somebody_else) return false;
  const auto* to = find_path(data, "to");
  if (to == nullptr || !to->is_array()) return false;
  return std::ranges::any_of(to->get_array(), [&](const auto& one) {
    return is_user(setup, find_text(one, "address").value_or(""));
  });
}

}  // namespace vigil::entities::comms
