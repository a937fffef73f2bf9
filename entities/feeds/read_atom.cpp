// Atom 1.0 (RFC 4287) and Atom 0.3 (draft-ietf-atompub-format-02).
#include "core/digest.hpp"
#include "core/json.hpp"
#include "entities/feeds/html_text.hpp"
#include "entities/feeds/read_xml.hpp"
#include "entities/feeds/xml_words.hpp"

namespace vigil::entities::feeds {
namespace {

std::string local(const pugi::xml_node& node) {
  auto word = word_of(node);
  return word.starts_with("atom:") ? word.substr(5) : word;
}

bool is_xhtml(std::string_view type) { return type == "xhtml" || type == "application/xhtml+xml"; }

// What is neither text nor XML stands there as base64.
bool is_binary(const pugi::xml_node& node, std::string_view type) {
  if (attribute(node, "mode") == "base64") return true;
  return type.find('/') != std::string_view::npos && !type.starts_with("text/") &&
         !type.ends_with("+xml") && !type.ends_with("/xml");
}

std::string without_blanks(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' && c != '\n' && c != '\r' && c != '\t') out += c;
  }
  return out;
}

// A text construct: text, html or xhtml.
std::string construct(const pugi::xml_node& node, const ReadOptions& options) {
  const auto type = attribute(node, "type");
  if (is_binary(node, type)) {
    const auto bytes = from_base64(without_blanks(text_of(node)));
    return bytes ? to_valid_utf8(*bytes) : text_of(node);
  }
  const auto base = base_of(node, options.url);
  if (!is_xhtml(type)) {
    const bool marked = type == "html" || type == "text/html" || node.first_element_by_path("*");
    return marked ? with_whole_links(text_of(node), base) : text_of(node);
  }
  for (const auto& child : node.children()) {
    const std::string_view name = child.name();
    const bool is_div = name == "div" || name.ends_with(":div");
    if (is_div) return with_whole_links(markup_of(child), base_of(child, options.url));
  }
  return with_whole_links(markup_of(node), base);
}

Person person_from(const pugi::xml_node& node, const ReadOptions& options) {
  Person person;
  for (const auto& child : node.children()) {
    const auto word = local(child);
    if (word == "name") person.name = text_of(child);
    if (word == "email") person.email = text_of(child);
    if (word == "uri" || word == "url") {
      person.uri = resolve(base_of(child, options.url), text_of(child));
    }
  }
  return person;
}

Link link_from(const pugi::xml_node& node, const ReadOptions& options) {
  Link link;
  link.href = resolve(base_of(node, options.url), attribute(node, "href"));
  link.rel = attribute(node, "rel");
  if (link.rel.empty()) link.rel = "alternate";
  link.type = attribute(node, "type");
  link.length = attribute(node, "length");
  return link;
}

std::string address(const pugi::xml_node& node, const ReadOptions& options) {
  return resolve(base_of(node, options.url), text_of(node));
}

// What feeds, and the sources of entries, say of themselves.
void read_head_word(const std::string& word, const pugi::xml_node& node, Head& head,
                    const ReadOptions& options) {
  if (word == "title") {
    head.title = construct(node, options);
  } else if (word == "subtitle" || word == "tagline") {
    head.description = construct(node, options);
  } else if (word == "rights" || word == "copyright") {
    head.rights = construct(node, options);
  } else if (word == "id") {
    head.id = text_of(node);
  } else if (word == "updated" || word == "modified") {
    head.updated = text_of(node);
  } else if (word == "generator") {
    head.generator = {text_of(node), attribute(node, "version"), attribute(node, "uri")};
    if (head.generator.uri.empty()) head.generator.uri = attribute(node, "url");
  } else if (word == "logo") {
    head.image.url = address(node, options);
  } else if (word == "icon") {
    head.icon = address(node, options);
  } else if (word == "author") {
    head.authors.push_back(person_from(node, options));
  } else if (word == "contributor") {
    head.contributors.push_back(person_from(node, options));
  } else if (word == "link") {
    head.links.push_back(link_from(node, options));
  } else if (word == "category") {
    head.categories.push_back(
        {attribute(node, "scheme"), attribute(node, "term"), attribute(node, "label")});
  }
}

void read_content(const pugi::xml_node& node, Entry& entry, const ReadOptions& options) {
  entry.content_type = attribute(node, "type");
  entry.content = construct(node, options);
  if (const auto from = attribute(node, "src"); !from.empty()) {
    entry.links.push_back(
        {resolve(base_of(node, options.url), from), "enclosure", entry.content_type, ""});
  }
}

void read_entry_word(const std::string& word, const pugi::xml_node& node, Entry& entry,
                     const ReadOptions& options) {
  if (word == "title") {
    entry.title = construct(node, options);
  } else if (word == "summary") {
    entry.summary = construct(node, options);
  } else if (word == "content") {
    read_content(node, entry, options);
  } else if (word == "rights" || word == "copyright") {
    entry.rights = construct(node, options);
  } else if (word == "id") {
    entry.id = text_of(node);
  } else if (word == "published" || word == "issued") {
    entry.published = text_of(node);
  } else if (word == "updated" || word == "modified") {
    entry.updated = text_of(node);
  } else if (word == "author") {
    entry.authors.push_back(person_from(node, options));
  } else if (word == "contributor") {
    entry.contributors.push_back(person_from(node, options));
  } else if (word == "link") {
    entry.links.push_back(link_from(node, options));
  } else if (word == "category") {
    entry.categories.push_back(
        {attribute(node, "scheme"), attribute(node, "term"), attribute(node, "label")});
  } else if (word == "source") {
    auto& source = entry.source.emplace();
    for (const auto& child : node.children()) {
      if (child.type() == pugi::node_element) {
        read_head_word(local(child), child, source, options);
      }
    }
  } else if (entry.extra.size() < 50 && word.find(':') != std::string::npos) {
    auto text = text_of(node);
    if (!text.empty()) entry.extra[word] = std::move(text);
  }
}

}  // namespace

Feed read_atom(const pugi::xml_node& root, const ReadOptions& options) {
  Feed feed;
  feed.format = "atom";
  feed.version = attribute(root, "version");
  if (feed.version.empty()) feed.version = "1.0";
  feed.language = attribute(root, "xml:lang");
  for (const auto& child : root.children()) {
    if (child.type() != pugi::node_element) continue;
    const auto word = local(child);
    if (word != "entry") {
      read_head_word(word, child, feed, options);
    } else if (feed.entries.size() >= entries_max) {
      feed.cut = true;
    } else {
      auto& entry = feed.entries.emplace_back();
      for (const auto& part : child.children()) {
        if (part.type() == pugi::node_element) {
          read_entry_word(local(part), part, entry, options);
        }
      }
    }
  }
  return feed;
}

}  // namespace vigil::entities::feeds
