#pragma once
// Reads unified diffs, as git and diff write them and as mails carry them. Pure; any thread.
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace vigil::entities::codebase {

enum class ChangeKind { modified, added, removed, renamed, copied };
std::string_view to_text(ChangeKind kind);

struct DiffLine {
  int number = 0;    // in the new file when added, in the old one when removed
  std::string text;  // without its line end
};

struct Hunk {
  int old_start = 0;
  int old_count = 0;
  int new_start = 0;
  int new_count = 0;
  std::string heading;  // what stands behind the second @@
};

struct FileDiff {
  std::string old_path;  // empty: there was none
  std::string new_path;  // empty: there is none any more
  ChangeKind kind = ChangeKind::modified;
  std::string old_mode;  // 100644; empty: not said
  std::string new_mode;
  bool binary = false;
  bool old_ends_without_newline = false;
  bool new_ends_without_newline = false;
  std::vector<Hunk> hunks;
  std::vector<DiffLine> added;
  std::vector<DiffLine> removed;

  // The name it goes by: the new one, of a removed file the old one.
  const std::string& path() const { return new_path.empty() ? old_path : new_path; }
};

struct Diff {
  std::vector<FileDiff> files;
  int combined_skipped = 0;  // files of merges (diff --cc), which have no single old side
  bool cut = false;          // the text ended inside a hunk
};

// Takes any bytes. What is no diff (a mail's text, a signature) is passed over.
Diff parse_diff(std::string_view text);

// "a\"b\303\244" as git quotes names; a text without quotes is returned as it is.
std::string unquote_path(std::string_view text);

}  // namespace vigil::entities::codebase
