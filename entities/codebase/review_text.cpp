// Reviews as texts for people. Everything foreign stands in code spans, where it can neither call
// somebody by @name nor form a link or an image.
#include <fmt/format.h>

#include <algorithm>

#include "entities/codebase/review.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::size_t shown_max = 50;
constexpr std::size_t fixed_shown_max = 20;

std::string code_span(std::string_view text) {
  std::string inside = one_line(text, 200);
  std::ranges::replace(inside, '`', '\'');
  return "`" + inside + "`";
}

// Our own words with foreign names in them: no markup, no mention.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : one_line(text, 300)) {
    if (std::string_view("\\`*_[]<>|#").find(c) != std::string_view::npos) out += '\\';
    out += c;
    if (c == '@') out += "\xE2\x80\x8B";  // a blank without width
  }
  return out;
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts)
    all += fmt::format("{}{}", all.empty() ? "" : " ", code_span(text));
  return all;
}

std::string sentence(std::string_view text) {
  auto out = plain(text);
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') out[0] = static_cast<char>(out[0] - 32);
  return out;
}

std::string finding_line(const Finding& finding, bool is_new) {
  auto line = fmt::format("- **{}**", to_text(finding.severity));
  if (!finding.path.empty()) line += " " + code_span(place_of(finding));
  line += " " + plain(finding.title);
  if (!finding.hint.empty()) line += fmt::format(". {}", sentence(finding.hint));
  line += fmt::format(" ({}/{}, key `{}`){}\n", finding.analyser, plain(finding.rule), finding.key,
                      is_new ? " **new**" : "");
  return line;
}

std::string footer(const Review& review) {
  std::string text;
  if (!review.labels.empty()) text += fmt::format("\nLabels: {}\n", joined(review.labels));
  if (!review.owners.empty()) text += fmt::format("\nOwners: {}\n", joined(review.owners));
  if (!review.not_done.empty()) {
    text +=
        fmt::format("\nWithout a result, and so not judged here: {}\n", joined(review.not_done));
  }
  if (review.left_off + review.ignored + review.dismissed > 0) {
    text += fmt::format("\nLeft out: {} dismissed before, {} in ignored paths, {} over the limit\n",
                        review.dismissed, review.ignored, review.left_off);
  }
  if (!review.findings.empty()) {
    text += "\nA finding that is wrong is not told again once its key was called noise.\n";
  }
  return text;
}

}  // namespace

std::string to_markdown(const Review& review, const Progress& progress) {
  std::string text =
      fmt::format("### Review of {}: {}\n\n{} files, +{} −{}: {}.\n\n",
                  code_span(review.head.substr(0, 9)), counts_text(review.findings),
                  review.file_count, review.added, review.removed, plain(review.why));
  if (!review.as_asked) {
    text +=
        "**This is not the change itself:** its commits are not in the local clone. Fetch them "
        "there, then review again.\n\n";
  }
  std::size_t shown = 0;
  for (const auto& finding : review.findings) {
    if (++shown > shown_max) break;
    const auto& news = progress.new_keys;
    const bool is_new = !progress.first && std::ranges::find(news, finding.key) != news.end();
    text += finding_line(finding, is_new);
  }
  if (review.findings.size() > shown_max) {
    text += fmt::format("- and {} more\n", review.findings.size() - shown_max);
  }
  if (!progress.fixed.empty()) text += "\nNo longer there:\n";
  shown = 0;
  for (const auto& finding : progress.fixed) {
    if (++shown > fixed_shown_max) break;
    text += fmt::format("- ~~{}~~ {}\n", plain(finding.title), code_span(place_of(finding)));
  }
  return text + footer(review);
}

std::string to_terminal(const Review& review) {
  std::string text = fmt::format("{} files, +{} -{}: {}\n", review.file_count, review.added,
                                 review.removed, one_line(review.why, 400));
  for (const auto& finding : review.findings) {
    text += fmt::format("{}: {}: {} [{}/{} {}]\n", one_line(place_of(finding), 300),
                        to_text(finding.severity), one_line(finding.title, 300), finding.analyser,
                        finding.rule, finding.key);
  }
  for (const auto& name : review.not_done) text += fmt::format("{}: no result\n", name);
  text += fmt::format("{}{}\n", counts_text(review.findings),
                      review.dismissed + review.ignored + review.left_off == 0
                          ? ""
                          : fmt::format(" ({} dismissed, {} ignored, {} over the limit)",
                                        review.dismissed, review.ignored, review.left_off));
  return text;
}

}  // namespace vigil::entities::codebase
