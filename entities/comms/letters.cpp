#include "entities/comms/letters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "entities/comms/asks.hpp"
#include "entities/comms/thread.hpp"
#include "entities/comms/words.hpp"
#include "entities/library.hpp"

namespace vigil::entities::comms {
namespace {

// A passage that holds less of a question, by the weight of its words, answers another one
// (docs/knowledge.md).
constexpr double answers_from = 0.45;
constexpr int passages_max = 5;
constexpr std::size_t questions_max = 3;
constexpr std::string_view mail_key = "mail:";
constexpr std::string_view document_prefix = "documents/";

std::vector<std::string> texts_in(const json::value& data, std::string_view member,
                                  std::string_view of = {}) {
  std::vector<std::string> out;
  const auto* list = find_path(data, member);
  if (list == nullptr || !list->is_array()) return out;
  for (const auto& one : list->get_array()) {
    auto text = of.empty() ? text_of(one, "") : text_of(one, of);
    if (!text.empty()) out.push_back(std::move(text));
  }
  return out;
}

std::string day_of(const json::value& data) { return text_of(data, "date").substr(0, 10); }

std::string key_of(const json::value& data) {
  return std::string(mail_key) + text_of(data, "message_id", 500);
}

std::string writer_of(const json::value& data) {
  const auto name = text_of(data, "from.0.name", 100);
  const auto address = text_of(data, "from.0.address", 320);
  return name.empty() ? address : fmt::format("{} <{}>", name, address);
}

// The heading of a forwarded mail, as mail programs write it.
std::string head_of(const json::value& data) {
  return fmt::format("From: {}\nDate: {}\nTo: {}\nSubject: {}\n", writer_of(data),
                     text_of(data, "date"), fmt::join(texts_in(data, "to", "address"), ", "),
                     text_of(data, "subject"));
}

bool is_folder_of_waste(std::string_view special) {
  return special == "junk" || special == "trash" || special == "drafts";
}

// The best passage that answers, and is no mail that asks the same.
std::optional<Library::Answer> answer_to(const Course& course, const std::string& question,
                                         const std::string& own_key) {
  const auto* library = dynamic_cast<const Library*>(&course.memory);
  if (library == nullptr) return std::nullopt;
  for (auto& found : library->answers(question, passages_max)) {
    const bool answers = found.coverage >= answers_from && !found.quote.empty() &&
                         found.key != own_key && !is_question(found.quote);
    if (answers) return std::move(found);
  }
  return std::nullopt;
}

std::string source_of(const Library::Answer& found) {
  std::string_view name = found.key;
  if (name.starts_with(document_prefix)) name.remove_prefix(document_prefix.size());
  if (name.starts_with(mail_key)) name = found.title;
  return found.place.empty() ? std::string(name) : fmt::format("{}, {}", name, found.place);
}

}  // namespace

void write_answer(Course& course, const json::value& data, const std::string& text, Way way) {
  const auto kind = text_of(data, "kind");
  if (kind != "person" || !text_of(data, "vigil").empty()) {
    return course.say("no answer to what a machine or a list wrote");
  }
  auto& count = course.state["drafts"];
  const auto so_far = count.is_int64() ? count.get_int64() : 0;
  if (so_far >= course.setup.settings.drafts_per_thread) {
    return course.say("no more answers in this thread");
  }
  count = so_far + 1;
  const auto* to = find_path(data, "reply_to");
  if (to == nullptr) to = find_path(data, "from");
  if (to == nullptr) return;
  json::array references;
  if (const auto* before = find_path(data, "references"); before != nullptr && before->is_array()) {
    references = before->get_array();
  }
  const auto id = text_of(data, "message_id", 500);
  references.emplace_back(id);
  const auto subject = text_of(data, "subject");
  act(course, way == Way::draft ? "draft" : "send",
      {{"account", text_of(data, "account")},
       {"to", *to},
       {"subject", is_answer_subject(subject) ? subject : "Re: " + subject},
       {"text", text},
       {"in_reply_to", id},
       {"references", std::move(references)},
       {"headers", json::object{{"X-Vigil-Entity", course.wake.entity}}}});
}

void forward_mail(Course& course, const json::value& data, const std::vector<std::string>& to) {
  auto text = head_of(data);
  const auto attached = texts_in(data, "attachments", "name");
  if (!attached.empty()) text += fmt::format("Not forwarded: {}\n", fmt::join(attached, ", "));
  text += fmt::format("\n{}\n", find_text(data, "text").value_or(""));
  act(course, "forward",
      {{"to", json::array(to.begin(), to.end())},
       {"subject", "Fwd: " + text_of(data, "subject")},
       {"text", std::move(text)},
       {"references", json::array{text_of(data, "message_id", 500)}},
       {"headers", json::object{{"X-Vigil-Entity", course.wake.entity}}}});
}

void answer_questions(Course& course, const json::value& data) {
  const auto& settings = course.setup.settings;
  if (!settings.draft_answers || settings.mail_sink.empty()) return;
  if (text_of(data, "kind") != "person") return;
  std::string text;
  std::size_t asked = 0;
  for (const auto& question : texts_in(data, "questions")) {
    if (++asked > questions_max) break;
    const auto found = answer_to(course, question, key_of(data));
    if (!found) continue;
    const auto source = source_of(*found);
    text += fmt::format("> {}\n\n“{}”\n({})\n\n", question, found->quote, source);
    course.say(fmt::format("answered out of {}", source));
  }
  if (!text.empty()) write_answer(course, data, text, Way::draft);
}

void index_mail(Course& course, const json::value& data) {
  const auto& settings = course.setup.settings;
  if (!settings.index_mails || is_folder_of_waste(text_of(data, "special"))) return;
  auto body = fmt::format("{}, {}\n\n{}", writer_of(data), day_of(data),
                          find_text(data, "text").value_or(""));
  auto subject = text_of(data, "subject");
  if (subject.empty()) subject = "mail of " + day_of(data);
  course.decision.documents.push_back({key_of(data), std::move(subject), std::move(body)});
}

void forget_mail(Course& course, const json::value& data) {
  if (course.setup.settings.index_mails)
    course.decision.documents.push_back({key_of(data), "", ""});
}

}  // namespace vigil::entities::comms
