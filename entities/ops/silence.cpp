#include "entities/ops/silence.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/log.hpp"

namespace vigil::entities::ops {
namespace {

constexpr std::size_t matcher_bytes_max = 1000;
constexpr std::size_t matchers_max = 32;
constexpr std::int64_t regex_memory_max = 1 << 20;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool is_label_name(std::string_view name) {
  const auto plain_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.' || c == ':' || c == '/';
  };
  return !name.empty() && name.size() <= label_name_bytes_max &&
         std::ranges::all_of(name, plain_letter);
}

std::string unquoted(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  std::string out;
  for (std::size_t i = 1; i + 1 < text.size(); ++i) {
    // A backslash protects quotes and itself; before anything else it is part of a regex.
    if (text[i] == '\\' && i + 2 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\')) ++i;
    out += text[i];
  }
  return out;
}

// Words, where quotes hold one together.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  std::string word;
  bool quoted_now = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && quoted_now && i + 1 < text.size()) {
      word += c;
      word += text[++i];
      continue;
    }
    if (c == '"') quoted_now = !quoted_now;
    if (c == ' ' && !quoted_now) {
      if (!word.empty()) out.push_back(std::move(word));
      word.clear();
    } else {
      word += c;
    }
  }
  if (!word.empty()) out.push_back(std::move(word));
  return out;
}

std::string joined(const std::vector<std::string>& words, std::size_t from) {
  std::string out;
  for (std::size_t i = from; i < words.size(); ++i) out += (out.empty() ? "" : " ") + words[i];
  return plain(out, 500);
}

Result<Command> parse_silence(const std::vector<std::string>& words) {
  Command out{.verb = "silence", .matchers = {}, .lasts = {}, .note = {}};
  std::size_t at = 1;
  for (; at < words.size() && words[at] != "for"; ++at) out.matchers.push_back(words[at]);
  const auto usage = "write: silence alertname=\"Disk\" for 2h why it is silenced";
  if (out.matchers.empty() || at + 1 >= words.size()) return fail(ErrorCode::invalid_input, usage);
  auto lasts = parse_duration(words[at + 1]);
  if (!lasts) return fail(ErrorCode::invalid_input, lasts.error().message + "; " + usage);
  constexpr Duration lasts_max = std::chrono::hours{24 * 366};
  if (*lasts <= Duration{0} || *lasts > lasts_max) {
    return fail(ErrorCode::invalid_input, "a silence lasts from 1us to 366d");
  }
  out.lasts = *lasts;
  out.note = joined(words, at + 2);
  if (auto valid = parse_matchers(out.matchers); !valid) {
    return std::unexpected(std::move(valid.error()));
  }
  return out;
}

}  // namespace

struct Matcher::Pattern {
  explicit Pattern(const std::string& text, const re2::RE2::Options& options)
      : regex(text, options) {}
  re2::RE2 regex;
};

Result<Matcher> Matcher::parse(std::string_view text) {
  text = trimmed(text);
  const auto refuse = [&](std::string_view why) {
    return fail(ErrorCode::invalid_input,
                fmt::format("the matcher {} {}: write name=\"value\", !=, =~ or !~",
                            vigil::quoted(text), why));
  };
  if (text.size() > matcher_bytes_max) return refuse("is too long");
  const auto at = text.find_first_of("=!");
  if (at == std::string_view::npos) return refuse("has no operator");
  const auto two = text.substr(at, 2);
  Matcher out;
  out.text_ = text;
  out.label_ = trimmed(text.substr(0, at));
  out.negative_ = two == "!=" || two == "!~";
  if (text[at] == '!' && !out.negative_) return refuse("has no operator");
  const bool regex = two == "=~" || two == "!~";
  const std::size_t length = regex || out.negative_ ? 2 : 1;
  out.value_ = unquoted(trimmed(text.substr(at + length)));
  if (!is_label_name(out.label_)) return refuse("does not begin with the name of a label");
  if (!regex) return out;
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(regex_memory_max);
  auto pattern = std::make_shared<const Pattern>(out.value_, options);
  if (!pattern->regex.ok())
    return refuse("holds a regex with a mistake: " + pattern->regex.error());
  out.pattern_ = std::move(pattern);
  return out;
}

