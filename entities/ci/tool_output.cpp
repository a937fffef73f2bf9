#include "entities/ci/tool_output.hpp"

#include <fmt/format.h>
#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <unordered_map>

#include "entities/ci/place.hpp"
#include "entities/ci/report_parts.hpp"
#include "entities/ci/tool_documents.hpp"

namespace vigil::entities::ci {
namespace {

constexpr std::size_t line_bytes_max = 4000;
constexpr std::size_t message_bytes_max = 1000;
constexpr std::size_t folders_max = 64;
constexpr int place_lines_max = 3;
constexpr int groups_max = 10;

std::vector<std::unique_ptr<RE2>> compile_formats() {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_encoding(RE2::Options::EncodingLatin1);  // output is bytes, of any charset
  std::vector<std::unique_ptr<RE2>> all;
  for (const auto& format : line_formats()) {
    all.push_back(std::make_unique<RE2>(
        re2::StringPiece(format.pattern.data(), format.pattern.size()), options));
  }
  return all;
}

int number_from(std::string_view text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// What follows an error and is none of its own: the compiler's sums and the build's.
bool is_consequence(const LineFormat& format, std::string_view message) {
  constexpr std::array<std::string_view, 14> colon{"instantiated from",
                                                   "required from",
                                                   "required by",
                                                   "in instantiation",
                                                   "recursively",
                                                   "In instantiation",
                                                   "In function",
                                                   "In member function",
                                                   "from ",
                                                   "all warnings being treated as errors",
                                                   "linker command failed",
                                                   "Entering",
                                                   "Leaving",
                                                   "At global scope"};
  constexpr std::array<std::string_view, 9> cargo{"could not compile",
                                                  "aborting due to",
                                                  "linker command failed",
                                                  "build failed",
                                                  "failed to run",
                                                  "unused manifest key",
                                                  "`",
                                                  "process didn't exit",
                                                  "test failed"};
  constexpr std::array<std::string_view, 8> maven{
      "-> [Help", "To see the full",  "Re-run Maven", "For more information",
      "[Help ",   "After correcting", "  mvn ",       "COMPILATION ERROR"};
  const auto begins = [&](const auto& list) {
    return std::ranges::any_of(list, [&](auto head) { return message.starts_with(head); });
  };
  if (format.tool == "cargo") return begins(cargo);
  if (format.tool == "maven") return begins(maven);
  return begins(colon);
}

// The rule a message names: [-Wunused], [SC2086], or in front [StringSplitter].
void take_rule(Issue& issue) {
  static const RE2 behind(R"(\s\[(-?[A-Za-z][\w\-.,=+:]*)\]$)");
  static const RE2 before(R"(^\[([A-Za-z][\w\-]*)\]\s+)");
  if (!issue.rule.empty()) return;
  if (RE2::PartialMatch(issue.message, behind, &issue.rule)) return;
  RE2::PartialMatch(issue.message, before, &issue.rule);
}

// Compilers print alike; the rule tells some of them apart.
void take_tool(Issue& issue) {
  if (issue.tool != "compiler") return;
  if (issue.rule.starts_with("SC")) issue.tool = "shellcheck";
  if (issue.rule.starts_with("clang-") || issue.rule.starts_with("google-") ||
      issue.rule.starts_with("modernize-") || issue.rule.starts_with("bugprone-") ||
      issue.rule.starts_with("readability-") || issue.rule.starts_with("cppcoreguidelines-") ||
      issue.rule.starts_with("performance-") || issue.rule.starts_with("misc-")) {
    issue.tool = "clang-tidy";
  }
}

class LineReader {
 public:
  ToolOutput read(std::string_view text) {
    while (!text.empty() && !out_.cut) {
      auto line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      ++out_.lines;
      if (line.size() > line_bytes_max) {
        // One line of JSON may be long; nothing else that is an issue is.
        if (!read_json_line(line)) continue;
      } else {
        plain_ = plain(line);
        take(plain_);
      }
    }
    settle();
    return std::move(out_);
  }

 private:
  // Without colours, and without what CI systems put before each line.
  static std::string plain(std::string_view line) {
    static const RE2 colours("\x1b\\[[0-9;?]*[A-Za-z]|\x1b\\][^\x07]*\x07|\r");
    static const RE2 stamp(
        R"(^(?:\[?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[.\d]*(?:Z|[+-]\d\d:?\d\d)?\]?\s|#\d+ \d+\.\d+ ))");
    static const RE2 ant(
        R"(^\s*\[(?:javac|exec|ajc|iajc|groovyc|scalac|kotlinc|mxmlc|cc|apt|ant:\w+)\]\s+)");
    std::string text(line);
    if (text.find_first_of("\x1b\r") != std::string::npos) RE2::GlobalReplace(&text, colours, "");
    const char first = text.empty() ? ' ' : text.front();
    if (first == '[' || first == '#' || (first >= '0' && first <= '9')) {
      RE2::Replace(&text, stamp, "");
    }
    if (text.find("] ") != std::string::npos) RE2::Replace(&text, ant, "");
    return text;
  }

  void take(std::string_view line) {
    if (trimmed(line).empty()) return;
    if (line.starts_with('{') && read_json_line(line)) return;
    if (take_folder(line) || take_after(line) || take_table_row(line)) return;
    if (line.find("] ---") != std::string_view::npos || line.starts_with("[INFO] -")) {
      take_goal(line);
      return;
    }
    for (std::size_t i = 0; i < formats_.size(); ++i) {
      const auto& format = line_formats()[i];
      if (line.find(format.needle) == std::string_view::npos) continue;
      if (match(format, *patterns()[i], line)) return;
    }
  }

  static const std::vector<std::unique_ptr<RE2>>& patterns() {
    static const auto all = compile_formats();
    return all;
  }

  bool match(const LineFormat& format, const RE2& pattern, std::string_view line) {
    std::array<re2::StringPiece, groups_max + 1> found;
    const int count = std::min(pattern.NumberOfCapturingGroups(), groups_max) + 1;
    if (!pattern.Match(re2::StringPiece(line.data(), line.size()), 0, line.size(), RE2::ANCHOR_BOTH,
                       found.data(), count)) {
      return false;
    }
    Issue issue;
    issue.tool = format.tool;
    issue.level = format.level;
    bool is_note = false;
    for (std::size_t i = 0; i < format.groups.size(); ++i) {
      const auto& piece = found.at(i + 1);
      const std::string_view text(piece.data(), piece.size());
      if (text.empty()) continue;
      if (format.groups[i] == 'p') issue.path = text;
      if (format.groups[i] == 'l') issue.line = number_from(text);
      if (format.groups[i] == 'c') issue.column = number_from(text);
      if (format.groups[i] == 'r') issue.rule = text;
      if (format.groups[i] == 'm') issue.message = trimmed(text);
      if (format.groups[i] == 's') {
        const bool bad = text.ends_with("rror");  // Parse error, Fatal error, Internal Error
        issue.level = bad ? Level::error : level_from(text).value_or(format.level);
        is_note = text == "note";
      }
    }
    if (is_consequence(format, issue.message)) return true;
    if (format.tool == "maven" && !in_maven_) return false;
    take_rule(issue);
    take_tool(issue);
    // A note explains the error before it; of a linker or shellcheck it stands alone.
    if (is_note && issue.tool == "compiler") return true;
    if (format.after == LineFormat::After::nothing) {
      add(std::move(issue));
    } else {
      settle();
      waiting_ = std::make_unique<Waiting>(std::move(issue), format.after, 0);
    }
    return true;
  }

  struct Waiting {
    Waiting(Issue said, LineFormat::After what, int count)
        : issue(std::move(said)), after(what), lines(count) {}
    Issue issue;
    LineFormat::After after;
    int lines;
  };

  // The line after "CMake Error at x:3:" is its message; rustc's arrow is the place.
  bool take_after(std::string_view line) {
    static const RE2 arrow(R"(^\s*(?:-->|:::|at:?) (.+?):(\d{1,8})(?::(\d{1,8}))?\s*$)");
    if (!waiting_) return false;
    if (waiting_->after == LineFormat::After::message) {
      static const RE2 step(R"(^\[[\w .-]+\]\s{2,})");
      std::string text(line);
      RE2::Replace(&text, step, "  ");
      if (!text.starts_with(' ') && !text.starts_with('>')) {
        settle();
        return false;
      }
      waiting_->issue.message = trimmed(text);
      settle();
      return true;
    }
    auto& issue = waiting_->issue;
    if (RE2::FullMatch(re2::StringPiece(line.data(), line.size()), arrow, &issue.path, &issue.line,
                       &issue.column)) {
      settle();
      return true;
    }
    if (++waiting_->lines >= place_lines_max) settle();
    return false;
  }

  void settle() {
    if (!waiting_) return;
    auto issue = std::move(waiting_->issue);
    const bool wants_place = waiting_->after == LineFormat::After::place;
    waiting_.reset();
    // "warning: something" of nowhere is said by everything; an error of nowhere is still one.
    if (wants_place && issue.path.empty() && issue.level != Level::error) return;
    if (issue.message.empty())
      issue.message = fmt::format("{} {}", issue.tool, to_text(issue.level));
    add(std::move(issue));
  }

  // eslint's rows stand below the file they are about.
  bool take_table_row(std::string_view line) {
    static const RE2 file(R"(^((?:[A-Za-z]:)?[\w./\\@+~-]*[/\\]?[\w.@+~-]+\.\w{1,6})$)");
    static const RE2 row(
        R"(^\s+(\d{1,8}):(\d{1,8})\s+(error|warning|info)\s+(.+?)(?:\s{2,}([\w@/.-]+))?\s*$)");
    const re2::StringPiece text(line.data(), line.size());
    if (!line.starts_with(' ')) {
      std::string path;
      const bool is_file = line.size() < 300 && RE2::FullMatch(text, file, &path);
      table_file_ = is_file ? path : "";
      return is_file;
    }
    if (table_file_.empty()) return false;
    Issue issue;
    std::string word;
    if (!RE2::FullMatch(text, row, &issue.line, &issue.column, &word, &issue.message,
                        &issue.rule)) {
      return false;
    }
    issue.tool = "eslint";
    issue.level = level_from(word).value_or(Level::warning);
    issue.path = table_file_;
    add(std::move(issue));
    return true;
  }

  // make[2]: Entering directory '/x': the paths below are from there.
  bool take_folder(std::string_view line) {
    static const RE2 change(
        R"((?:.*\b)?(?:make|gmake|ninja|[Ww]af|mingw32-make)(?:\[\d+\])?: (Entering|Leaving) directory [`'"](.+)['"]\s*)");
    if (line.find(" directory ") == std::string_view::npos) return false;
    std::string what;
    std::string folder;
    if (!RE2::FullMatch(re2::StringPiece(line.data(), line.size()), change, &what, &folder)) {
      return false;
    }
    if (what == "Entering") {
      if (folders_.size() < folders_max) folders_.push_back(join_paths(here(), folder));
      return true;
    }
    // Jobs side by side leave in any order.
    for (auto left = folders_.size(); left > 0; --left) {
      if (!folders_[left - 1].ends_with(tidy_path(folder))) continue;
      folders_.erase(folders_.begin() + static_cast<std::ptrdiff_t>(left - 1));
      break;
    }
    return true;
  }

  std::string_view here() const {
    return folders_.empty() ? "" : std::string_view(folders_.back());
  }

  // "[INFO] --- pmd:3.11.0:check (x) @ module ---": Maven says the same of each goal.
  void take_goal(std::string_view line) {
    in_maven_ = true;
    if (line.find(" @ ") != std::string_view::npos || line.find("< ") != std::string_view::npos) {
      goal_ += line.find("< ") != std::string_view::npos ? 1'000'000 : 1;
    }
  }

  bool read_json_line(std::string_view line) {
    auto issue = issue_of_json_line(line);
    if (!issue) return false;
    if (*issue) add(std::move(**issue));
    return true;
  }

  void add(Issue issue) {
    if (!issue.path.empty() && !issue.path.starts_with('<')) {
      issue.path = join_paths(here(), path_of_uri(issue.path));
    }
    if (issue.message.size() > message_bytes_max) issue.message.resize(message_bytes_max);
    issue.message = to_valid_utf8(issue.message);
    issue.path = to_valid_utf8(issue.path);
    // Headers say a thing once for each file that includes them, and builds repeat it at the end.
    const auto once = fmt::format("{}\n{}\n{}\n{}\n{}", issue.path, issue.line, issue.column,
                                  issue.message, issue.path.empty() ? goal_ : 0);
    const auto [seen, is_new] = seen_.emplace(std::hash<std::string>{}(once), out_.issues.size());
    if (!is_new) {
      ++out_.issues[seen->second].times;
      return;
    }
    out_.issues.push_back(std::move(issue));
    out_.cut = out_.issues.size() >= issues_max;
  }

  const std::span<const LineFormat> formats_ = line_formats();
  ToolOutput out_;
  std::string plain_;
  std::string table_file_;
  std::vector<std::string> folders_;
  std::unordered_map<std::size_t, std::size_t> seen_;
  std::unique_ptr<Waiting> waiting_;
  bool in_maven_ = false;
  int goal_ = 0;
};

}  // namespace

ToolOutput read_tool_output(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  const auto body = trimmed(text);
  if (auto issues = issues_of_document(body)) {
    ToolOutput out;
    out.lines = 1;
    out.cut = issues->size() > issues_max;
    if (out.cut) issues->resize(issues_max);
    out.issues = std::move(*issues);
    return out;
  }
  return LineReader().read(text);
}

}  // namespace vigil::entities::ci
