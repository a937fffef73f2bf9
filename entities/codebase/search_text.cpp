// What a search for the first bad commit came to, as texts for people. Everything foreign stands in
// code spans, where it can neither call somebody by @name nor form a link.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/array.hpp>

#include "entities/codebase/finding.hpp"
#include "entities/codebase/search.hpp"

namespace vigil::entities::codebase {
namespace {

constexpr std::size_t tests_told_max = 10;
constexpr std::size_t among_told_max = 10;
constexpr std::size_t rows_max = 60;

std::string brief(std::string_view hash) { return std::string(hash.substr(0, 9)); }

std::string code_span(std::string_view text) {
  std::string inside = one_line(text, 200);
  std::ranges::replace(inside, '`', '\'');
  return "`" + inside + "`";
}

std::string field(const Cause& cause, std::string_view key) {
  const auto* found = cause.described.if_contains(key);
  return found != nullptr && found->is_string() ? std::string(std::string_view(found->get_string()))
                                                : std::string();
}

std::string rounds_text(const Search& search) {
  return fmt::format("{} of {} commits tested, {} at once, in {} round{}", search.tested.size(),
                     search.candidates.size(), search.width, search.round,
                     search.round == 1 ? "" : "s");
}

// In the order of history.
std::vector<std::pair<std::string, Tested>> rows_of(const Search& search) {
  std::vector<std::pair<std::string, Tested>> rows;
  const auto take = [&](const std::string& commit) {
    const auto found = search.tested.find(commit);
    if (found != search.tested.end() && rows.size() < rows_max) rows.emplace_back(*found);
  };
  take(search.good);
  for (const auto& commit : search.candidates) take(commit);
  return rows;
}

std::string files_text(const Cause& cause) {
  const auto* files = cause.described.if_contains("files");
  if (files == nullptr || !files->is_array() || files->get_array().empty()) return {};
  std::string text;
  for (const auto& file : files->get_array()) {
    if (!file.is_string()) continue;
    text += fmt::format("{}{}", text.empty() ? "" : " ",
                        code_span(std::string_view(file.get_string())));
  }
  const auto count = find_integer(json::value(cause.described), "file_count").value_or(0);
  const auto more = count - static_cast<std::int64_t>(files->get_array().size());
  return more > 0 ? fmt::format("{} and {} more", text, more) : text;
}

}  // namespace

std::string to_sentence(const Search& search, const Cause& cause) {
  if (!cause.sure) {
    return fmt::format(
        "{} is broken by one of {} commits up to {}: those between could not be "
        "tested",
        search.command, cause.among.size(), brief(cause.commit));
  }
  auto text = fmt::format("{} is broken since {}", search.command, brief(cause.commit));
  if (!cause.described.empty()) {
    text += fmt::format(" ({}, {}: {})", one_line(field(cause, "author"), 60),
                        field(cause, "date").substr(0, 10), one_line(field(cause, "subject"), 100));
  }
  if (cause.back_and_forth) text += "; it came and went before";
  return text;
}

std::string to_markdown(const Search& search, const Cause& cause) {
  std::string text;
  if (cause.sure) {
    text = fmt::format("### {} is broken since `{}`\n\n{} by {}, {}.\n", code_span(search.command),
                       brief(cause.commit), code_span(field(cause, "subject")),
                       code_span(field(cause, "author")), code_span(field(cause, "date")));
    if (const auto files = files_text(cause); !files.empty()) {
      text += fmt::format("\nIt changes {}.\n", files);
    }
  } else {
    text = fmt::format(
        "### {} is broken by one of {} commits\n\nThose between could not be "
        "tested:\n",
        code_span(search.command), cause.among.size());
    for (std::size_t i = 0; i < cause.among.size() && i < among_told_max; ++i) {
      text += fmt::format("- `{}`\n", brief(cause.among[i]));
    }
    if (cause.among.size() > among_told_max) {
      text += fmt::format("- and {} more\n", cause.among.size() - among_told_max);
    }
  }
  if (!search.sought.tests.empty()) {
    text += "\nWhat fails:\n";
    for (std::size_t i = 0; i < search.sought.tests.size() && i < tests_told_max; ++i) {
      text += fmt::format("- {}\n", code_span(search.sought.tests[i]));
    }
    if (search.sought.tests.size() > tests_told_max) {
      text += fmt::format("- and {} more\n", search.sought.tests.size() - tests_told_max);
    }
  }
  text += fmt::format("\n{}:\n\n| commit | | seconds | round |\n|---|---|---|---|\n",
                      rounds_text(search));
  for (const auto& [commit, tested] : rows_of(search)) {
    text += fmt::format("| `{}` | {}: {} | {:.1f} | {} |\n", brief(commit), to_text(tested.verdict),
                        code_span(tested.why), tested.seconds, tested.round);
  }
  if (cause.back_and_forth) {
    text += "\nIt was good after it had been bad: this is where it broke last, or it is flaky.\n";
  }
  if (search.cut) text += "\nOlder commits than these were not looked at.\n";
  return text;
}

std::string to_terminal(const Search& search, const Cause& cause) {
  std::string text;
  for (const auto& [commit, tested] : rows_of(search)) {
    text += fmt::format("{}  round {}  {:>7.2f}s  {}: {}\n", brief(commit), tested.round,
                        tested.seconds, to_text(tested.verdict), tested.why);
  }
  text += fmt::format("{}\n{}\n", rounds_text(search), to_sentence(search, cause));
  for (const auto& commit : cause.among) text += commit + "\n";
  return text;
}

}  // namespace vigil::entities::codebase
