#include "entities/comms/asks.hpp"

#include <re2/re2.h>

#include "entities/comms/dates.hpp"
#include "entities/comms/words.hpp"

namespace vigil::entities::comms {
namespace {

constexpr std::size_t sentences_max = 300;
constexpr std::size_t sentence_bytes_max = 500;
constexpr std::size_t kept_max = 10;

// A dot ends a sentence unless it stands in a number, an address or an abbreviation.
bool ends_sentence(std::string_view text, std::size_t at) {
  const char c = text[at];
  const bool last = at + 1 >= text.size();
  const bool blank_follows = last || text[at + 1] == ' ' || text[at + 1] == '\n';
  if (c == '?' || c == '!') {
    return last || blank_follows || text[at + 1] == '"' || text[at + 1] == ')';
  }
  if (c != '.' || !blank_follows) return false;
  static const RE2 abbreviation(
      R"((?i)(^|[\s(])(e\.g|i\.e|z\.b|d\.h|u\.a|bzw|ca|dr|mr|mrs|ms|st|nr|no|vs|etc|usw|[a-z]|\d{1,2})$)");
  const auto begin = at > 12 ? at - 12 : 0;
  return !RE2::PartialMatch(text.substr(begin, at - begin), abbreviation);
}

std::string without_addresses(std::string_view sentence) {
  static const RE2 address(R"(\b\w+://\S+)");
  std::string out(sentence);
  RE2::GlobalReplace(&out, address, "");
  return out;
}

// One of them says "I will do it", the other "do it, please".
bool is_commitment(std::string_view sentence) {
  static const RE2 english(
      R"((?i)\b(i'll|i’ll|i will|i shall|we'll|we’ll|we will|i can (send|have|get|finish|deliver)|i'm going to|i am going to|we are going to|i promise|i plan to|you'll (have|get|receive)|you will (have|get|receive)|let me (send|get back|come back|check)|will (send|deliver|finish|get back|come back|let you know))\b)");
  static const RE2 german(
      R"((?i)\b((ich|wir) (werde|werden|schicke|schicken|sende|senden|liefere|liefern|melde|melden|gebe|geben|mache|machen|kümmere|kümmern|prüfe|prüfen|erledige|erledigen|bringe|bringen|kann|können|antworte|antworten|versuche|versuchen)|(werde|schicke|sende|liefere|melde|gebe|mache|erledige|prüfe|antworte) ich|(werden|schicken|senden|liefern|melden|geben|machen|erledigen|prüfen) wir|(du bekommst|ihr bekommt|sie bekommen|sie erhalten|bekommst du|bekommen sie|erhalten sie))\b)");
  static const RE2 not_meant(
      R"((?i)\b(if i|when i|wenn ich|falls ich|i will not|i won't|i won’t|werde ich nicht|ich werde nicht)\b)");
  if (RE2::PartialMatch(sentence, not_meant)) return false;
  return RE2::PartialMatch(sentence, english) || RE2::PartialMatch(sentence, german);
}

bool is_request(std::string_view sentence) {
  static const RE2 form(
      R"((?i)\b(please|pls|can you|could you|would you|will you|i need|we need|kindly|let me know|let us know|get back to me|bitte|kannst du|könntest du|können sie|könnten sie|könnt ihr|würdest du|würden sie|ich brauche|wir brauchen|benötige|benötigen|gib mir|geben sie mir|sag mir|melde dich|melden sie sich)\b)");
  return RE2::PartialMatch(sentence, form);
}

bool asks_for_answer(std::string_view sentence) {
  static const RE2 form(
      R"((?i)\b((please|pls|kindly)\b.{0,40}\b(let (me|us) know|confirm|reply|respond|advise|tell (me|us)|send (me|us))|let (me|us) know (if|what|whether|when|which|how|your)|(could|can|would|will) you\b.{0,80}\b(please|send|tell|confirm|let|share|check|review|have a look)|gib (mir|uns) (bitte )?bescheid|geben sie (mir|uns) (bitte )?bescheid|sag (mir|uns)?.{0,20}bescheid|(kannst|könntest|würdest) du\b.{0,80}\b(bitte|mir|uns|schicken|sagen|prüfen|bestätigen)|(können|könnten|würden) sie\b.{0,80}\b(bitte|mir|uns|schicken|sagen|prüfen|bestätigen)|bitte um (eine )?(kurze )?(rückmeldung|antwort|bestätigung)|bitte\b.{0,60}\b(bestätigen|antworten|mitteilen|rückmelden)|bitte bestätige))");
  return RE2::PartialMatch(sentence, form);
}

}  // namespace

std::vector<std::string> sentences_of(std::string_view text) {
  std::vector<std::string> out;
  std::string sentence;
  const auto close = [&] {
    const auto part = trimmed(sentence);
    if (!part.empty() && out.size() < sentences_max) {
      out.push_back(cut_text(part, sentence_bytes_max));
    }
    sentence.clear();
  };
  for (std::size_t i = 0; i < text.size() && out.size() < sentences_max; ++i) {
    const char c = text[i];
    const bool paragraph = c == '\n' && i + 1 < text.size() && text[i + 1] == '\n';
    const bool item = c == '\n' && i + 2 < text.size() &&
                      (text[i + 1] == '-' || text[i + 1] == '*') && text[i + 2] == ' ';
    if (paragraph || item) {
      close();
      continue;
    }
    sentence += c == '\n' || c == '\t' || c == '\r' ? ' ' : c;
    if (ends_sentence(text, i)) close();
  }
  close();
  return out;
}

bool is_question(std::string_view sentence) {
  const auto bare = without_addresses(sentence);
  const auto text = trimmed(bare);
  // "?!", "Right?" and the like ask nothing that waits for an answer.
  static const RE2 rhetoric(
      R"((?i)^(really|right|ok|okay|huh|what|why|and|so|ja|oder|wie bitte|echt|na|questions|any questions|noch fragen|fragen)\s*\?+$)");
  static const RE2 politeness(
      R"((?i)^(how are you|how's it going|how is it going|wie geht('s| es)).{0,30}\?$)");
  const auto mark = text.find_last_not_of("\"') ");
  const bool asked = mark != std::string_view::npos && text[mark] == '?';
  if (asked) {
    const auto letters = text.find_first_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (text.size() < 8 || letters == std::string_view::npos) return false;
    return !RE2::FullMatch(text, rhetoric) && !RE2::FullMatch(text, politeness);
  }
  return asks_for_answer(text);
}

Asks asks_of(std::string_view text, TimePoint written, int offset_min) {
  Asks out;
  for (const auto& sentence : sentences_of(text)) {
    if (out.questions.size() < kept_max && is_question(sentence)) {
      out.questions.push_back(sentence);
    }
    if (out.promises.size() >= kept_max) continue;
    const bool asked = is_request(sentence);
    if (!asked && !is_commitment(sentence)) continue;
    const auto dates = find_dates(sentence, written, offset_min);
    if (dates.empty()) continue;
    // Of several times the one that is a deadline, else the last: "I saw it today and will send it
    // tomorrow".
    const auto* meant = &dates.back();
    for (const auto& date : dates) {
      if (date.deadline) meant = &date;
    }
    if (meant->at <= written) continue;
    out.promises.push_back({sentence, asked ? "reader" : "writer", meant->at});
  }
  return out;
}

}  // namespace vigil::entities::comms
