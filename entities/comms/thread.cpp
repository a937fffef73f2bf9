#include "entities/comms/thread.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <set>

#include "entities/case_key.hpp"

namespace vigil::entities::comms {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

// English, German, French, Scandinavian, Dutch, Spanish, Italian forms that mail programs write.
constexpr std::array<std::string_view, 11> answers{"re",  "aw", "antw", "antwort", "sv", "vs",
                                                   "ref", "rv", "res",  "odp",     "ynt"};
constexpr std::array<std::string_view, 8> forwards{"fwd", "fw", "wg",  "tr",
                                                   "vb",  "vl", "rif", "doorst"};

enum class Before { nothing, answer, forward };

// Takes one "Re:", "Re[2]:", "[list]" off the front.
Before take_one(std::string& text) {
  const auto begin = text.find_first_not_of(" \t");
  text.erase(0, begin == std::string::npos ? text.size() : begin);
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    const bool more =
        end != std::string::npos && text.find_first_not_of(" ", end + 1) != std::string::npos;
    if (!more) return Before::nothing;
    text.erase(0, end + 1);
    return Before::forward;
  }
  const auto colon = text.find(':');
  if (colon == std::string::npos || colon > 10) return Before::nothing;
  auto word = text.substr(0, colon);
  word.resize(std::min(word.find_first_of("[(^"), word.size()));
  while (word.ends_with(' ')) word.pop_back();
  const bool answer = std::ranges::find(answers, word) != answers.end();
  const bool forward = std::ranges::find(forwards, word) != forwards.end();
  if (!answer && !forward) return Before::nothing;
  text.erase(0, colon + 1);
  return answer ? Before::answer : Before::forward;
}

void add_addresses(const json::value& data, std::string_view member, std::set<std::string>& to) {
  const auto* list = find_path(data, member);
  if (list == nullptr || !list->is_array()) return;
  for (const auto& one : list->get_array()) {
    if (const auto address = find_text(one, "address")) to.insert(lower(*address));
    if (to.size() >= 8) return;
  }
}

}  // namespace

std::string plain_subject(std::string_view subject) {
  auto text = lower(subject);
  while (take_one(text) != Before::nothing) {
  }
  std::string out;
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t';
    if (blank && (out.empty() || out.back() == ' ')) continue;
    out += blank ? ' ' : c;
  }
  while (out.ends_with(' ')) out.pop_back();
  return out;
}

bool is_answer_subject(std::string_view subject) {
  auto text = lower(subject);
  for (auto taken = take_one(text); taken != Before::nothing; taken = take_one(text)) {
    if (taken == Before::answer) return true;
  }
  return false;
}

std::string mail_thread(const json::value& data) {
  if (const auto* references = find_path(data, "references");
      references != nullptr && references->is_array() && !references->get_array().empty()) {
    const auto& oldest = references->get_array().front();
    if (oldest.is_string()) return case_key_of("mail:" + std::string(oldest.get_string()));
  }
  if (const auto answered = find_text(data, "in_reply_to"); answered && !answered->empty()) {
    return case_key_of("mail:" + std::string(*answered));
  }
  // Of what happened to a message later its door knows where the thread began, and no more.
  if (const auto first = find_text(data, "thread"); first && !first->empty()) {
    return case_key_of("mail:" + std::string(*first));
  }
  const auto subject = find_text(data, "subject").value_or("");
  if (is_answer_subject(subject)) {
    std::set<std::string> who;
    for (const auto* member : {"from", "to", "cc"}) add_addresses(data, member, who);
    return case_key_of(fmt::format("subject:{}:{}", plain_subject(subject), fmt::join(who, ",")));
  }
  const auto id = find_text(data, "message_id").value_or("");
  return id.empty() ? std::string() : case_key_of("mail:" + std::string(id));
}

std::string chat_thread(const json::value& data) {
  const auto part = [&](std::string_view name) { return find_text(data, name).value_or(""); };
  const auto thread = part("thread").empty() ? part("id") : part("thread");
  if (part("channel").empty() || thread.empty()) return {};
  return case_key_of(fmt::format("chat:{}:{}:{}", part("platform"), part("channel"), thread));
}

std::string meeting_case(const json::value& data) {
  const auto uid = find_text(data, "event.uid").value_or("");
  if (uid.empty()) return {};
  const auto when = find_text(data, "event.occurrence").value_or("");
  return case_key_of(fmt::format("meeting:{}@{}", uid, when));
}

}  // namespace vigil::entities::comms
