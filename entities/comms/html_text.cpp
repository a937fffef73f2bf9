#include "entities/comms/html_text.hpp"

#include <libxml/HTMLparser.h>

#include <algorithm>
#include <array>
#include <climits>
#include <memory>

#include "entities/comms/words.hpp"

namespace vigil::entities::comms {
namespace {

struct FreeDocument {
  void operator()(xmlDoc* document) const { xmlFreeDoc(document); }
};

constexpr std::size_t hosts_max = 200;

std::string attribute(xmlNode* node, const char* name) {
  for (auto* one = node->properties; one != nullptr; one = one->next) {
    if (xmlStrcasecmp(one->name, reinterpret_cast<const xmlChar*>(name)) != 0) continue;
    if (one->children == nullptr || one->children->content == nullptr) return {};
    return reinterpret_cast<const char*>(one->children->content);
  }
  return {};
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::ranges::find(names, name) != names.end();
}

bool is_block(std::string_view name) {
  return is_one_of(name, {"p",  "div", "tr", "li", "ul",     "ol",     "table",   "h1",
                          "h2", "h3",  "h4", "h5", "h6",     "pre",    "hr",      "blockquote",
                          "dt", "dd",  "dl", "br", "center", "header", "section", "footer"});
}

// The value of "name: value" in a style, without blanks.
std::string style_value(const std::string& style, std::string_view name) {
  std::string packed;
  for (const char c : lower_ascii(style)) {
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') packed += c;
  }
  for (auto at = packed.find(name); at != std::string::npos; at = packed.find(name, at + 1)) {
    const bool begins = at == 0 || packed[at - 1] == ';';
    const auto colon = at + name.size();
    if (!begins || colon >= packed.size() || packed[colon] != ':') continue;
    return packed.substr(colon + 1, packed.find(';', colon) - colon - 1);
  }
  return {};
}

bool is_zero(std::string_view size) {
  return size.starts_with('0') && size.find_first_of("123456789") == std::string_view::npos;
}

bool is_hidden(xmlNode* node) {
  const auto style = attribute(node, "style");
  if (style.empty()) return false;
  return style_value(style, "display") == "none" || style_value(style, "visibility") == "hidden" ||
         is_zero(style_value(style, "font-size"));
}

class Writer {
 public:
  explicit Writer(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void walk(xmlNode* root) {
    // Without recursion: how deep it is nested is up to the sender.
    auto* node = root;
    while (node != nullptr && out_.text.size() < bytes_max_) {
      const bool inside = enter(node);
      if (inside && node->children != nullptr) {
        node = node->children;
        continue;
      }
      leave(node);
      while (node != root && node->next == nullptr) {
        node = node->parent;
        if (node == nullptr) return;
        leave(node);
      }
      node = node == root ? nullptr : node->next;
    }
  }

  HtmlText take() {
    while (out_.text.ends_with('\n') || out_.text.ends_with(' ')) out_.text.pop_back();
    if (!out_.text.empty()) out_.text += '\n';
    out_.text = cut_text(out_.text, bytes_max_);
    return std::move(out_);
  }

 private:
  static std::string name_of(xmlNode* node) {
    return node->name == nullptr ? "" : lower_ascii(reinterpret_cast<const char*>(node->name));
  }

  // Whether what is in it is looked at.
  bool enter(xmlNode* node) {
    if (node->type == XML_TEXT_NODE || node->type == XML_CDATA_SECTION_NODE) {
      if (node->content != nullptr) write(reinterpret_cast<const char*>(node->content));
      return false;
    }
    if (node->type != XML_ELEMENT_NODE) {
      return node->type == XML_HTML_DOCUMENT_NODE || node->type == XML_DOCUMENT_NODE;
    }
    const auto name = name_of(node);
    if (is_one_of(name, {"script", "style", "head", "title", "template", "noscript"})) return false;
    if (is_hidden(node)) {
      ++out_.hidden;
      return false;
    }
    if (is_block(name)) break_line();
    if (name == "blockquote") ++quotes_;
    if (name == "pre") ++verbatim_;
    if (name == "td" || name == "th") blank();
    if (name == "li") write("- ");
    if (name == "form") ++out_.forms;
    if (name == "img") {
      ++out_.images;
      add_host(attribute(node, "src"));
    }
    if (name == "a") {
      link_ = add_host(attribute(node, "href"));
      link_begin_ = out_.text.size();
    }
    return true;
  }

  void leave(xmlNode* node) {
    if (node->type != XML_ELEMENT_NODE) return;
    const auto name = name_of(node);
    if (is_hidden(node)) return;
    if (name == "a") compare_link();
    if (is_block(name) && name != "br") break_line();
    if (name == "p" && !out_.text.empty() && !out_.text.ends_with("\n\n")) out_.text += '\n';
    if (name == "blockquote" && quotes_ > 0) --quotes_;
    if (name == "pre" && verbatim_ > 0) --verbatim_;
  }

  std::string add_host(const std::string& url) {
    auto host = host_of(url);
    auto& all = out_.hosts;
    if (!host.empty() && all.size() < hosts_max && std::ranges::find(all, host) == all.end()) {
      all.push_back(host);
    }
    return host;
  }

  // A link that reads like an address but goes elsewhere.
  void compare_link() {
    const auto begin = std::min(link_begin_, out_.text.size());
    const auto shown = host_of(trimmed(std::string_view(out_.text).substr(begin)));
    const bool differs = !shown.empty() && !link_.empty() && shown != link_ &&
                         !link_.ends_with("." + shown) && !shown.ends_with("." + link_);
    out_.mismatched_links += differs ? 1 : 0;
    link_.clear();
  }

  void begin_line() {
    if (!out_.text.empty() && !out_.text.ends_with('\n')) return;
    for (int i = 0; i < std::min(quotes_, 5); ++i) out_.text += '>';
    if (quotes_ > 0) out_.text += ' ';
  }
  void break_line() {
    while (out_.text.ends_with(' ')) out_.text.pop_back();
    if (!out_.text.empty() && !out_.text.ends_with('\n')) out_.text += '\n';
  }
  void blank() {
    if (!out_.text.empty() && !out_.text.ends_with(' ') && !out_.text.ends_with('\n')) {
      out_.text += ' ';
    }
  }

  void write(std::string_view text) {
    text = text.substr(0, bytes_max_);
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      const bool no_break = c == '\xc2' && i + 1 < text.size() && text[i + 1] == '\xa0';
      if (c == '\n' && verbatim_ > 0) {
        out_.text += '\n';
      } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || no_break) {
        blank();
        i += no_break ? 1 : 0;
      } else {
        begin_line();
        out_.text += c;
      }
    }
  }

