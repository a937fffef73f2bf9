#include "entities/feeds/follow.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <utility>

#include "core/log.hpp"
#include "entities/reader.hpp"

namespace vigil::entities::feeds {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t head_bytes_max = 256;
const std::string file_key = "file";

// By hand a flag comes as the word that was typed.
bool flag_of(const json::value& input, std::string_view name) {
  return find_bool(input, name).value_or(find_text(input, name) == "true");
}

// Where lines begin that a first look does not tell: behind the last whole line.
std::uint64_t end_of_lines(const OpenFile& file, std::size_t line_bytes_max) {
  const auto from = file.size() > line_bytes_max ? file.size() - line_bytes_max : 0;
  const auto text = file.read(from, line_bytes_max);
  const auto end = text.rfind('\n');
  return end == std::string::npos ? from : from + end + 1;
}

// A file that was renamed is still in its folder, for a while.
std::optional<OpenFile> find_renamed(const fs::path& folder, const Mark& mark) {
  std::error_code unreadable;
  for (const auto& entry : fs::directory_iterator(folder, unreadable)) {
    struct stat is{};
    if (::stat(entry.path().c_str(), &is) != 0 || is.st_ino != mark.inode) continue;
    auto file = OpenFile::open(entry.path().string());
    if (file && file->is_of(mark)) return file;
  }
  return std::nullopt;
}

Result<Followed> follow_file(const FollowForm& form, const State& state) {
  Followed out;
  const auto known = state.find(file_key);
  const auto before = known == state.end() ? std::nullopt : parse_mark(known->second);
  const auto name = fs::path(form.path).filename().string();
  const auto file = OpenFile::open(form.path);
  if (!file) {
    std::error_code unreadable;
    if (fs::exists(form.path, unreadable) || unreadable) {
      return fail(ErrorCode::unavailable,
                  fmt::format("cannot read {}: it is no file, or nobody may read it",
                              vigil::quoted(form.path)));
    }
    // It may come, or come back: between two rotations there is none.
    if (form.is_first) {
      out.notes.push_back(fmt::format("there is no {} yet", vigil::quoted(form.path)));
    }
    return out;
  }
  if (!before) {
    const bool whole = form.backfill || !form.is_first;
    Mark mark = file->mark_at(whole ? 0 : end_of_lines(*file, form.line_bytes_max));
    out.more = whole && read_on(*file, name, form, Tail::may_grow, mark, out.items);
    out.state[file_key] = mark_text(mark);
    return out;
  }
  Mark mark = *before;
  if (file->inode() != mark.inode) {
    const auto renamed = find_renamed(fs::path(form.path).parent_path(), mark);
    if (!renamed) {
      out.notes.emplace_back(
          "the file was replaced, and what may have been written to the old one since the last "
          "look is gone");
    } else if (read_on(*renamed, name, form, Tail::is_complete, mark, out.items)) {
      out.more = true;
      out.state[file_key] = mark_text(mark);
      return out;
    }
    mark = file->mark_at(0);
  } else if (file->size() < mark.offset || !file->is_of(mark)) {
    out.notes.emplace_back("the file was truncated, it is read from its beginning");
    mark = file->mark_at(0);
  }
  out.more = read_on(*file, name, form, Tail::may_grow, mark, out.items);
  if (auto text = mark_text(mark); text != known->second) out.state[file_key] = std::move(text);
  return out;
}

}  // namespace

std::string mark_text(const Mark& mark) {
  return fmt::format("{}:{}:{}:{}:{}", mark.inode, mark.offset, mark.head_bytes, mark.head,
                     mark.skipping ? 1 : 0);
}

std::optional<Mark> parse_mark(std::string_view text) {
  Mark mark;
  const auto next = [&] {
    const auto part = text.substr(0, text.find(':'));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    return part;
  };
  for (auto* to : {&mark.inode, &mark.offset, &mark.head_bytes}) {
    const auto part = next();
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), *to);
    if (part.empty() || error != std::errc{} || end != part.data() + part.size()) {
      return std::nullopt;
    }
  }
  mark.head = std::string(next());
  mark.skipping = next() == "1";
  return mark;
}

std::optional<OpenFile> OpenFile::open(const std::string& path) {
  OpenFile file;
  // A named pipe would keep the child waiting.
  file.fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat is{};
  if (file.fd_ < 0 || ::fstat(file.fd_, &is) != 0 || !S_ISREG(is.st_mode)) return std::nullopt;
  file.inode_ = is.st_ino;
  file.size_ = static_cast<std::uint64_t>(is.st_size);
  file.changed_ = TimePoint{std::chrono::seconds{is.st_mtim.tv_sec} +
                            std::chrono::microseconds{is.st_mtim.tv_nsec / 1000}};
  return file;
}

OpenFile::OpenFile(OpenFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      inode_(other.inode_),
      size_(other.size_),
      changed_(other.changed_) {}

OpenFile::~OpenFile() {
  if (fd_ >= 0) ::close(fd_);
}

std::string OpenFile::read(std::uint64_t offset, std::size_t bytes) const {
  if (offset >= size_) return {};
  std::string out(std::min<std::uint64_t>(bytes, size_ - offset), '\0');
  std::size_t got = 0;
  while (got < out.size()) {
    const auto count =
        ::pread(fd_, out.data() + got, out.size() - got, static_cast<off_t>(offset + got));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    got += static_cast<std::size_t>(count);
  }
  out.resize(got);
  return out;
}

bool OpenFile::is_of(const Mark& mark) const {
  return size_ >= mark.head_bytes && digest_of(read(0, mark.head_bytes)) == mark.head;
}

Mark OpenFile::mark_at(std::uint64_t offset) const {
  Mark mark;
  mark.inode = inode_;
  mark.offset = offset;
  mark.head_bytes = std::min(offset, head_bytes_max);
  mark.head = digest_of(read(0, mark.head_bytes));
  return mark;
}

Result<FollowForm> read_follow_form(const json::value& input) {
  Reader reader(input);
  FollowForm form;
  form.path = reader.text("path");
  const auto word = reader.text_or("form", "lines");
  form.form = word == "json" ? LineForm::json : word == "table" ? LineForm::table : LineForm::lines;
  if (const auto* names = find_path(input, "names"); names != nullptr && names->is_array()) {
    form.names.clear();
    for (const auto& name : names->get_array()) {
      if (name.is_string()) form.names.emplace_back(std::string_view(name.get_string()));
    }
  }
  form.subject_path = reader.text_or("subject_path", "");
  form.time_path = reader.text_or("time_path", "");
  form.settle =
      std::chrono::microseconds{static_cast<std::int64_t>(reader.number_or("settle_us", 0))};
  form.line_bytes_max = static_cast<std::size_t>(reader.number_or("line_bytes_max", 64 * 1024));
  form.is_first = flag_of(input, "first");
  form.backfill = flag_of(input, "backfill");
  if (form.form == LineForm::table) {
    auto table = read_table_form(reader.value("table"));
    if (!table) return std::unexpected(std::move(table.error()));
    form.table = std::move(*table);
  }
  if (const auto wrong = reader.error()) return fail(ErrorCode::invalid_input, *wrong);
  form.line_bytes_max = std::clamp<std::size_t>(form.line_bytes_max, 256, 1024 * 1024);
  return form;
}

Result<Followed> follow(const FollowForm& form, const State& state) {
  std::error_code unreadable;
  return fs::is_directory(form.path, unreadable) ? follow_folder(form, state)
                                                 : follow_file(form, state);
}

}  // namespace vigil::entities::feeds
