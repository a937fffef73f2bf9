// JSON Feed 1.0 and 1.1 (https://www.jsonfeed.org/version/1.1/).
#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/exact_json.hpp"
#include "entities/feeds/html_text.hpp"
#include "entities/feeds/read_xml.hpp"

namespace vigil::entities::feeds {
namespace {

std::string text_at(const json::value& value, std::string_view name) {
  const auto found = find_scalar_text(value, name);
  return found ? cut_text(*found, text_bytes_max) : std::string();
}

Person person_from(const json::value& value) {
  return {text_at(value, "name"), "", text_at(value, "url"), text_at(value, "avatar")};
}

// `authors` of 1.1, else the `author` of 1.0.
std::vector<Person> authors_of(const json::value& of) {
  std::vector<Person> out;
  if (const auto* list = find_path(of, "authors"); list != nullptr && list->is_array()) {
    for (const auto& one : list->get_array()) out.push_back(person_from(one));
  }
  const auto* one = find_path(of, "author");
  if (out.empty() && one != nullptr && one->is_object()) out.push_back(person_from(*one));
  return out;
}

void add_link(std::vector<Link>& links, std::string href, const char* rel, std::string_view base) {
  if (!href.empty()) links.push_back({resolve(base, href), rel, "", ""});
}

Entry entry_from(const json::value& item, std::string_view base) {
  Entry entry;
  entry.id = text_at(item, "id");
  entry.title = text_at(item, "title");
  entry.summary = text_at(item, "summary");
  entry.content = with_whole_links(text_at(item, "content_html"), base);
  entry.content_type = entry.content.empty() ? "text" : "html";
  const auto text = text_at(item, "content_text");
  if (entry.content.empty()) {
    entry.content = text;
  } else if (!text.empty()) {
    entry.extra["content_text"] = text;
  }
  entry.published = text_at(item, "date_published");
  entry.updated = text_at(item, "date_modified");
  entry.image = text_at(item, "image");
  if (auto banner = text_at(item, "banner_image"); !banner.empty()) {
    entry.extra["banner_image"] = std::move(banner);
  }
  entry.authors = authors_of(item);
  add_link(entry.links, text_at(item, "url"), "alternate", base);
  add_link(entry.links, text_at(item, "external_url"), "related", base);
  if (const auto* tags = find_path(item, "tags"); tags != nullptr && tags->is_array()) {
    for (const auto& tag : tags->get_array()) {
      if (tag.is_string()) entry.categories.push_back({"", std::string(tag.get_string()), ""});
    }
  }
  const auto* attached = find_path(item, "attachments");
  if (attached == nullptr || !attached->is_array()) return entry;
  for (const auto& one : attached->get_array()) {
    entry.links.push_back({resolve(base, text_at(one, "url")), "enclosure",
                           text_at(one, "mime_type"), text_at(one, "size_in_bytes")});
  }
  return entry;
}

// "https://jsonfeed.org/version/1.1" is 1.1
std::string version_of(const std::string& text) {
  const auto slash = text.rfind('/');
  return slash == std::string::npos ? text : text.substr(slash + 1);
}

}  // namespace

Result<Feed> read_json_feed(std::string_view text, const ReadOptions& options) {
  const auto document = parse_exact_json(text);
  if (!document) return std::unexpected(document.error());
  const auto* items = find_path(*document, "items");
  if (!document->is_object() || (items == nullptr && text_at(*document, "version").empty())) {
    return fail(ErrorCode::invalid_input,
                "this is JSON, but no JSON Feed: it has no items. For other documents of JSON use "
                "form = \"items\" or \"table\"");
  }
  Feed feed;
  feed.format = "json";
  feed.version = version_of(text_at(*document, "version"));
  feed.title = text_at(*document, "title");
  feed.description = text_at(*document, "description");
  feed.language = text_at(*document, "language");
  feed.icon = text_at(*document, "favicon");
  feed.image.url = text_at(*document, "icon");
  feed.authors = authors_of(*document);
  const auto own = text_at(*document, "feed_url");
  const std::string base = own.empty() ? options.url : own;
  add_link(feed.links, text_at(*document, "home_page_url"), "alternate", base);
  add_link(feed.links, own, "self", base);
  add_link(feed.links, text_at(*document, "next_url"), "next", base);
  if (items == nullptr || !items->is_array()) return feed;
  for (const auto& item : items->get_array()) {
    if (feed.entries.size() >= entries_max) {
      feed.cut = true;
      break;
    }
    if (item.is_object()) feed.entries.push_back(entry_from(item, base));
  }
  return feed;
}

}  // namespace vigil::entities::feeds
