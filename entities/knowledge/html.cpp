// HTML as text, through libxml2's forgiving parser.
#include <libxml/HTMLparser.h>

#include <algorithm>
#include <array>
#include <memory>

#include "core/json.hpp"
#include "entities/knowledge/document.hpp"

namespace vigil::entities::knowledge {
namespace {

struct FreeDocument {
  void operator()(xmlDoc* document) const { xmlFreeDoc(document); }
};

constexpr std::array<std::string_view, 8> unread = {"script", "style",  "noscript", "template",
                                                    "svg",    "object", "iframe",   "select"};
constexpr std::array<std::string_view, 16> blocks = {
    "p",   "div", "section", "article", "table", "ul",     "ol",         "dl",
    "pre", "hr",  "main",    "aside",   "nav",   "header", "blockquote", "footer"};
constexpr std::array<std::string_view, 6> lines = {"br", "li", "tr", "dt", "dd", "option"};

template <class List>
bool holds(const List& list, std::string_view name) {
  return std::ranges::find(list, name) != list.end();
}

class Writer {
 public:
  void begin(std::string_view name) {
    const int level = heading(name);
    if (level > 0) {
      blank_line();
      out.text.append(static_cast<std::size_t>(level), '#');
      out.text += ' ';
    } else if (holds(blocks, name)) {
      blank_line();
    } else if (holds(lines, name)) {
      new_line();
    } else if (name == "td" || name == "th") {
      space();
    }
  }
  void end(std::string_view name) {
    if (heading(name) > 0 || holds(blocks, name)) blank_line();
  }
  // Runs of white space are one space.
  void text(std::string_view more) {
    for (const char c : more) {
      if (c == ' ' || c == '\n' || c == '\t' || c == '\r' || c == '\f') {
        space();
      } else {
        out.text += c;
      }
    }
  }
  Document out;

 private:
  static int heading(std::string_view name) {
    const bool is = name.size() == 2 && name[0] == 'h' && name[1] >= '1' && name[1] <= '6';
    return is ? name[1] - '0' : 0;
  }
  void trim() {
    while (out.text.ends_with(' ')) out.text.pop_back();
  }
  void space() {
    if (!out.text.empty() && out.text.back() != ' ' && out.text.back() != '\n') out.text += ' ';
  }
  void new_line() {
    trim();
    if (!out.text.empty() && out.text.back() != '\n') out.text += '\n';
  }
  void blank_line() {
    new_line();
    if (!out.text.empty() && !out.text.ends_with("\n\n")) out.text += '\n';
  }
};

std::string_view name_of(const xmlNode* node) {
  return node->name == nullptr ? "" : reinterpret_cast<const char*>(node->name);
}

std::string_view content_of(const xmlNode* node) {
  return node->content == nullptr ? "" : reinterpret_cast<const char*>(node->content);
}

// The next node in the order of the page, without going down into what is not read. Writes the ends
// of those it leaves.
const xmlNode* next(const xmlNode* node, const xmlNode* root, bool down, Writer& writer) {
  if (down && node->children != nullptr) return node->children;
  while (node != root) {
    if (node->type == XML_ELEMENT_NODE) writer.end(name_of(node));
    if (node->next != nullptr) return node->next;
    node = node->parent;
  }
  return nullptr;
}

}  // namespace

Document read_html(std::string_view bytes) {
  constexpr std::size_t bytes_max = 64 * 1024 * 1024;
  bytes = bytes.substr(0, bytes_max);
  constexpr int quietly = HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                          HTML_PARSE_NONET | HTML_PARSE_COMPACT;
  // Without a word of its own the page is UTF-8 if it can be.
  const char* encoding = is_valid_utf8(bytes) ? "UTF-8" : nullptr;
  const std::unique_ptr<xmlDoc, FreeDocument> document(
      htmlReadMemory(bytes.data(), static_cast<int>(bytes.size()), nullptr, encoding, quietly));
  Writer writer;
  const auto* root = document ? xmlDocGetRootElement(document.get()) : nullptr;
  for (const xmlNode* node = root; node != nullptr;) {
    bool down = true;
    if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) {
      writer.text(content_of(node));
    } else if (node->type == XML_ELEMENT_NODE) {
      const auto name = name_of(node);
      if (name == "title" && node->children != nullptr && writer.out.title.empty()) {
        writer.out.title = content_of(node->children);
      }
      down = name != "title" && !holds(unread, name);
      if (down) writer.begin(name);
    } else {
      down = false;
    }
    if (writer.out.text.size() > text_bytes_max) break;
    node = next(node, root, down, writer);
  }
  return std::move(writer.out);
}

}  // namespace vigil::entities::knowledge
