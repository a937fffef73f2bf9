#include "entities/feeds/item.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "core/digest.hpp"
#include "entities/feeds/dates.hpp"
#include "entities/feeds/edgar.hpp"
#include "entities/feeds/html_text.hpp"

namespace vigil::entities::feeds {
namespace {

constexpr std::size_t plain_bytes_max = 8 * 1024;
constexpr std::size_t title_bytes_max = 500;

void put(json::object& to, std::string_view name, const std::string& text) {
  if (!text.empty()) to[name] = text;
}

json::array names_of(const std::vector<Person>& people) {
  json::array out;
  for (const auto& person : people) {
    const auto& name = !person.name.empty() ? person.name : person.email;
    if (!name.empty()) out.emplace_back(name);
  }
  return out;
}

json::array enclosures_of(const Entry& entry) {
  json::array out;
  for (const auto& link : entry.links) {
    if (link.rel != "enclosure" || link.href.empty()) continue;
    json::object one{{"url", link.href}};
    put(one, "type", link.type);
    put(one, "length", link.length);
    out.push_back(std::move(one));
  }
  return out;
}

void put_list(json::object& to, std::string_view name, json::array list) {
  if (!list.empty()) to[name] = std::move(list);
}

Item item_of(const Feed& feed, const Entry& entry) {
  Item item;
  const auto link = link_of(entry.links, "alternate");
  const auto title = plain_text(entry.title, title_bytes_max);
  const auto text =
      plain_text(entry.summary.empty() ? entry.content : entry.summary, plain_bytes_max);
  item.id =
      short_id(!entry.id.empty()
                   ? entry.id
                   : digest_of(link + "\n" + title + (link.empty() && title.empty() ? text : "")));
  item.digest = digest_of(fmt::format("{}\n{}\n{}\n{}", title, link, entry.summary, entry.content));
  item.type = "feed.item";
  item.subject = cut_text(title.empty() ? link : title, subject_bytes_max);
  auto at = parse_date(entry.published);
  const auto updated = parse_date(entry.updated);
  item.time = at ? at : updated;
  json::object data;
  data["id"] = item.id;
  data["title"] = title;
  data["link"] = link;
  data["summary"] = text;
  if (at) data["published"] = to_rfc3339(*at);
  if (updated) data["updated"] = to_rfc3339(*updated);
  data["authors"] = names_of(entry.authors.empty() ? feed.authors : entry.authors);
  json::array categories;
  for (const auto& category : entry.categories) {
    if (!category.term.empty()) categories.emplace_back(category.term);
  }
  data["categories"] = std::move(categories);
  put_list(data, "enclosures", enclosures_of(entry));
  put(data, "image", entry.image);
  data["feed"] = plain_text(feed.title, title_bytes_max);
  put(data, "feed_link", link_of(feed.links, "alternate"));
  put(data, "language", feed.language);
  if (const auto filing = filing_of(entry)) data["filing"] = to_json(*filing);
  item.data = std::move(data);
  return item;
}

}  // namespace

std::string digest_of(std::string_view text) {
  return to_hex(as_bytes(sha256(text))).substr(0, 32);
}

std::string short_id(const std::string& id) {
  return id.size() <= id_bytes_max ? id : digest_of(id);
}

Items items_of(const Feed& feed) {
  Items items;
  for (const auto& entry : feed.entries) items.all.push_back(item_of(feed, entry));
  items.damage = feed.damage;
  return items;
}

json::value to_json(const Items& items) {
  json::object out;
  json::array all;
  for (const auto& item : items.all) {
    json::object one{{"id", item.id}, {"digest", item.digest}, {"data", item.data}};
    put(one, "type", item.type);
    put(one, "subject", item.subject);
    if (item.time) one["time"] = to_rfc3339(*item.time);
    all.push_back(std::move(one));
  }
  out["items"] = std::move(all);
  if (items.skipped > 0) out["skipped"] = items.skipped;
  put(out, "problem", items.problem);
  put(out, "damage", items.damage);
  return json::value(std::move(out));
}

}  // namespace vigil::entities::feeds