bool Matcher::matches(const Labels& labels) const {
  const auto found = labels.find(label_);
  const std::string_view value = found == labels.end() ? std::string_view{} : found->second;
  const bool same = pattern_ ? re2::RE2::FullMatch(value, pattern_->regex) : value == value_;
  return same != negative_;
}

Result<Matchers> parse_matchers(const std::vector<std::string>& texts) {
  if (texts.size() > matchers_max) return fail(ErrorCode::invalid_input, "more than 32 matchers");
  Matchers out;
  for (const auto& text : texts) {
    auto matcher = Matcher::parse(text);
    if (!matcher) return std::unexpected(std::move(matcher.error()));
    out.push_back(std::move(*matcher));
  }
  return out;
}

bool all_match(const Matchers& matchers, const Labels& labels) {
  return std::ranges::all_of(matchers, [&](const auto& one) { return one.matches(labels); });
}

bool Silence::holds(const Labels& labels, TimePoint now) const {
  if (from && now < *from) return false;
  if (until && now >= *until) return false;
  return all_match(match, labels);
}

json::object to_json(const Silence& silence) {
  json::array match;
  for (const auto& one : silence.match) match.emplace_back(one.text());
  json::object out{
      {"id", silence.id}, {"match", std::move(match)}, {"why", silence.why}, {"by", silence.by}};
  if (silence.from) out["from"] = to_rfc3339(*silence.from);
  if (silence.until) out["until"] = to_rfc3339(*silence.until);
  return out;
}

std::optional<Silence> silence_from_json(const json::value& value) {
  Silence out;
  out.id = find_text(value, "id").value_or("");
  out.why = find_text(value, "why").value_or("");
  out.by = find_text(value, "by").value_or("");
  const auto* match = find_path(value, "match");
  if (match == nullptr || !match->is_array() || match->get_array().empty()) return std::nullopt;
  for (const auto& text : match->get_array()) {
    auto matcher = Matcher::parse(text.is_string() ? std::string_view(text.get_string()) : "");
    if (!matcher) return std::nullopt;
    out.match.push_back(std::move(*matcher));
  }
  // One without an end that can be read would hold for ever.
  const auto until = parse_rfc3339(find_text(value, "until").value_or(""));
  if (!until) return std::nullopt;
  out.until = *until;
  if (const auto from = parse_rfc3339(find_text(value, "from").value_or(""))) out.from = *from;
  return out;
}

Result<Command> parse_command(std::string_view text) {
  constexpr std::size_t text_bytes_max = 4000;
  if (text.size() > text_bytes_max)
    return fail(ErrorCode::too_large, "a command has 4000 bytes at most");
  const auto line = plain(text, text_bytes_max);
  auto words = words_of(line);
  if (!words.empty() && words[0].starts_with('/')) words[0].erase(0, 1);
  const std::string verb = words.empty() ? "" : words[0];
  if (verb == "silence") return parse_silence(words);
  for (const auto* known : {"ack", "unack", "resolve", "note", "unsilence"}) {
    if (verb != known) continue;
    if (verb == "unsilence" && words.size() != 2) {
      return fail(ErrorCode::invalid_input, "write: unsilence ID");
    }
    return Command{.verb = verb, .matchers = {}, .lasts = {}, .note = joined(words, 1)};
  }
  return fail(ErrorCode::invalid_input,
              fmt::format("{} is no command: expected ack, unack, resolve, note, silence or "
                          "unsilence",
                          vigil::quoted(verb)));
}

}  // namespace vigil::entities::ops
