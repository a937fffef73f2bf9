#include "entities/codebase/leftovers.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <memory>

#include "entities/codebase/paths.hpp"

namespace vigil::entities::codebase {
namespace {

// git writes seven of one character, then a blank and a name; only the middle one stands alone.
bool is_mark(std::string_view line, char of) {
  if (line.size() < 7 || line.substr(0, 7) != std::string(7, of)) return false;
  if (line.size() == 7) return of == '=' || of == '>' || of == '<';
  return line[7] == ' ' && line.size() > 8 && line[8] != of;
}

Finding conflict(const FileDiff& file, const DiffLine& line, std::string_view rule,
                 Severity severity, std::string title) {
  Finding finding;
  finding.analyser = "conflicts";
  finding.rule = rule;
  finding.severity = severity;
  finding.path = file.new_path;
  finding.line = line.number;
  finding.title = std::move(title);
  finding.hint = "decide which side stays and remove the marks";
  finding.key = finding_key("conflicts", rule, file.new_path, line.text);
  return finding;
}

void find_marks(const FileDiff& file, std::vector<Finding>& out) {
  const DiffLine* begin = nullptr;
  const DiffLine* middle = nullptr;
  bool whole = false;
  for (const auto& line : file.added) {
    if (is_mark(line.text, '<')) {
      begin = &line;
      middle = nullptr;
    } else if (is_mark(line.text, '=') && line.text.size() == 7 && begin != nullptr) {
      middle = &line;
    } else if (is_mark(line.text, '>') && begin != nullptr && middle != nullptr) {
      out.push_back(conflict(file, *begin, "conflict-markers", Severity::high,
                             fmt::format("a merge conflict was committed unresolved (lines {} to "
                                         "{})",
                                         begin->number, line.number)));
      begin = middle = nullptr;
      whole = true;
    }
  }
  if (whole || is_prose(file.new_path)) return;
  // Half a conflict: an underline in a text has seven of a kind too, but no name behind it.
  for (const auto& line : file.added) {
    const bool named = line.text.size() > 8 && (is_mark(line.text, '<') || is_mark(line.text, '>'));
    if (!named) continue;
    out.push_back(conflict(file, line, "half-a-conflict", Severity::medium,
                           "a mark of a merge conflict was left behind"));
    return;
  }
}

bool is_merge_junk(std::string_view path) {
  const auto name = file_name(path);
  for (const std::string_view end : {".orig", ".rej"}) {
    if (name.ends_with(end) && name.size() > end.size()) return true;
  }
  static const RE2 tool(R"(_(BACKUP|BASE|LOCAL|REMOTE)_\d+(\.\w+)?$|^\.merge_file_)");
  return RE2::PartialMatch(re2::StringPiece(name.data(), name.size()), tool);
}

struct DebugRule {
  std::string_view rule;
  std::string_view extensions;  // between commas
  std::string_view keyword;     // a line without it is not looked at closer
  std::string_view pattern;
  std::string_view title;
};

// Only what nobody commits on purpose: a log line may be meant, a breakpoint is not.
constexpr std::array debug_rules{
    DebugRule{"debugger-statement", ",js,jsx,ts,tsx,mjs,cjs,vue,svelte,", "debugger",
              R"(^\s*debugger\s*;?\s*$)", "a debugger statement stops the program there"},
    DebugRule{"python-breakpoint", ",py,", "",
              R"(^\s*(breakpoint\(\)|(import i?pdb\s*;\s*)?i?pdb\.set_trace\(\)))",
              "a breakpoint stops the program there"},
    DebugRule{"ruby-breakpoint", ",rb,rake,", "", R"(^\s*(binding\.(pry|irb)|byebug|debugger)\s*$)",
              "a breakpoint stops the program there"},
    DebugRule{"rust-dbg", ",rs,", "dbg!", R"((^|[^\w/"])dbg!\()", "dbg! prints to standard error"},
    DebugRule{"php-dump", ",php,", "", R"(^\s*(var_dump|dd|print_r)\(\$)",
              "a variable is dumped into the output"},
    DebugRule{"only-these-tests", ",js,jsx,ts,tsx,mjs,cjs,", "",
              R"(^\s*((describe|it|test|context|suite)\.only|fdescribe|fit)\()",
              "only this test runs: all others are skipped in silence"},
    DebugRule{"elixir-breakpoint", ",ex,exs,", "IEx.pry", R"(^\s*(require IEx;\s*)?IEx\.pry)",
              "a breakpoint stops the program there"},
};

const std::vector<std::unique_ptr<RE2>>& debug_patterns() {
  static const auto compiled = [] {
    std::vector<std::unique_ptr<RE2>> all;
    for (const auto& rule : debug_rules) {
      all.push_back(
          std::make_unique<RE2>(re2::StringPiece(rule.pattern.data(), rule.pattern.size())));
    }
    return all;
  }();
  return compiled;
}

std::string trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  const auto end = text.find_last_not_of(" \t");
  return std::string(text.substr(begin, end - begin + 1));
}

}  // namespace

