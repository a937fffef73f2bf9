#include "entities/logs/input.hpp"

#include <boost/json/array.hpp>
#include <iostream>
#include <string>

#include "entities/logs/line.hpp"
#include "entities/ops/reading_input.hpp"

namespace vigil::entities::logs {
namespace {

// Joins pieces into lines.
class Splitter {
 public:
  Splitter(LinesRead& read, const std::function<void(std::string_view)>& take)
      : read_(read), take_(take) {}

  void add(std::string_view piece) {
    while (true) {
      const auto end = piece.find('\n');
      append(piece.substr(0, end));
      if (end == std::string_view::npos) return;
      end_line();
      piece.remove_prefix(end + 1);
    }
  }
  void finish() {
    if (!line_.empty() || beyond_ > 0) end_line();
  }

 private:
  void append(std::string_view text) {
    const auto room = line_bytes_max - line_.size();
    line_ += text.substr(0, room);
    if (text.size() > room) beyond_ += text.size() - room;
  }
  void end_line() {
    if (!line_.empty() && line_.back() == '\r') line_.pop_back();
    ++read_.lines;
    read_.cut += beyond_ > 0 ? 1 : 0;
    take_(line_);
    line_.clear();
    beyond_ = 0;
  }

  LinesRead& read_;
  const std::function<void(std::string_view)>& take_;
  std::string line_;
  std::size_t beyond_ = 0;
};

void read_standard_input(Splitter& splitter) {
  std::string buffer(64 * 1024, '\0');
  while (std::cin) {
    std::cin.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    splitter.add(std::string_view(buffer).substr(0, static_cast<std::size_t>(std::cin.gcount())));
  }
}

}  // namespace

Result<LinesRead> read_lines(const Request& request,
                             const std::function<void(std::string_view)>& take) {
  const auto files = ops::texts_in(request.input, "files");
  if (!files) return std::unexpected(files.error());
  if (files->empty()) {
    return fail(ErrorCode::invalid_input, "give a file of log lines, or - for standard input");
  }
  LinesRead read;
  for (const auto& file : *files) {
    Splitter splitter(read, take);
    if (file == "-") {
      read_standard_input(splitter);
    } else {
      const auto taken = ops::read_in_pieces(file, [&](std::string_view piece) -> Result<void> {
        splitter.add(piece);
        return {};
      });
      if (!taken) return std::unexpected(taken.error());
    }
    splitter.finish();
  }
  return read;
}

}  // namespace vigil::entities::logs
