#include <algorithm>
#include <charconv>

#include "daemon/runtime/answers.hpp"
#include "entities/forge_facts.hpp"

namespace vigil::runtime {
namespace {

constexpr std::size_t answers_max = 20;
constexpr std::size_t note_bytes_max = 500;

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r";
  const auto begin = text.find_first_not_of(blank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(blank) - begin + 1);
}

std::string_view take_word(std::string_view& line) {
  const auto word = line.substr(0, line.find_first_of(" \t"));
  line = trimmed(line.substr(word.size()));
  return word;
}

enum class Slash { needed, optional };

std::optional<Answer> answer_of(std::string_view line, Slash slash) {
  auto verb = take_word(line);
  if (verb.starts_with('/')) {
    verb.remove_prefix(1);
  } else if (slash == Slash::needed) {
    return std::nullopt;
  }
  if (verb != "approve" && verb != "deny") return std::nullopt;
  const auto number = take_word(line);
  Answer out;
  const auto [end, error] =
      std::from_chars(number.data(), number.data() + number.size(), out.action.value);
  if (error != std::errc{} || end != number.data() + number.size() || out.action.value <= 0) {
    return std::nullopt;
  }
  out.approve = verb == "approve";
  if (out.approve && !line.empty()) {
    if (line != "always") return std::nullopt;  // not a word more than we understand
    out.always = true;
  }
  if (!out.approve) out.note = to_valid_utf8(line.substr(0, note_bytes_max));
  return out;
}

bool among(const std::vector<std::string>& all, std::string_view one) {
  return !one.empty() && std::ranges::find(all, one) != all.end();
}

// Who wrote what; nothing when it is no new text of somebody who may answer.
struct Said {
  std::string by;
  std::string text;
  Slash slash = Slash::needed;
};
std::optional<Said> said_in(const Event& event, config::Scheme scheme,
                            const config::Approvals& approvals) {
  if (scheme == config::Scheme::github) {
    const auto facts = entities::read_forge_facts(event.type, event.data);
    const auto author = find_text(event.data, "comment.user.login").value_or("");
    if (facts.kind != "comment" || facts.action != "created" || author != facts.sender ||
        !among(approvals.github_from, author)) {
      return std::nullopt;
    }
    return Said{"github " + std::string(author), facts.body, Slash::needed};
  }
  if (scheme == config::Scheme::slack && event.type == "chat.message") {
    const auto user = find_text(event.data, "user.id").value_or("");
    if (find_bool(event.data, "bot").value_or(true) || !among(approvals.slack_from, user)) {
      return std::nullopt;
    }
    return Said{"slack " + std::string(user),
                std::string(find_text(event.data, "text").value_or("")), Slash::optional};
  }
  return std::nullopt;
}

}  // namespace

std::vector<Answer> answers_in(const Event& event, const config::Settings& settings) {
  const auto& approvals = settings.approvals;
  if (approvals.github_from.empty() && approvals.slack_from.empty()) return {};
  const auto source = settings.sources.find(event.source);
  if (source == settings.sources.end()) return {};
  const auto* webhook = std::get_if<config::Webhook>(&source->second.of);
  if (webhook == nullptr || webhook->secrets.empty()) return {};
  const auto said = said_in(event, webhook->scheme, approvals);
  if (!said) return {};
  std::vector<Answer> out;
  std::string_view left = said->text;
  while (!left.empty() && out.size() < answers_max) {
    const auto line = left.substr(0, left.find('\n'));
    left.remove_prefix(std::min(left.size(), line.size() + 1));
    auto answer = answer_of(trimmed(line), said->slash);
    if (!answer) continue;
    answer->by = said->by;
    out.push_back(std::move(*answer));
  }
  return out;
}

}  // namespace vigil::runtime
