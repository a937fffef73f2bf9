#include "entities/comms/body.hpp"

#include <re2/re2.h>

#include <algorithm>
#include <array>

#include "entities/comms/words.hpp"

namespace vigil::entities::comms {
namespace {

// The line before a quote, as mail programs write it; it may be broken in two.
bool is_attribution(std::string_view line) {
  static const RE2 form(
      R"((?i)^(on\b.{4,200}\bwrote|(am|um)\b.{4,200}\bschrieb\b.{0,100}|le\b.{4,200}\ba écrit)"
      R"(|.{1,100}<[^ >]+@[^ >]+> (wrote|writes|schrieb)|.{1,80} (wrote|writes|schrieb)) ?:$)");
  return RE2::FullMatch(line, form);
}

// From here on everything is another message.
bool is_divider(std::string_view line) {
  static const RE2 form(
      R"((?i)^(-{2,} ?(original message|original appointment|ursprüngliche nachricht)"
      R"(|originalnachricht|forwarded message|weitergeleitete nachricht|message d'origine)"
      R"(|forwarded by .{0,100}) ?-{2,}|begin forwarded message:|_{20,})$)");
  return RE2::FullMatch(line, form);
}

bool is_header_line(std::string_view line) {
  static const RE2 form(
      R"((?i)^\*?(from|sent|to|cc|subject|date|von|gesendet|an|betreff|datum)\*?: ?\*?.{0,300}$)");
  return RE2::FullMatch(line, form);
}

bool is_signature_mark(std::string_view line) {
  return line == "-- " || line == "--" || line == "—";
}

// A line drawn across: _______ or -------.
bool is_ruler(std::string_view line) {
  constexpr std::size_t ruler_bytes_min = 20;
  return line.size() >= ruler_bytes_min &&
         line.find_first_not_of(line.front() == '_' ? "_" : "-") == std::string_view::npos;
}

void add_line(std::string& to, std::string_view line) {
  to += line;
  to += '\n';
}

std::string tidy(const std::string& text) {
  std::string out(trimmed(text));
  if (!out.empty()) out += '\n';
  return out;
}

}  // namespace

Body split_body(std::string_view text) {
  Body out;
  const auto lines = lines_of(text);
  auto* to = &out.text;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const auto line = lines[i];
    const auto bare = trimmed(line);
    if (line.starts_with('>')) {
      // A quote ends a signature: some write below the other's text.
      if (to == &out.signature) to = &out.text;
      add_line(out.quoted, line);
      continue;
    }
    if (to == &out.text) {
      const bool broken =
          i + 1 < lines.size() && bare.size() > 8 && !bare.ends_with(':') &&
          is_attribution(std::string(bare) + " " + std::string(trimmed(lines[i + 1])));
      if (is_attribution(bare) || broken) {
        add_line(out.quoted, line);
        if (broken) add_line(out.quoted, lines[++i]);
        // Without marks before its lines the quote is all that follows.
        auto next = i + 1;
        while (next < lines.size() && trimmed(lines[next]).empty()) ++next;
        if (next < lines.size() && !lines[next].starts_with('>')) to = &out.quoted;
        continue;
      }
      const bool heads = is_header_line(bare) && i + 2 < lines.size() &&
                         is_header_line(trimmed(lines[i + 1])) &&
                         is_header_line(trimmed(lines[i + 2]));
      if (is_divider(bare) || heads) to = &out.quoted;
      if (is_signature_mark(line)) {
        to = &out.signature;
        continue;
      }
    }
    add_line(*to, line);
  }
  out.text = tidy(out.text);
  out.quoted = tidy(out.quoted);
  out.signature = tidy(out.signature);
  return out;
}

std::string_view without_list_footer(std::string_view text, std::string_view list_host) {
  constexpr std::size_t footer_lines_max = 10;
  constexpr std::size_t section_lines_max = 8;
  if (list_host.empty()) return text;
  const auto lines = lines_of(text);
  std::size_t last = lines.size();
  while (last > 0 && trimmed(lines[last - 1]).empty()) --last;
  auto begin = last - std::min(last, footer_lines_max);
  while (begin < last && lines[begin].find(list_host) == std::string_view::npos) ++begin;
  if (begin == last) return text;
  for (auto above = begin; above > 0 && begin - above < section_lines_max;) {
    --above;
    const auto line = trimmed(lines[above]);
    if (is_ruler(line) || is_signature_mark(lines[above])) begin = above;
  }
  return text.substr(0, static_cast<std::size_t>(lines[begin].data() - text.data()));
}

std::string greeted_name(std::string_view text) {
  static const RE2 form(
      R"((?i)^(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|hallo|liebe|lieber|moin)"
      R"(|servus|guten (?:tag|morgen|abend)|sehr geehrte|sehr geehrter)\s+(?:(?:mr|mrs|ms|dr)\.?\s)"
      R"(|(?:frau|herr|dr\.?)\s)*([^\s,!.:;-]{2,40}))");
  static const RE2 bare(R"(^@([^\s,!.:;]{2,40}))");
  int seen = 0;
  for (const auto line : lines_of(text)) {
    const auto part = trimmed(line);
    if (part.empty()) continue;
    std::string name;
    if (RE2::PartialMatch(part, form, &name) || RE2::PartialMatch(part, bare, &name)) return name;
    if (++seen >= 2) break;
  }
  return {};
}

std::string_view language_of(std::string_view text) {
  static constexpr std::array<std::string_view, 16> english{
      "the", "and", "you", "of",   "to", "is",   "for", "that",
      "it",  "we",  "are", "have", "be", "with", "on",  "please"};
  static constexpr std::array<std::string_view, 16> german{
      "der", "die", "und", "ich", "das", "ist", "nicht", "wir",
      "sie", "den", "mit", "zu",  "ein", "für", "auf",   "bitte"};
  int en = 0;
  int de = 0;
  std::string word;
  for (const char c : lower_text(text.substr(0, 8000)) + " ") {
    const bool letter = (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80;
    if (letter) {
      word += c;
      continue;
    }
    en += std::ranges::find(english, word) != english.end() ? 1 : 0;
    de += std::ranges::find(german, word) != german.end() ? 1 : 0;
    word.clear();
  }
  if (en + de < 2 || en == de) return {};
  return en > de ? "en" : "de";
}

}  // namespace vigil::entities::comms
