#include "entities/feeds/feed.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <pugixml.hpp>

#include "core/log.hpp"
#include "entities/feeds/charset.hpp"
#include "entities/feeds/dates.hpp"
#include "entities/feeds/html_text.hpp"
#include "entities/feeds/read_xml.hpp"
#include "entities/feeds/xml_words.hpp"

namespace vigil::entities::feeds {
namespace {

constexpr std::size_t depth_max = 200;  // of elements in one another

bool is_too_deep(const pugi::xml_node& root) {
  struct Walker : pugi::xml_tree_walker {
    bool for_each(pugi::xml_node&) override { return depth() < static_cast<int>(depth_max); }
  } walker;
  auto at = root;
  return !at.traverse(walker);
}

void put(json::object& to, std::string_view name, const std::string& text) {
  if (!text.empty()) to[name] = text;
}

// Written as it was, and beside it as a time where it is one.
void put_date(json::object& to, const std::string& name, const std::string& text) {
  put(to, name, text);
  if (const auto at = parse_date(text)) to[name + "_at"] = to_rfc3339(*at);
}

template <class List, class One>
void put_list(json::object& to, std::string_view name, const List& list, One one) {
  if (list.empty()) return;
  json::array all;
  for (const auto& each : list) all.push_back(one(each));
  to[name] = std::move(all);
}

json::object to_object(const Person& person) {
  json::object out;
  put(out, "name", person.name);
  put(out, "email", person.email);
  put(out, "url", person.uri);
  put(out, "avatar", person.avatar);
  return out;
}

json::object to_object(const Link& link) {
  json::object out;
  put(out, "href", link.href);
  put(out, "rel", link.rel);
  put(out, "type", link.type);
  put(out, "length", link.length);
  return out;
}

json::object to_object(const Category& category) {
  json::object out;
  put(out, "term", category.term);
  put(out, "scheme", category.scheme);
  put(out, "label", category.label);
  return out;
}

json::object texts(const std::map<std::string, std::string>& of) {
  json::object out;
  for (const auto& [name, text] : of) out[name] = text;
  return out;
}

json::object to_object(const Head& head) {
  json::object out;
  put(out, "id", head.id);
  put(out, "title", head.title);
  put(out, "description", head.description);
  put(out, "link", link_of(head.links, "alternate"));
  put(out, "language", head.language);
  put(out, "rights", head.rights);
  put(out, "icon", head.icon);
  put_date(out, "published", head.published);
  put_date(out, "updated", head.updated);
  json::object generator;
  put(generator, "value", head.generator.value);
  put(generator, "version", head.generator.version);
  put(generator, "url", head.generator.uri);
  if (!generator.empty()) out["generator"] = std::move(generator);
  json::object image;
  put(image, "url", head.image.url);
  put(image, "title", head.image.title);
  put(image, "link", head.image.link);
  if (!image.empty()) out["image"] = std::move(image);
  const auto object = [](const auto& one) { return json::value(to_object(one)); };
  put_list(out, "authors", head.authors, object);
  put_list(out, "contributors", head.contributors, object);
  put_list(out, "links", head.links, object);
  put_list(out, "categories", head.categories, object);
  return out;
}

}  // namespace

std::string link_of(const std::vector<Link>& links, std::string_view rel) {
  for (const auto& link : links) {
    if (link.rel == rel && !link.href.empty()) return link.href;
  }
  return {};
}

Result<Feed> read_feed(std::string_view bytes, const ReadOptions& options) {
  auto text = to_utf8(bytes, options.charset);
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return fail(ErrorCode::invalid_input, "the document is empty");
  text.erase(0, first);  // some write blanks before the declaration
  if (text.front() == '{') return read_json_feed(text, options);
  // The parser ends the text in place of its last byte, which must not be half a character.
  text = with_numbers_for_names(text) + '\n';
  pugi::xml_document document;
  const auto parsed = document.load_buffer_inplace(
      text.data(), text.size(), pugi::parse_default | pugi::parse_doctype, pugi::encoding_utf8);
  const auto root = document.document_element();
  const auto word = word_of(root);
  if (is_too_deep(root)) {
    return fail(ErrorCode::invalid_input,
                fmt::format("the document is nested deeper than {} levels", depth_max));
  }
  std::optional<Feed> feed;
  if (word == "rss" || word == "rdf:RDF" || word == "RDF" || word == "channel") {
    feed = read_rss(root, options);
  }
  if (word == "feed" || word == "atom:feed") feed = read_atom(root, options);
  if (feed && (parsed || !feed->entries.empty())) {
    if (!parsed) {
      feed->damage = fmt::format("{} at byte {}", parsed.description(), parsed.offset);
    }
    return std::move(*feed);
  }
  if (!parsed && word != "html") {
    return fail(ErrorCode::invalid_input, fmt::format("the document is no XML: {} at byte {}",
                                                      parsed.description(), parsed.offset));
  }
  return fail(
      ErrorCode::invalid_input,
      fmt::format("the document is no feed: it begins with the element {}{}", vigil::quoted(word),
                  word == "html" ? ", a page for people: look there for the feed's address" : ""));
}

json::object to_json(const Entry& entry) {
  json::object out;
  put(out, "id", entry.id);
  put(out, "title", entry.title);
  put(out, "link", link_of(entry.links, "alternate"));
  put(out, "summary", entry.summary);
  put(out, "content", entry.content);
  put(out, "content_type", entry.content_type);
  put(out, "rights", entry.rights);
  put_date(out, "published", entry.published);
  put_date(out, "updated", entry.updated);
  put(out, "image", entry.image);
  const auto object = [](const auto& one) { return json::value(to_object(one)); };
  put_list(out, "authors", entry.authors, object);
  put_list(out, "contributors", entry.contributors, object);
  put_list(out, "links", entry.links, object);
  put_list(out, "categories", entry.categories, object);
  if (entry.source) out["source"] = to_object(*entry.source);
  if (!entry.extra.empty()) out["extra"] = texts(entry.extra);
  return out;
}

json::value to_json(const Feed& feed) {
  json::object out;
  out["format"] = feed.format;
  put(out, "version", feed.version);
  for (auto& [name, value] : to_object(static_cast<const Head&>(feed))) out[name] = value;
  if (!feed.text_input.empty()) out["text_input"] = texts(feed.text_input);
  if (!feed.cloud.empty()) out["cloud"] = texts(feed.cloud);
  json::array entries;
  for (const auto& entry : feed.entries) entries.push_back(to_json(entry));
  out["entries"] = std::move(entries);
  put(out, "damage", feed.damage);
  if (feed.cut) out["cut"] = true;
  return json::value(std::move(out));
}

}  // namespace vigil::entities::feeds
