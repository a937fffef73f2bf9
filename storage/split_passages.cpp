// Where a document is cut into passages.
#include <fmt/format.h>

#include <algorithm>

#include "storage/passages.hpp"

namespace vigil::storage {
namespace {

constexpr std::size_t small_bytes = 350;    // below it, the next paragraph joins
constexpr std::size_t large_bytes = 1'600;  // above it, it is cut
constexpr std::size_t passages_max = 20'000;
constexpr std::size_t heading_bytes_max = 200;

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r\v\f") == std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

class Splitter {
 public:
  explicit Splitter(std::string_view body)
      : body_(body), pages_(body.find('\f') != std::string_view::npos) {}

  std::vector<Piece> split() {
    for (std::size_t at = 0; at < body_.size() && out_.size() < passages_max;) {
      const auto end = std::min(body_.find('\n', at), body_.size());
      line(at, body_.substr(at, end - at));
      at = end + 1;
      ++number_;
    }
    finish();
    if (out_.empty()) out_.push_back({0, body_.size(), pages_ ? "page 1" : "line 1", ""});
    return std::move(out_);
  }

 private:
  void line(std::size_t at, std::string_view text) {
    const auto feeds = static_cast<int>(std::ranges::count(text, '\f'));
    if (feeds > 0) finish();
    page_ += feeds;
    const auto level = text.find_first_not_of('#');
    const bool heading = level != std::string_view::npos && level > 0 && level <= 6 &&
                         (text[level] == ' ' || text[level] == '\t');
    if (heading) {
      finish();
      headings_.resize(level - 1);
      headings_.emplace_back(trimmed(text.substr(level)).substr(0, heading_bytes_max));
      return;
    }
    if (is_blank(text)) {
      if (open_ && end_ - begin_ >= small_bytes) finish();
      return;
    }
    if (open_ && end_ - begin_ + text.size() > large_bytes) finish();
    if (!open_) {
      begin_ = at + text.find_first_not_of(" \t\r\v\f");
      place_ = pages_ ? fmt::format("page {}", page_) : fmt::format("line {}", number_);
    }
    open_ = true;
    end_ = at + text.size();
  }

  void finish() {
    if (!open_) return;
    open_ = false;
    std::string path;
    for (const auto& heading : headings_) {
      if (heading.empty()) continue;
      path += (path.empty() ? "" : " › ") + heading;
    }
    for (auto at = begin_; at < end_ && out_.size() < passages_max;) {
      auto bytes = end_ - at;
      if (bytes > large_bytes) bytes = cut(at);
      out_.push_back({at, bytes, place_, path});
      at += bytes;
    }
  }

  // Behind a sentence, else a blank, else between two characters.
  std::size_t cut(std::size_t at) const {
    const auto text = body_.substr(at, large_bytes);
    for (const std::string_view mark : {". ", "! ", "? ", " "}) {
      const auto found = text.rfind(mark);
      if (found != std::string_view::npos && found > large_bytes / 3) return found + mark.size();
    }
    auto bytes = text.size();
    while (bytes > 1 && (static_cast<unsigned char>(body_[at + bytes]) & 0xC0) == 0x80) --bytes;
    return bytes;
  }

  std::string_view body_;
  bool pages_;
  std::vector<Piece> out_;
  std::vector<std::string> headings_;
  int number_ = 1;
  int page_ = 1;
  bool open_ = false;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::string place_;
};

}  // namespace

std::vector<Piece> split_passages(std::string_view body) { return Splitter(body).split(); }

}  // namespace vigil::storage
