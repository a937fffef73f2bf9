#include "entities/codebase/diff.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

namespace vigil::entities::codebase {
namespace {

std::string_view without_cr(std::string_view line) {
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

std::optional<int> take_number(std::string_view& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

// "12,3" or "12", which means one line. Lines count from 1; "0,0" stands before the first.
bool take_range(std::string_view& text, int& start, int& count) {
  const auto first = take_number(text);
  if (!first) return false;
  start = *first;
  count = 1;
  if (text.starts_with(',')) {
    text.remove_prefix(1);
    const auto second = take_number(text);
    if (!second) return false;
    count = *second;
  }
  if (count > 0) start = std::max(start, 1);
  return count <= std::numeric_limits<int>::max() - start;
}

std::optional<Hunk> read_hunk_head(std::string_view line) {
  if (!line.starts_with("@@ -")) return std::nullopt;
  line.remove_prefix(4);
  Hunk hunk;
  if (!take_range(line, hunk.old_start, hunk.old_count) || !line.starts_with(" +")) {
    return std::nullopt;
  }
  line.remove_prefix(2);
  if (!take_range(line, hunk.new_start, hunk.new_count) || !line.starts_with(" @@")) {
    return std::nullopt;
  }
  line.remove_prefix(3);
  if (line.starts_with(' ')) line.remove_prefix(1);
  hunk.heading = line;
  return hunk;
}

// The name in a `---` or `+++` line: up to a tab, behind which diff writes a time.
std::string read_name(std::string_view text) {
  if (!text.starts_with('"')) text = text.substr(0, text.find('\t'));
  while (text.ends_with(' ')) text.remove_suffix(1);
  return unquote_path(text);
}

std::string without_prefix(std::string name) {
  if (name == "/dev/null") return {};
  if (name.size() > 2 && name[1] == '/' &&
      std::string_view("abciwo").find(name[0]) != std::string_view::npos) {
    return name.substr(2);
  }
  return name;
}

std::string without_first_step(const std::string& name) {
  const auto slash = name.find('/');
  return slash == std::string::npos ? name : name.substr(slash + 1);
}

// "a/x b/x": names may hold blanks, and then only the equal halves tell where one ends.
void read_git_names(std::string_view rest, FileDiff& file) {
  if (rest.starts_with('"')) {
    std::size_t end = 1;
    while (end < rest.size() && rest[end] != '"') end += rest[end] == '\\' ? 2 : 1;
    file.old_path = without_prefix(unquote_path(rest.substr(0, end + 1)));
    file.new_path = end + 2 < rest.size() ? without_prefix(read_name(rest.substr(end + 2))) : "";
    return;
  }
  if (const auto quoted = rest.find(" \""); quoted != std::string_view::npos) {
    file.old_path = without_prefix(std::string(rest.substr(0, quoted)));
    file.new_path = without_prefix(unquote_path(rest.substr(quoted + 1)));
    return;
  }
  for (auto blank = rest.find(' '); blank != std::string_view::npos;
       blank = rest.find(' ', blank + 1)) {
    const auto old_name = without_prefix(std::string(rest.substr(0, blank)));
    const auto new_name = without_prefix(std::string(rest.substr(blank + 1)));
    if (old_name == new_name || rest.find(' ', blank + 1) == std::string_view::npos) {
      file.old_path = old_name;
      file.new_path = new_name;
      if (old_name == new_name) return;
    }
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Diff parse() {
    while (!text_.empty()) {
      const auto line = next();
      if (skipping_combined_ && !line.starts_with("diff --git ")) {
        if (line.starts_with("diff --c")) ++diff_.combined_skipped;
        continue;
      }
      read_line(line);
    }
    close();
    return std::move(diff_);
  }

 private:
  std::string_view next() {
    const auto end = text_.find('\n');
    const auto line = text_.substr(0, end);
    text_ = end == std::string_view::npos ? std::string_view{} : text_.substr(end + 1);
    return line;
  }
  std::string_view peek() const { return text_.substr(0, text_.find('\n')); }

  void close() {
    if (open_ && (!file_.old_path.empty() || !file_.new_path.empty())) {
      if (file_.kind == ChangeKind::added) file_.old_path.clear();
      if (file_.kind == ChangeKind::removed) file_.new_path.clear();
      diff_.files.push_back(std::move(file_));
    }
    file_ = FileDiff{};
    open_ = false;
    by_git_ = false;
    in_head_ = false;
  }

  void open() {
    close();
    open_ = true;
    in_head_ = true;
    skipping_combined_ = false;
  }

  void read_line(std::string_view raw) {
    const auto line = without_cr(raw);
    if (line.starts_with("diff --git ")) {
      open();
      by_git_ = true;
      read_git_names(line.substr(11), file_);
    } else if (line.starts_with("diff --cc ") || line.starts_with("diff --combined ")) {
      close();
      skipping_combined_ = true;
      ++diff_.combined_skipped;
    } else if (line.starts_with("--- ") && without_cr(peek()).starts_with("+++ ")) {
      read_names(line.substr(4), without_cr(next()).substr(4));
    } else if (line.starts_with("@@ ") && open_) {
      if (auto hunk = read_hunk_head(line)) read_hunk(std::move(*hunk));
    } else if (open_ && in_head_) {
      read_extended(line);
    }
  }

  void read_extended(std::string_view line) {
    const auto rest_of = [&](std::string_view head) -> std::optional<std::string_view> {
      if (!line.starts_with(head)) return std::nullopt;
      return line.substr(head.size());
    };
    if (auto mode = rest_of("new file mode ")) {
      file_.new_mode = *mode;
      file_.kind = ChangeKind::added;
    } else if (auto gone = rest_of("deleted file mode ")) {
      file_.old_mode = *gone;
      file_.kind = ChangeKind::removed;
    } else if (auto old_mode = rest_of("old mode ")) {
      file_.old_mode = *old_mode;
    } else if (auto new_mode = rest_of("new mode ")) {
      file_.new_mode = *new_mode;
    } else if (auto from = rest_of("rename from ")) {
      file_.old_path = unquote_path(*from);
      file_.kind = ChangeKind::renamed;
    } else if (auto to = rest_of("rename to ")) {
      file_.new_path = unquote_path(*to);
    } else if (auto copied = rest_of("copy from ")) {
      file_.old_path = unquote_path(*copied);
      file_.kind = ChangeKind::copied;
    } else if (auto copy = rest_of("copy to ")) {
      file_.new_path = unquote_path(*copy);
    } else if (line.starts_with("Binary files ") || line.starts_with("GIT binary patch")) {
      file_.binary = true;
      in_head_ = false;
    }
  }

  void read_names(std::string_view old_text, std::string_view new_text) {
    auto old_name = read_name(old_text);
    auto new_name = read_name(new_text);
    if (!by_git_ || !in_head_) {
      open();
      // Without git's own line the first step of both names is that of two trees side by side.
      const bool prefixed =
          without_prefix(old_name) != old_name || without_prefix(new_name) != new_name;
      const bool two_trees = without_first_step(old_name) == without_first_step(new_name);
      if (!prefixed && two_trees && old_name != new_name) {
        old_name = without_first_step(old_name);
        new_name = without_first_step(new_name);
      }
      if (old_name == "/dev/null") file_.kind = ChangeKind::added;
      if (new_name == "/dev/null") file_.kind = ChangeKind::removed;
    }
    if (file_.kind == ChangeKind::renamed || file_.kind == ChangeKind::copied) return;
    file_.old_path = without_prefix(std::move(old_name));
    file_.new_path = without_prefix(std::move(new_name));
  }

  void read_hunk(Hunk hunk) {
    in_head_ = false;
    int old_left = hunk.old_count;
    int new_left = hunk.new_count;
    int old_number = hunk.old_start;
    int new_number = hunk.new_start;
    char last = ' ';
    while ((old_left > 0 || new_left > 0) && !text_.empty()) {
      const auto raw = peek();
      const char mark = without_cr(raw).empty() ? ' ' : raw.front();  // mail eats blanks at ends
      if (mark == '\\') {
        note_missing_newline(last);
      } else if (mark == '+' && new_left > 0) {
        file_.added.push_back({new_number++, std::string(without_cr(raw.substr(1)))});
        --new_left;
      } else if (mark == '-' && old_left > 0) {
        file_.removed.push_back({old_number++, std::string(without_cr(raw.substr(1)))});
        --old_left;
      } else if ((mark == ' ' || mark == '\t') && old_left > 0 && new_left > 0) {
        ++old_number;
        ++new_number;
        --old_left;
        --new_left;
      } else {
        break;  // the counts lie: what follows is read as what it looks like
      }
      last = mark;
      (void)next();  // it was peeked at
    }
    if (peek().starts_with('\\')) {
      note_missing_newline(last);
      (void)next();
    }
    diff_.cut |= (old_left > 0 || new_left > 0) && text_.empty();
    file_.hunks.push_back(std::move(hunk));
  }

  void note_missing_newline(char last) {
    if (last != '+') file_.old_ends_without_newline = true;
    if (last != '-') file_.new_ends_without_newline = true;
  }

  std::string_view text_;
  Diff diff_;
  FileDiff file_;
  bool open_ = false;
  bool by_git_ = false;
  bool in_head_ = false;  // between a file's first line and its first hunk
  bool skipping_combined_ = false;
};

}  // namespace

std::string_view to_text(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::modified:
      return "modified";
    case ChangeKind::added:
      return "added";
    case ChangeKind::removed:
      return "removed";
    case ChangeKind::renamed:
      return "renamed";
    case ChangeKind::copied:
      return "copied";
  }
  return "modified";
}

std::string unquote_path(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::string(text);
  text = text.substr(1, text.size() - 2);
  std::string name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 >= text.size()) {
      name += text[i];
      continue;
    }
    const char escaped = text[++i];
    const auto is_octal = [&](std::size_t at) {
      return at < text.size() && text[at] >= '0' && text[at] <= '7';
    };
    if (is_octal(i) && is_octal(i + 1) && is_octal(i + 2)) {
      name += static_cast<char>((text[i] - '0') * 64 + (text[i + 1] - '0') * 8 + text[i + 2] - '0');
      i += 2;
      continue;
    }
    constexpr std::string_view letters = "abfnrtv";
    constexpr std::string_view meanings = "\a\b\f\n\r\t\v";
    const auto known = letters.find(escaped);
    name += known == std::string_view::npos ? escaped : meanings[known];
  }
  return name;
}

Diff parse_diff(std::string_view text) { return Parser(text).parse(); }

}  // namespace vigil::entities::codebase
