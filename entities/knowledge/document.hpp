#pragma once
// A file as a document of plain text: headings as lines with `#`, pages begun by a form feed, for
// storage/passages.hpp. Reads content from outside: in a contained child.
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace vigil::entities::knowledge {

struct Document {
  std::string title;
  std::string text;
};

constexpr std::size_t text_bytes_max = 4 * 1024 * 1024;  // of one document; the rest is left out

// `suffix` in lower case: md, txt, html, htm, pdf. PDF goes through pdftotext (poppler-utils),
// which is given the file by its path.
Result<Document> read_document(const std::string& path, std::string_view suffix,
                               std::string_view bytes);
// Text of HTML through libxml2; what is no text of the page (script, style) is left out.
Document read_html(std::string_view bytes);

}  // namespace vigil::entities::knowledge
