#include "entities/logs/input.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <filesystem>
#include <iostream>
#include <string>

#include "entities/logs/line.hpp"
#include "entities/ops/reading_input.hpp"

namespace vigil::entities::logs {
namespace {

constexpr double bytes_usual = 64.0 * 1024 * 1024;

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

// From the first whole line of the last bytes on.
Result<void> read_end(const std::string& path, std::uintmax_t bytes_max, Splitter& splitter) {
  std::error_code unknown;  // of what is no plain file: all of it is read
  const auto size = std::filesystem::file_size(path, unknown);
  auto skip = !unknown && size > bytes_max ? size - bytes_max : 0;
  bool in_line = skip > 0;
  return ops::read_in_pieces(path, [&](std::string_view piece) -> Result<void> {
    const auto passed = static_cast<std::size_t>(std::min<std::uintmax_t>(skip, piece.size()));
    skip -= passed;
    piece.remove_prefix(passed);
    if (in_line && !piece.empty()) {
      const auto end = piece.find('\n');
      piece.remove_prefix(std::min(end, piece.size() - 1) + 1);
      in_line = end == std::string_view::npos;
    }
    splitter.add(piece);
    return {};
  });
}

void read_standard_input(Splitter& splitter) {
  std::string buffer(64 * 1024, '\0');
  while (std::cin) {
    std::cin.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    splitter.add(std::string_view(buffer).substr(0, static_cast<std::size_t>(std::cin.gcount())));
  }
}

// What the program of a watch printed. Lines of JSON came as a text; a single one as its value.
void read_printed(const json::value& printed, Splitter& splitter) {
  if (printed.is_null()) return;
  splitter.add(printed.is_string() ? std::string_view(printed.get_string())
                                   : vigil::to_text(printed));
}

}  // namespace

Result<LinesRead> read_lines(const Request& request,
                             const std::function<void(std::string_view)>& take) {
  const auto files = ops::texts_in(request.input, "files");
  if (!files) return std::unexpected(files.error());
  const auto* printed = request.inputs.if_contains("look");
  if (files->empty() && printed == nullptr) {
    return fail(ErrorCode::invalid_input, "give a file of log lines, or - for standard input");
  }
  const auto bytes = ops::number_in(request.input, "bytes", bytes_usual);
  if (!bytes) return std::unexpected(bytes.error());
  if (*bytes < 1) return fail(ErrorCode::invalid_input, "bytes: expected 1 or more");
  LinesRead read;
  if (printed != nullptr) {
    Splitter splitter(read, take);
    read_printed(*printed, splitter);
    splitter.finish();
  }
  for (const auto& file : *files) {
    Splitter splitter(read, take);
    if (file == "-") {
      read_standard_input(splitter);
    } else {
      const auto taken = read_end(file, static_cast<std::uintmax_t>(*bytes), splitter);
      if (!taken) return std::unexpected(taken.error());
    }
    splitter.finish();
  }
  return read;
}

}  // namespace vigil::entities::logs
