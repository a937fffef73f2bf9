#pragma once
// Reads on in a file that grows, or what was dropped into a folder since the last look. What was
// read is a handful of texts (State) that the caller keeps; a look that is repeated with the same
// state tells the same again. Blocking: for a contained child.
#include <map>
#include <string>
#include <vector>

#include "entities/feeds/item.hpp"
#include "entities/feeds/table.hpp"

namespace vigil::entities::feeds {

enum class LineForm { lines, json, table };

using State = std::map<std::string, std::string>;

struct FollowForm {
  std::string path;
  LineForm form = LineForm::lines;
  std::vector<std::string> names = {"*"};
  std::string subject_path;
  std::string time_path;
  TableForm table;
  Duration settle{0};
  std::size_t line_bytes_max = 64 * 1024;
  std::size_t read_bytes_max = 4 * 1024 * 1024;  // of one look
  bool is_first = false;                         // nothing was ever read
  bool backfill = false;
};
Result<FollowForm> read_follow_form(const json::value& input);

struct Followed {
  Items items;
  State state;                     // what changed
  std::vector<std::string> gone;   // keys that say nothing any more
  std::vector<std::string> notes;  // for people: truncated, rotated away...
  bool more = false;               // there is more to read at once
  bool pending = false;            // a file is still being written
};

// Errors: the path cannot be read.
Result<Followed> follow(const FollowForm& form, const State& state);

// ---- private to this folder: one file ----------------------------------------------------------

// How far a file was read, and what it was: written "inode:offset:head:digest:skip".
struct Mark {
  std::uint64_t inode = 0;
  std::uint64_t offset = 0;
  std::uint64_t head_bytes = 0;  // how many of its first bytes the digest is of
  std::string head;
  bool skipping = false;  // within a line that was too long
};
std::string mark_text(const Mark& mark);
std::optional<Mark> parse_mark(std::string_view text);

enum class Tail { may_grow, is_complete };  // a last line without an end waits, or counts

class OpenFile {
 public:
  static std::optional<OpenFile> open(const std::string& path);
  OpenFile(OpenFile&& other) noexcept;
  OpenFile& operator=(OpenFile&&) = delete;
  ~OpenFile();
  std::uint64_t inode() const { return inode_; }
  std::uint64_t size() const { return size_; }
  TimePoint changed() const { return changed_; }
  std::string read(std::uint64_t offset, std::size_t bytes) const;
  // Its first bytes are still those of the mark.
  bool is_of(const Mark& mark) const;
  Mark mark_at(std::uint64_t offset) const;

 private:
  OpenFile() = default;
  int fd_ = -1;
  std::uint64_t inode_ = 0;
  std::uint64_t size_ = 0;
  TimePoint changed_{};
};

// Reads on from the mark, which moves; true: there is more.
bool read_on(const OpenFile& file, const std::string& name, const FollowForm& form, Tail tail,
             Mark& mark, Items& items);
Result<Followed> follow_folder(const FollowForm& form, const State& state);

}  // namespace vigil::entities::feeds