  std::size_t bytes_max_;
  HtmlText out_;
  int quotes_ = 0;
  int verbatim_ = 0;
  std::string link_;
  std::size_t link_begin_ = 0;
};

}  // namespace

std::string host_of(std::string_view url) {
  url = trimmed(url);
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos || scheme > 10) return {};
  url.remove_prefix(scheme + 3);
  url = url.substr(0, url.find_first_of("/?#\\ \t\r\n\"'<>"));
  if (const auto at = url.rfind('@'); at != std::string_view::npos) url.remove_prefix(at + 1);
  url = url.substr(0, url.find(':'));
  if (url.find('.') == std::string_view::npos || url.size() > 253) return {};
  return lower_ascii(url);
}

HtmlText html_to_text(std::string_view html, std::size_t bytes_max) {
  html = html.substr(0, INT_MAX);
  constexpr int options = HTML_PARSE_RECOVER | HTML_PARSE_NOERROR | HTML_PARSE_NOWARNING |
                          HTML_PARSE_NONET | HTML_PARSE_COMPACT;
  const std::unique_ptr<xmlDoc, FreeDocument> document(
      htmlReadMemory(html.data(), static_cast<int>(html.size()), nullptr, "UTF-8", options));
  Writer writer(bytes_max);
  if (document) writer.walk(reinterpret_cast<xmlNode*>(document.get()));
  return writer.take();
}

}  // namespace vigil::entities::comms
