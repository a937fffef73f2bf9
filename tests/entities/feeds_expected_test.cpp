// Every feed of the shared set, beside what it should say: MIT test data of gofeed (see the
// manifest of the data). Theirs is translated nowhere: ours is written in their words.
#include <doctest/doctest.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "core/json.hpp"
#include "entities/feeds/dates.hpp"
#include "entities/feeds/feed.hpp"
#include "tests/support/places.hpp"

using namespace vigil;
using namespace vigil::entities::feeds;
namespace fs = std::filesystem;

namespace {

std::string read_file(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

fs::path shared(const std::string& folder) {
  return fs::path(source_dir()) / "../shared/data/feeds" / folder;
}

void put(json::object& to, std::string_view name, const std::string& text) {
  if (!text.empty()) to[name] = text;
}

template <class List, class One>
void put_list(json::object& to, std::string_view name, const List& list, One one) {
  json::array all;
  for (const auto& each : list) all.push_back(one(each));
  if (!all.empty()) to[name] = std::move(all);
}

json::object person(const Person& of) {
  json::object out;
  put(out, "name", of.name);
  put(out, "email", of.email);
  put(out, "uri", of.uri);
  return out;
}

json::object link(const Link& of) {
  json::object out;
  put(out, "href", of.href);
  put(out, "rel", of.rel);
  put(out, "type", of.type);
  put(out, "length", of.length);
  return out;
}

json::object texts(const std::map<std::string, std::string>& of) {
  json::object out;
  for (const auto& [name, text] : of) out[name] = text;
  return out;
}

// What an RSS author was before it was taken apart.
std::string author_text(const Person& of) { return of.email.empty() ? of.name : of.email; }

// In RSS 1.0 an item's address in RDF is what it is known by (its own guid is not there). Theirs
// leaves it out, ours needs it to tell an item from the others.
bool is_rdf(const Feed& feed) { return feed.format == "rss" && feed.version == "1.0"; }

json::object rss_item(const Entry& entry, const Feed& feed) {
  json::object out;
  put(out, "title", entry.title);
  put(out, "description", entry.summary);
  put(out, "link", link_of(entry.links, "alternate"));
  if (!entry.id.empty() && !is_rdf(feed)) out["guid"] = json::object{{"value", entry.id}};
  if (!entry.authors.empty()) out["author"] = author_text(entry.authors.front());
  for (const auto& one : entry.links) {
    if (one.rel == "enclosure") {
      out["enclosure"] =
          json::object{{"url", one.href}, {"length", one.length}, {"type", one.type}};
    }
  }
  put_list(out, "categories", entry.categories, [](const Category& one) {
    return json::object{{"domain", one.scheme}, {"value", one.term}};
  });
  if (!entry.extra.empty()) out["custom"] = texts(entry.extra);
  return out;
}

json::value as_rss(const Feed& feed) {
  json::object out{{"version", feed.version}};
  put(out, "title", feed.title);
  put(out, "description", feed.description);
  put(out, "copyright", feed.rights);
  put(out, "generator", feed.generator.value);
  if (!feed.authors.empty()) out["managingEditor"] = author_text(feed.authors.front());
  json::object image;
  put(image, "title", feed.image.title);
  put(image, "link", feed.image.link);
  if (!image.empty()) out["image"] = image;
  if (!feed.text_input.empty()) out["textInput"] = texts(feed.text_input);
  if (!feed.cloud.empty()) out["cloud"] = texts(feed.cloud);
  json::array items;
  for (const auto& entry : feed.entries) items.push_back(rss_item(entry, feed));
  out["items"] = std::move(items);
  return json::value(std::move(out));
}

void put_atom_head(json::object& out, const Head& head) {
  put(out, "title", head.title);
  put(out, "subtitle", head.description);
  put(out, "rights", head.rights);
  put(out, "icon", head.icon);
  json::object generator;
  put(generator, "value", head.generator.value);
  put(generator, "version", head.generator.version);
  if (!generator.empty()) out["generator"] = generator;
  put_list(out, "authors", head.authors, person);
  put_list(out, "contributors", head.contributors, person);
  put_list(out, "links", head.links, link);
}

json::value as_atom(const Feed& feed) {
  json::object out{{"version", feed.version}};
  put_atom_head(out, feed);
  json::array entries;
  for (const auto& entry : feed.entries) {
    json::object one;
    put(one, "title", entry.title);
    put(one, "summary", entry.summary);
    put(one, "rights", entry.rights);
    if (!entry.content.empty()) {
      one["content"] = json::object{{"type", entry.content_type}, {"value", entry.content}};
    }
    put_list(one, "authors", entry.authors, person);
    put_list(one, "contributors", entry.contributors, person);
    put_list(one, "links", entry.links, link);
    if (entry.source) {
      json::object source;
      put_atom_head(source, *entry.source);
      one["source"] = std::move(source);
    }
    entries.push_back(std::move(one));
  }
  out["entries"] = std::move(entries);
  return json::value(std::move(out));
}

// ---- the universal form ------------------------------------------------------------------------

void put_date(json::object& to, const std::string& name, const std::string& text) {
  put(to, name, text);
  const auto at = parse_date(text);
  if (!at) return;
  // Theirs has seconds, or as many digits as were written.
  auto written = to_rfc3339(*at);
  if (written.ends_with(".000Z")) written.replace(written.size() - 5, 5, "Z");
  if (written.ends_with("0Z") && written.find('.') != std::string::npos) {
    written.replace(written.size() - 2, 2, "Z");
  }
  to[name + "Parsed"] = written;
}

json::object universal_person(const Person& of) {
  json::object out;
  put(out, "name", of.name);
  put(out, "email", of.email);
  put(out, "url", of.uri);
  put(out, "avatar", of.avatar);
  return out;
}

// Atom knows authors, JSON Feed 1.1 too; `author` is the first, where the format had one.
void put_people(json::object& out, const std::vector<Person>& authors, bool single) {
  put_list(out, "authors", authors, universal_person);
  if (single && !authors.empty()) out["author"] = universal_person(authors.front());
}

json::object universal_item(const Entry& entry, const Feed& feed, bool single) {
  json::object out;
  if (!is_rdf(feed)) put(out, "guid", entry.id);
  put(out, "title", entry.title);
  put(out, "description", entry.summary);
  put(out, "content", entry.content);
  put(out, "link", link_of(entry.links, "alternate"));
  json::array links;
  for (const auto& one : entry.links) {
    if (one.rel == "alternate" || one.rel == "related") links.emplace_back(one.href);
  }
  if (!links.empty()) out["links"] = std::move(links);
  put_date(out, "updated", entry.updated);
  // Theirs calls an entry published when it was updated, if nothing else is said.
  const bool of_atom = feed.format == "atom";
  put_date(out, "published", entry.published.empty() && of_atom ? entry.updated : entry.published);
  put_people(out, entry.authors, single);
  json::array enclosures;
  for (const auto& one : entry.links) {
    if (one.rel != "enclosure") continue;
    enclosures.push_back(
        json::object{{"url", one.href}, {"length", one.length}, {"type", one.type}});
  }
  if (!enclosures.empty()) out["enclosures"] = std::move(enclosures);
  put_list(out, "categories", entry.categories,
           [](const Category& one) { return json::value(one.term); });
  if (!entry.image.empty()) out["image"] = json::object{{"url", entry.image}};
  const auto banner = entry.extra.find("banner_image");
  if (entry.image.empty() && banner != entry.extra.end()) {
    out["image"] = json::object{{"url", banner->second}};
  }
  const auto itunes = entry.extra.find("itunes:summary");
  if (itunes != entry.extra.end()) out["itunesExt"] = json::object{{"summary", itunes->second}};
  return out;
}

json::value as_universal(const Feed& feed, bool single) {
  json::object out{{"feedType", feed.format}, {"feedVersion", feed.version}};
  put(out, "title", feed.title);
  put(out, "description", feed.description);
  put(out, "language", feed.language);
  put(out, "copyright", feed.rights);
  put(out, "generator", feed.generator.value);
  put(out, "link", link_of(feed.links, "alternate"));
  put(out, "feedLink", link_of(feed.links, "self"));
  json::array links;
  for (const auto& one : feed.links) {
    if (one.rel != "next") links.emplace_back(one.href);
  }
  if (!links.empty()) out["links"] = std::move(links);
  // A JSON Feed says no date: theirs takes that of its first item.
  const bool of_json = feed.format == "json" && !feed.entries.empty();
  put_date(out, "updated", of_json ? feed.entries.front().updated : feed.updated);
  put_date(out, "published", of_json ? feed.entries.front().published : feed.published);
  put_people(out, feed.authors, single);
  json::object image;
  put(image, "url", feed.image.url);
  put(image, "title", feed.image.title);
  if (!image.empty()) out["image"] = image;
  json::array items;
  for (const auto& entry : feed.entries) items.push_back(universal_item(entry, feed, single));
  out["items"] = std::move(items);
  return json::value(std::move(out));
}

// Extensions as trees are their own form; ours keeps the texts that have a meaning.
json::value without_trees(json::value expected) {
  auto& object = expected.get_object();
  object.erase("extensions");
  if (auto* items = object.if_contains("items")) {
    for (auto& item : items->get_array()) item.get_object().erase("extensions");
  }
  return expected;
}

struct Tried {
  int all = 0;
  int equal = 0;
};

template <class Write>
Tried try_folder(const std::string& folder, Write write) {
  Tried tried;
  for (const auto& file : fs::directory_iterator(shared(folder))) {
    auto path = file.path();
    if (path.extension() != ".xml") continue;
    const auto feed = read_feed(read_file(path), {});
    const auto expected = parse_json(read_file(path.replace_extension(".json")));
    CAPTURE(path.filename().string());
    REQUIRE(feed);
    REQUIRE(expected);
    const auto ours = to_text(write(*feed));
    const bool equal = write(*feed) == without_trees(*expected);
    CHECK_MESSAGE(equal, path.filename().string(), "\n  ours ", ours, "\n  not  ",
                  to_text(*expected));
    ++tried.all;
    tried.equal += equal ? 1 : 0;
  }
  return tried;
}

bool is_shared_there() {
  if (fs::exists(shared("parser-rss"))) return true;
  MESSAGE("skipped: the shared data is not here");
  return false;
}

}  // namespace

TEST_CASE("every RSS, RDF and Atom feed of the set says what it should") {
  if (!is_shared_there()) return;
  const auto single = [](const Feed& feed) { return as_universal(feed, true); };
  Tried sum;
  for (const auto& tried :
       {try_folder("parser-rss", as_rss), try_folder("parser-atom", as_atom),
        try_folder("translator-rss", single), try_folder("translator-atom", single),
        try_folder("extensions-itunes", single)}) {
    sum.all += tried.all;
    sum.equal += tried.equal;
  }
  CHECK(sum.all == 114);
  CHECK(sum.equal == sum.all);
}

TEST_CASE("every JSON Feed of the set says what it should") {
  if (!is_shared_there()) return;
  for (const auto* name : {"json10_full", "json11_full"}) {
    CAPTURE(name);
    const auto path = shared("translator-json") / name;
    if (!fs::exists(path.string() + ".json")) continue;
    const auto feed = read_feed(read_file(path.string() + ".json"), {});
    const auto expected = parse_json(read_file(path.string() + "_expected.json"));
    REQUIRE(feed);
    REQUIRE(expected);
    const bool single = feed->version == "1.0";
    CHECK_MESSAGE(as_universal(*feed, single) == *expected, to_text(as_universal(*feed, single)));
  }
  // Of the parser's own set the documents are their own expectation.
  for (const auto* name :
       {"version_json_10", "version_json_11", "version_json_11_deprecated_author"}) {
    CAPTURE(name);
    const auto path = shared("parser-json") / name;
    const auto feed = read_feed(read_file(path.string() + ".json"), {});
    const auto expected = parse_json(read_file(path.string() + "_expected.json"));
    REQUIRE(feed);
    REQUIRE(expected);
    const auto text = [&](std::string_view at) {
      return find_scalar_text(*expected, at).value_or("");
    };
    REQUIRE(feed->entries.size() == 1);
    const auto& entry = feed->entries.front();
    CHECK(feed->version == text("version"));
    CHECK(feed->title == text("title"));
    CHECK(link_of(feed->links, "alternate") == text("home_page_url"));
    CHECK(link_of(feed->links, "self") == text("feed_url"));
    CHECK(link_of(feed->links, "next") == text("next_url"));
    CHECK(feed->description == text("description"));
    CHECK(feed->image.url == text("icon"));
    CHECK(feed->icon == text("favicon"));
    CHECK(entry.id == text("items.0.id"));
    CHECK(entry.title == text("items.0.title"));
    CHECK(entry.content == text("items.0.content_html"));
    CHECK(entry.extra.at("content_text") == text("items.0.content_text"));
    CHECK(entry.summary == text("items.0.summary"));
    CHECK(entry.published == text("items.0.date_published"));
    CHECK(entry.updated == text("items.0.date_modified"));
    CHECK(link_of(entry.links, "alternate") == text("items.0.url"));
    CHECK(link_of(entry.links, "related") == text("items.0.external_url"));
    CHECK(link_of(entry.links, "enclosure") == text("items.0.attachments.0.url"));
    CHECK(entry.authors.at(0).name == text("items.0.author.name"));
    CHECK(entry.categories.size() == 2);
    CHECK(feed->authors.at(0).avatar ==
          text(find_path(*expected, "authors") ? "authors.0.avatar" : "author.avatar"));
  }
  const auto invalid = read_feed(read_file(shared("parser-json-invalid") / "invalid.json"), {});
  CHECK(!invalid);
}

TEST_CASE("damaged feeds are read or refused, and never more than that") {
  if (!is_shared_there()) return;
  std::mt19937 random(20261128);
  const auto any = [&](std::size_t below) {
    return std::uniform_int_distribution<std::size_t>(0, below - 1)(random);
  };
  std::size_t read = 0;
  for (const auto& file : fs::recursive_directory_iterator(shared(""))) {
    if (!file.is_regular_file()) continue;
    const auto whole = read_file(file.path());
    for (int round = 0; round < 20 && whole.size() > 10; ++round) {
      auto text = whole;
      for (auto changes = 1 + any(6); changes > 0; --changes) {
        const auto at = any(text.size());
        constexpr std::string_view marks = "<>&;\"'=/![]CDATA-\0\xff\xc3:#x";
        if (any(3) == 0) text.resize(at + 1);
        if (any(2) == 0) text[at] = marks[any(marks.size())];
        if (any(4) == 0) text.insert(at, text.substr(at / 2, any(200) + 1));
      }
      const auto feed = read_feed(text, {.url = "https://h.org/f", .charset = {}});
      if (!feed) continue;
      ++read;
      CHECK(is_valid_utf8(to_text(to_json(*feed))));
    }
  }
  CHECK(read > 500);
}

TEST_CASE("byte order marks and blanks before the declaration are passed over") {
  if (!is_shared_there()) return;
  for (const auto& file : fs::directory_iterator(shared("parser-universal"))) {
    CAPTURE(file.path().filename().string());
    const auto feed = read_feed(read_file(file.path()), {});
    if (file.path().filename() == "empty_feed.xml") {
      CHECK(!feed);
      continue;
    }
    REQUIRE(feed);
    CHECK((feed->title == "Feed Title" || feed->title == "title"));
  }
}
