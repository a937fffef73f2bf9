#include "daemon/ingress/calendar_course.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/digest.hpp"

namespace vigil::ingress {
namespace {

using namespace std::chrono_literals;

constexpr Duration begun_grace = 1min;        // a lead of 0 is told at the begin, or just after
constexpr Duration clock_less_lead_min = 1h;  // a whole day is not told by the minute
constexpr std::size_t subject_bytes_max = 200;

std::string text_at(const json::value& value, std::string_view path) {
  return std::string(find_text(value, path).value_or(""));
}

std::string short_digest(std::string_view text) {
  return to_hex(as_bytes(sha256(text))).substr(0, 16);
}

Told told(const std::string& source, Taint taint, const std::string& type, std::string uid,
          const json::value& occurrence, json::object payload, TimePoint now) {
  Told out;
  out.payload = std::move(payload);
  auto& event = out.event;
  event.uid = std::move(uid);
  event.source = source;
  event.type = type;
  event.subject = to_valid_utf8(text_at(occurrence, "summary").substr(0, subject_bytes_max));
  event.time = now;
  event.received_at = now;
  event.content_type = "application/json";
  event.taint = taint;
  event.data = to_text(out.payload);
  return out;
}

std::vector<std::string> texts_at(const json::value& value, std::string_view path) {
  std::vector<std::string> out;
  const auto* list = find_path(value, path);
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& one : list->get_array()) {
    if (one.is_string()) out.emplace_back(std::string_view(one.get_string()));
  }
  return out;
}

}  // namespace

std::optional<Occurrence> occurrence_of(json::value event) {
  const auto begins = parse_rfc3339(text_at(event, "begins"));
  const auto ends = parse_rfc3339(text_at(event, "ends"));
  if (!begins || !ends) return std::nullopt;
  const bool all_day = find_bool(event, "all_day").value_or(false);
  return Occurrence{std::move(event), *begins, *ends, all_day};
}

Result<Looked> looked_of(const json::value& result) {
  const auto* list = find_path(result, "occurrences");
  if (list == nullptr || !list->is_array()) {
    return fail(ErrorCode::internal, "vigil-task gave no occurrences: is it of this version?");
  }
  Looked out;
  for (const auto& one : list->get_array()) {
    auto key = text_at(one, "key");
    auto occurrence = occurrence_of(one);
    if (!key.empty() && occurrence) out.occurrences.emplace(std::move(key), std::move(*occurrence));
  }
  out.folders = texts_at(result, "folders");
  out.troubles = texts_at(result, "troubles");
  out.cut = find_bool(result, "cut").value_or(false);
  return out;
}

std::vector<Told> changes(const std::string& source, Taint taint, const Occurrences& before,
                          const Occurrences& after, TimePoint known_until, TimePoint now) {
  std::vector<Told> out;
  const auto tell = [&](const std::string& key, std::string_view change, const json::value* is,
                        const json::value* was) {
    json::object payload{{"change", change}};
    payload["event"] = is != nullptr ? *is : *was;
    if (was != nullptr && is != nullptr) payload["before"] = *was;
    const auto digest = short_digest(to_text(json::value(payload)));
    out.push_back(
        told(source, taint, "calendar.changed",
             fmt::format("{} {} {} {}", change, short_digest(key), digest, to_unix_us(now)),
             is != nullptr ? *is : *was, std::move(payload), now));
  };
  for (const auto& [key, is] : after) {
    const auto was = before.find(key);
    if (was == before.end()) {
      if (is.begins < known_until) tell(key, "added", &is.event, nullptr);
    } else if (was->second.begins != is.begins || was->second.ends != is.ends) {
      tell(key, "moved", &is.event, &was->second.event);
    } else if (to_text(was->second.event) != to_text(is.event)) {
      tell(key, "changed", &is.event, &was->second.event);
    }
  }
  for (const auto& [key, was] : before) {
    if (!after.contains(key) && was.ends > now) tell(key, "cancelled", nullptr, &was.event);
  }
  return out;
}

std::string telling_key(const std::string& key, Duration lead) {
  return fmt::format("{} {}", std::chrono::duration_cast<std::chrono::seconds>(lead).count(), key);
}

std::vector<Duration> leads_of(const config::Calendar& settings) {
  std::vector<Duration> out;
  for (const auto& text : settings.soon) {
    if (const auto lead = parse_duration(text)) out.push_back(*lead);
  }
  std::ranges::sort(out, std::greater{});
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

Due due_at(const std::string& source, Taint taint, const Occurrences& occurrences,
           const std::vector<Duration>& leads, const TellingsDone& done, TimePoint now) {
  Due out;
  for (const auto& [key, one] : occurrences) {
    std::optional<Duration> passed;  // the shortest that is due and not told
    bool moved = false;
    for (const auto lead : leads) {
      if (one.all_day && lead < clock_less_lead_min) continue;
      const auto at = one.begins - lead;
      const auto telling = telling_key(key, lead);
      const auto before = done.find(telling);
      if (before != done.end() && before->second == one.begins) continue;
      if (at > now) {
        if (!out.next || at < *out.next) out.next = at;
        continue;
      }
      if (one.begins <= now && now - at > begun_grace) continue;
      moved = moved || before != done.end();
      passed = lead;
      out.done[telling] = one.begins;
    }
    if (!passed) continue;
    const auto minutes = std::chrono::ceil<std::chrono::minutes>(one.begins - now).count();
    json::object payload{{"event", one.event},
                         {"key", key},
                         {"lead", to_text(*passed)},
                         {"minutes_left", std::max<std::int64_t>(minutes, 0)},
                         {"moved", moved}};
    out.told.push_back(told(
        source, taint, "calendar.soon",
        fmt::format("soon {} {} {}", short_digest(key), to_rfc3339(one.begins), to_text(*passed)),
        one.event, std::move(payload), now));
  }
  return out;
}

}  // namespace vigil::ingress