std::vector<Finding> find_conflicts(const Diff& diff) {
  std::vector<Finding> out;
  for (const auto& file : diff.files) {
    if (file.new_path.empty()) continue;
    find_marks(file, out);
    if (file.kind != ChangeKind::added || !is_merge_junk(file.new_path)) continue;
    Finding finding;
    finding.analyser = "conflicts";
    finding.rule = "merge-junk";
    finding.severity = Severity::medium;
    finding.path = file.new_path;
    finding.title = "a file that a merge or a patch left behind was committed";
    finding.hint = "remove it and add the pattern to .gitignore";
    finding.key = finding_key("conflicts", finding.rule, file.new_path, "");
    out.push_back(std::move(finding));
  }
  return out;
}

std::vector<Finding> find_debugging(const Diff& diff) {
  std::vector<Finding> out;
  const auto& patterns = debug_patterns();
  for (const auto& file : diff.files) {
    const auto extension = fmt::format(",{},", extension_of(file.new_path));
    if (extension == ",," || is_generated(file.new_path)) continue;
    for (std::size_t i = 0; i < debug_rules.size(); ++i) {
      const auto& rule = debug_rules[i];
      if (rule.extensions.find(extension) == std::string_view::npos) continue;
      for (const auto& line : file.added) {
        if (!rule.keyword.empty() && line.text.find(rule.keyword) == std::string::npos) continue;
        if (!RE2::PartialMatch(line.text, *patterns[i])) continue;
        Finding finding;
        finding.analyser = "debug";
        finding.rule = rule.rule;
        finding.severity = Severity::medium;
        finding.path = file.new_path;
        finding.line = line.number;
        finding.title = rule.title;
        finding.hint = "remove it before merging";
        finding.key = finding_key("debug", rule.rule, file.new_path, trimmed(line.text));
        out.push_back(std::move(finding));
      }
    }
  }
  return out;
}

std::vector<Finding> find_todos(const Diff& diff) {
  static const RE2 mark(R"((?:^|[^\w"'`])(TODO|FIXME|XXX|HACK)\b(?:\([^)]*\))?\s*[:\-]?\s*(.*))");
  std::vector<Finding> out;
  for (const auto& file : diff.files) {
    if (file.new_path.empty() || is_generated(file.new_path)) continue;
    for (const auto& line : file.added) {
      std::string word;
      std::string rest;
      const bool comment = line.text.find_first_of("#/*;-<%") != std::string::npos;
      if (!comment || !RE2::PartialMatch(line.text, mark, &word, &rest)) continue;
      Finding finding;
      finding.analyser = "todo";
      finding.rule = word == "FIXME" ? "fixme" : "todo";
      finding.severity = word == "FIXME" ? Severity::low : Severity::info;
      finding.path = file.new_path;
      finding.line = line.number;
      finding.title = fmt::format("{} was added: {}", word, one_line(trimmed(rest), 80));
      finding.key = finding_key("todo", finding.rule, file.new_path, trimmed(line.text));
      out.push_back(std::move(finding));
    }
  }
  return out;
}

}  // namespace vigil::entities::codebase
