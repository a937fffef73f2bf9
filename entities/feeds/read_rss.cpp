// RSS 0.91 to 2.0 (https://www.rssboard.org/rss-specification), RSS 0.9 and 1.0 in RDF
// (https://web.resource.org/rss/1.0/spec), and the modules that are in use.
#include <algorithm>

#include "entities/feeds/html_text.hpp"
#include "entities/feeds/read_xml.hpp"
#include "entities/feeds/xml_words.hpp"

namespace vigil::entities::feeds {
namespace {

bool is_address(std::string_view text) {
  return text.find('@') != std::string_view::npos &&
         text.find_first_of(" <>()") == std::string_view::npos;
}

// "a@b.org (Name)", "Name (a@b.org)", "Name <a@b.org>", one of both.
Person person_of(const std::string& text) {
  Person person;
  const auto open = text.find_first_of("(<");
  if (open == std::string::npos) {
    (is_address(text) ? person.email : person.name) = text;
    return person;
  }
  const auto close = text.find_last_of(")>");
  auto before = text.substr(0, open);
  while (before.ends_with(' ')) before.pop_back();
  const auto within =
      close == std::string::npos || close < open ? "" : text.substr(open + 1, close - open - 1);
  if (is_address(before)) {
    person.email = before;
    person.name = within;
  } else if (is_address(within)) {
    person.email = within;
    person.name = before;
  } else {
    person.name = text;
  }
  return person;
}

Link link_from(const pugi::xml_node& node, const ReadOptions& options) {
  Link link;
  const auto base = base_of(node, options.url);
  const bool has_href = !node.attribute("href").empty();
  link.href = resolve(base, has_href ? attribute(node, "href") : text_of(node));
  link.rel = attribute(node, "rel");
  if (link.rel.empty()) link.rel = "alternate";
  link.type = attribute(node, "type");
  return link;
}

Link enclosure_from(const pugi::xml_node& node, const ReadOptions& options) {
  Link link;
  link.rel = "enclosure";
  link.href = resolve(base_of(node, options.url), attribute(node, "url"));
  link.type = attribute(node, "type");
  link.length = attribute(node, node.attribute("length").empty() ? "fileSize" : "length");
  return link;
}

Category category_from(const pugi::xml_node& node) {
  return {attribute(node, "domain"), text_of(node), ""};
}

Image image_from(const pugi::xml_node& node, const ReadOptions& options) {
  Image image;
  for (const auto& child : node.children()) {
    const auto word = word_of(child);
    if (word == "title") image.title = text_of(child);
    if (word == "link") image.link = text_of(child);
    if (word == "url") image.url = resolve(options.url, text_of(child));
  }
  return image;
}

bool is_known_entry_word(std::string_view word) {
  for (const std::string_view known :
       {"comments", "source", "media:group", "media:thumbnail", "rdf:about"}) {
    if (word == known) return true;
  }
  return false;
}

void read_entry_word(const std::string& word, const pugi::xml_node& node, Entry& entry,
                     const ReadOptions& options) {
  const auto base = base_of(node, options.url);
  if (word == "title") {
    entry.title = text_of(node);
  } else if (word == "description") {
    entry.summary = with_whole_links(text_of(node), base);
  } else if (word == "content:encoded") {
    entry.content = with_whole_links(text_of(node), base);
  } else if (word == "link" || word == "atom:link") {
    auto link = link_from(node, options);
    if (!link.href.empty()) entry.links.push_back(std::move(link));
  } else if (word == "guid") {
    entry.id = text_of(node);
    const bool is_link = attribute(node, "isPermaLink") != "false" &&
                         (entry.id.starts_with("http://") || entry.id.starts_with("https://"));
    if (is_link) entry.extra["permalink"] = entry.id;
  } else if (word == "pubDate" || word == "dc:date") {
    if (entry.published.empty() || word == "pubDate") entry.published = text_of(node);
  } else if (word == "atom:updated" || word == "dcterms:modified") {
    entry.updated = text_of(node);
  } else if (word == "author" || word == "dc:creator" || word == "itunes:author") {
    const bool again = word != "author" && !entry.authors.empty();
    if (!again) entry.authors.push_back(person_of(text_of(node)));
  } else if (word == "category" || word == "dc:subject") {
    entry.categories.push_back(category_from(node));
  } else if (word == "enclosure" || word == "media:content") {
    auto link = enclosure_from(node, options);
    if (!link.href.empty()) entry.links.push_back(std::move(link));
  } else if (word == "itunes:image") {
    entry.image = attribute(node, "href");
  } else if (!is_known_entry_word(word) && entry.extra.size() < 50) {
    auto text = text_of(node);
    if (!text.empty()) entry.extra[word] = std::move(text);
  }
}

Entry entry_from(const pugi::xml_node& item, const ReadOptions& options) {
  Entry entry;
  for (const auto& child : item.children()) {
    if (child.type() == pugi::node_element) read_entry_word(word_of(child), child, entry, options);
  }
  const auto permalink = entry.extra.extract("permalink");
  if (permalink && link_of(entry.links, "alternate").empty()) {
    entry.links.insert(entry.links.begin(), Link{permalink.mapped(), "alternate", "", ""});
  }
  if (entry.id.empty()) entry.id = attribute(item, "rdf:about");
  return entry;
}

void read_head_word(const std::string& word, const pugi::xml_node& node, Feed& feed,
                    const ReadOptions& options) {
  if (word == "title") {
    feed.title = text_of(node);
  } else if (word == "description") {
    feed.description = text_of(node);
  } else if (word == "link" || word == "atom:link") {
    auto link = link_from(node, options);
    if (!link.href.empty()) feed.links.push_back(std::move(link));
  } else if (word == "language" || word == "dc:language") {
    feed.language = text_of(node);
  } else if (word == "copyright" || word == "dc:rights") {
    feed.rights = text_of(node);
  } else if (word == "generator") {
    feed.generator.value = text_of(node);
  } else if (word == "pubDate" || word == "dc:date") {
    feed.published = text_of(node);
  } else if (word == "lastBuildDate") {
    feed.updated = text_of(node);
  } else if (word == "managingEditor" || word == "webMaster" || word == "dc:creator" ||
             word == "itunes:author") {
    if (feed.authors.empty()) feed.authors.push_back(person_of(text_of(node)));
  } else if (word == "category") {
    feed.categories.push_back(category_from(node));
  } else if (word == "image") {
    auto image = image_from(node, options);  // in RDF the one in the channel only points
    if (!image.url.empty() || !image.title.empty() || !image.link.empty()) feed.image = image;
  } else if (word == "textInput" || word == "textinput") {
    for (const auto& child : node.children()) {
      if (child.type() == pugi::node_element) feed.text_input[child.name()] = text_of(child);
    }
  } else if (word == "cloud") {
    for (const auto& given : node.attributes()) feed.cloud[given.name()] = given.value();
  }
}

void read_children(const pugi::xml_node& parent, Feed& feed, const ReadOptions& options) {
  for (const auto& child : parent.children()) {
    if (child.type() != pugi::node_element) continue;
    const auto word = word_of(child);
    if (word == "channel") {
      read_children(child, feed, options);
    } else if (word != "item") {
      read_head_word(word, child, feed, options);
    } else if (feed.entries.size() >= entries_max) {
      feed.cut = true;
    } else {
      feed.entries.push_back(entry_from(child, options));
    }
  }
}

}  // namespace

Feed read_rss(const pugi::xml_node& root, const ReadOptions& options) {
  Feed feed;
  feed.format = "rss";
  feed.version = attribute(root, "version");
  if (word_of(root) == "rdf:RDF" || word_of(root) == "RDF") {
    feed.version = "1.0";
    for (const auto& given : root.attributes()) {
      const std::string_view uri = given.value();
      if (uri.ends_with("netscape.com/rdf/simple/0.9/")) feed.version = "0.9";
    }
  }
  read_children(root, feed, options);
  return feed;
}

}  // namespace vigil::entities::feeds
