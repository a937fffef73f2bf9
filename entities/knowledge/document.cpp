#include "entities/knowledge/document.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "core/json.hpp"
#include "core/log.hpp"
#include "entities/codebase/git.hpp"

namespace vigil::entities::knowledge {
namespace {

constexpr Duration pdf_time = std::chrono::seconds{60};

// The first heading, else the file's name.
std::string title_of(std::string_view text, const std::string& path) {
  for (std::size_t at = 0; at < std::min<std::size_t>(text.size(), 4'096);) {
    const auto end = std::min(text.find('\n', at), text.size());
    auto line = text.substr(at, end - at);
    at = end + 1;
    const auto level = line.find_first_not_of('#');
    if (level == std::string_view::npos || level == 0 || line[level] != ' ') continue;
    return std::string(line.substr(level + 1, 200));
  }
  return std::filesystem::path(path).stem().string();
}

Result<std::string> pdf_text(const std::string& path) {
  codebase::Errand errand;
  errand.argv = {"pdftotext", "-q", "-enc", "UTF-8", path, "-"};
  errand.environment = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8"};
  errand.output_bytes_max = text_bytes_max;
  errand.timeout = pdf_time;
  auto end = codebase::run_errand(errand);
  if (!end) {
    return fail(end.error().code, end.error().message + ": install poppler-utils to read PDF");
  }
  if (end->exit_code != 0) {
    return fail(ErrorCode::invalid_input,
                fmt::format("pdftotext cannot read it: {}", end->errors.substr(0, 200)));
  }
  return std::move(end->output);
}

}  // namespace

Result<Document> read_document(const std::string& path, std::string_view suffix,
                               std::string_view bytes) {
  Document out;
  if (suffix == "html" || suffix == "htm") {
    out = read_html(bytes);
  } else if (suffix == "pdf") {
    auto text = pdf_text(path);
    if (!text) return std::unexpected(text.error());
    out.text = std::move(*text);
    if (out.text.find_first_not_of(" \n\f\r\t") == std::string::npos) {
      return fail(ErrorCode::invalid_input, "there is no text in it: are its pages pictures?");
    }
    // Whether or not there is a second page, places are told by page.
    if (out.text.find('\f') == std::string::npos) out.text += '\f';
  } else {
    if (bytes.substr(0, 8'192).find('\0') != std::string_view::npos) {
      return fail(ErrorCode::invalid_input, "it is no text");
    }
    out.text = bytes;
  }
  if (out.text.size() > text_bytes_max) out.text.resize(text_bytes_max);
  out.text = to_valid_utf8(out.text);
  std::erase(out.text, '\0');
  if (out.title.empty()) out.title = title_of(out.text, path);
  out.title = to_valid_utf8(out.title.substr(0, 200));
  return out;
}

}  // namespace vigil::entities::knowledge
