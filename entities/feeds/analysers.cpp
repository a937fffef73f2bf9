#include "entities/feeds/analysers.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fstream>

#include "core/digest.hpp"
#include "core/log.hpp"
#include "entities/feeds/charset.hpp"
#include "entities/feeds/feed.hpp"
#include "entities/feeds/follow.hpp"
#include "entities/feeds/item.hpp"
#include "entities/feeds/table.hpp"

namespace vigil::entities::feeds {
namespace {

constexpr std::size_t file_bytes_max = 64 * 1024 * 1024;

// The one file that was named, or the body that was fetched.
Result<std::string> bytes_of(const Request& request) {
  if (const auto body = find_text(request.input, "body")) {
    auto bytes = from_base64(*body);
    if (!bytes) return fail(ErrorCode::invalid_input, "body: expected base64");
    return std::move(*bytes);
  }
  const auto* files = find_path(request.input, "files");
  if (files == nullptr || !files->is_array() || files->get_array().size() != 1 ||
      !files->get_array().front().is_string()) {
    return fail(ErrorCode::invalid_input,
                "give one file; of a feed on the web: curl -s ADDRESS -o FILE, then --url ADDRESS");
  }
  const std::string path(std::string_view(files->get_array()[0].get_string()));
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(ErrorCode::not_found, fmt::format("cannot read {}", vigil::quoted(path)));
  std::string text;
  std::array<char, 64 * 1024> buffer{};
  while (in.read(buffer.data(), buffer.size()) || in.gcount() > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > file_bytes_max) {
      return fail(ErrorCode::too_large, "the file is larger than 64 MiB");
    }
  }
  return text;
}

ReadOptions options_of(const Request& request) {
  return {std::string(find_text(request.input, "url").value_or("")),
          std::string(find_text(request.input, "charset").value_or(""))};
}

std::string lines_of(const Items& items) {
  std::string out;
  for (const auto& item : items.all) {
    const auto at = item.time ? to_rfc3339(*item.time) : std::string("-");
    out += fmt::format("{}  {}  {}\n", at, item.type.empty() ? "-" : item.type, item.subject);
    const auto link = find_text(item.data, "link");
    out += link ? fmt::format("    {}\n", *link) : "";
  }
  return out;
}

Result<json::value> run_read(const Request& request) {
  const auto bytes = bytes_of(request);
  if (!bytes) return std::unexpected(bytes.error());
  const auto feed = read_feed(*bytes, options_of(request));
  if (!feed) return std::unexpected(feed.error());
  const auto items = items_of(*feed);
  auto out = to_json(*feed).get_object();
  const auto summary =
      fmt::format("{} {}: {} entries{}", feed->format, feed->version, feed->entries.size(),
                  feed->damage.empty() ? "" : "; damaged: " + feed->damage);
  out["summary"] = summary;
  out["text"] = fmt::format("{}\n{}{}\n", feed->title, lines_of(items), summary);
  return json::value(std::move(out));
}

// What a poll asks: the items of a document that was fetched.
Result<json::value> run_items(const Request& request) {
  const auto bytes = bytes_of(request);
  if (!bytes) return std::unexpected(bytes.error());
  Result<Items> items = Items{};
  const auto* table = find_path(request.input, "table");
  if (table != nullptr) {
    const auto form = read_table_form(*table);
    if (!form) return std::unexpected(form.error());
    items = read_table(to_utf8(*bytes, options_of(request).charset), *form);
  } else {
    const auto feed = read_feed(*bytes, options_of(request));
    if (!feed) return std::unexpected(feed.error());
    items = items_of(*feed);
  }
  if (!items) return std::unexpected(items.error());
  auto out = to_json(*items).get_object();
  const auto summary = fmt::format(
      "{} items{}", items->all.size(),
      items->skipped > 0 ? fmt::format(", {} left out; {}", items->skipped, items->problem) : "");
  out["summary"] = summary;
  out["text"] = fmt::format("{}{}\n", lines_of(*items), summary);
  return json::value(std::move(out));
}

Result<json::value> run_follow(const Request& request) {
  const auto form = read_follow_form(request.input);
  if (!form) return std::unexpected(form.error());
  State state;
  if (const auto* given = find_path(request.input, "state");
      given != nullptr && given->is_object()) {
    for (const auto& [key, value] : given->get_object()) {
      if (value.is_string()) state[key] = std::string(value.get_string());
    }
  }
  const auto followed = follow(*form, state);
  if (!followed) return std::unexpected(followed.error());
  auto out = to_json(followed->items).get_object();
  json::object changed;
  for (const auto& [key, value] : followed->state) changed[key] = value;
  out["state"] = std::move(changed);
  out["gone"] = json::array(followed->gone.begin(), followed->gone.end());
  out["notes"] = json::array(followed->notes.begin(), followed->notes.end());
  out["more"] = followed->more;
  out["pending"] = followed->pending;
  const auto summary = fmt::format("{} items", followed->items.all.size());
  std::string text;
  for (const auto& item : followed->items.all) text += to_text(item.data) + "\n";
  out["summary"] = summary;
  out["text"] = text + summary + "\n";
  return json::value(std::move(out));
}

constexpr std::array table{
    Analyser{"feeds.read", "a feed of RSS, RDF, Atom or JSON Feed: what it says",
             "one file; url, charset", run_read},
    Analyser{"feeds.items", "a feed, or a table of CSV or JSON, as the events it would be",
             "one file; url, charset, table (columns, format, delimiter, header, decimal_comma, "
             "items, only, time_format, tz, symbol, interval)",
             run_items},
    Analyser{"feeds.follow", "what was written to a file, or dropped into a folder, since a look",
             "path, form (lines, json, table), names, table, state, first, backfill", run_follow},
};

}  // namespace

std::span<const Analyser> analysers() { return table; }

}  // namespace vigil::entities::feeds
