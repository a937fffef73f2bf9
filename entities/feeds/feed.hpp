#pragma once
// What a feed says, whatever its form: RSS 0.9x to 2.0, RDF (RSS 0.9, 1.0), Atom 0.3 and 1.0 (RFC
// 4287), JSON Feed 1.0 and 1.1 (jsonfeed.org). Values; any thread.
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/json.hpp"

namespace vigil::entities::feeds {

struct Person {
  std::string name;
  std::string email;
  std::string uri;
  std::string avatar;
};

struct Link {
  std::string href;
  std::string rel;  // alternate, self, enclosure...
  std::string type;
  std::string length;
};

struct Category {
  std::string scheme;
  std::string term;
  std::string label;
};

struct Image {
  std::string url;
  std::string title;
  std::string link;
};

struct Generator {
  std::string value;
  std::string version;
  std::string uri;
};

// What a feed says of itself; an Atom entry may say it of the feed it was taken from.
struct Head {
  std::string id;
  std::string title;
  std::string description;
  std::string language;
  std::string rights;
  std::string icon;
  std::string published;  // dates as they were written: see dates.hpp
  std::string updated;
  Generator generator;
  Image image;
  std::vector<Person> authors;
  std::vector<Person> contributors;
  std::vector<Link> links;
  std::vector<Category> categories;
};

struct Entry {
  std::string id;
  std::string title;
  std::string summary;
  std::string content;
  std::string content_type;  // as Atom says it
  std::string rights;
  std::string published;
  std::string updated;
  std::string image;
  std::vector<Person> authors;
  std::vector<Person> contributors;
  std::vector<Link> links;  // enclosures, too
  std::vector<Category> categories;
  std::optional<Head> source;
  std::map<std::string, std::string> extra;  // what no format knows, and "itunes:summary"
};

struct Feed : Head {
  std::string format;  // rss | atom | json
  std::string version;
  std::vector<Entry> entries;
  std::map<std::string, std::string> text_input;
  std::map<std::string, std::string> cloud;
  std::string damage;  // the document ends in a mistake: what stood before it was read
  bool cut = false;    // there were more entries than are read
};

constexpr std::size_t entries_max = 5'000;
constexpr std::size_t text_bytes_max = 512 * 1024;  // of one field

struct ReadOptions {
  std::string url;      // where it came from: relative links are resolved against it
  std::string charset;  // as the transport said; empty: as the document says
};

// Errors: what the document is instead, for people.
Result<Feed> read_feed(std::string_view bytes, const ReadOptions& options);

// The first link of that kind; the plain one is "alternate".
std::string link_of(const std::vector<Link>& links, std::string_view rel);

json::value to_json(const Feed& feed);
json::object to_json(const Entry& entry);

}  // namespace vigil::entities::feeds
