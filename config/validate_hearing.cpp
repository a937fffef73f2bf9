#include "config/validate_hearing.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "config/schema_streams.hpp"
#include "config/words.hpp"
#include "core/decimal.hpp"

namespace vigil::config {
namespace {

bool is_loopback_url(std::string_view url) {
  url.remove_prefix(std::string_view("http://").size());
  const auto host = url.substr(0, url.find_first_of("/?"));
  return host == "localhost" || host.starts_with("localhost:") || host.starts_with("127.") ||
         host.starts_with("[::1]");
}

enum class Rows { none, table, messages };

bool is_number(std::string_view text) { return Decimal::parse(text).has_value(); }

// `rows` says what the mapping is for: nothing, so that there must be none; a table; messages.
void check_mapping(const std::string& key, const Mapping& mapping, Rows rows, Violations& found) {
  const bool given = !mapping.columns.empty() || !mapping.items.empty() || !mapping.symbol.empty();
  const auto table = key + ".table";
  if (rows == Rows::none) {
    if (given) found.add(table, "is used by form = \"table\" alone", key + ".form");
    return;
  }
  if (mapping.columns.empty()) {
    found.add(table + ".columns",
              "is required: say where each thing stands, like columns = { symbol = \"Ticker\", "
              "price = \"Last\", time = \"Date\" }",
              table);
    return;
  }
  const bool tab = mapping.delimiter == "tab";
  if (!tab && (mapping.delimiter.size() != 1 || mapping.delimiter == "\"")) {
    found.add(table + ".delimiter", "expected one character, or tab");
  }
  if (mapping.decimal_comma && mapping.delimiter == "," && mapping.format == TableFormat::csv) {
    found.add(table + ".decimal_comma",
              "cannot be with commas between the fields: say delimiter = \";\"");
  }
  if (!mapping.interval.empty() && !parse_duration(mapping.interval)) {
    found.add(table + ".interval", "expected a duration like \"1d\"");
  }
  const auto has = [&](const char* what) { return mapping.columns.contains(what); };
  const bool priced = has("price") || has("close") || has("bid");
  if (priced && !has("symbol") && mapping.symbol.empty()) {
    found.add(table + ".symbol", "a price is of something: give a column, or symbol = \"NAME\"",
              table);
  }
  if (rows == Rows::messages && !has("price")) {
    found.add(table + ".columns", "a stream of trades needs a price", table);
  }
  if (has("bid") && !has("ask") && !has("price") && !has("close")) {
    found.add(table + ".columns", "a bid alone is no price: name the ask, too, or a price");
  }
  if (has("close") && !has("time")) {
    found.add(table + ".columns", "a bar begins at some time: name its column");
  }
  if (has("close") && mapping.interval.empty()) {
    found.add(table + ".interval", "bars are of some length: interval = \"1d\"", table);
  }
}

void check_poll(const std::string& key, const Poll& poll, Violations& found) {
  const Poll plain;
  const auto belongs_to_items = [&](std::string_view name, bool given) {
    if (!given || poll.form == PollForm::items) return;
    found.add(
        fmt::format("{}.{}", key, name),
        fmt::format("is used by form = \"items\" alone, and this is \"{}\"", word_of(poll.form)),
        key + ".form");
  };
  belongs_to_items("items", !poll.items.empty());
  belongs_to_items("id", poll.id != plain.id);
  if (poll.form == PollForm::github_events || poll.form == PollForm::document) {
    belongs_to_items("newest_first", poll.newest_first != plain.newest_first);
  }
  if (poll.updates && poll.form != PollForm::feed) {
    found.add(key + ".updates", "is used by form = \"feed\" alone", key + ".form");
  }
  const bool of_table = poll.form == PollForm::table;
  check_mapping(key, *poll.table, of_table ? Rows::table : Rows::none, found);
  if (poll.token && poll.url.starts_with("http://") && !is_loopback_url(poll.url)) {
    found.add(key + ".token", "would travel in the open: fetch it by https, or without a token",
              key + ".url");
  }
  for (const auto& [header, value] : poll.headers) {
    const bool clean = std::ranges::all_of(value, [](unsigned char c) { return c >= 0x20; });
    if (clean) continue;
    found.add(fmt::format("{}.headers.{}", key, header),
              "the value of a header is one line without control characters");
  }
}

void check_repository(const std::string& key, const Repository& repository, Violations& found) {
  if (repository.every != Duration{0} && repository.every < 1s) {
    found.add(key + ".every", "expected at least 1s, or 0s for never");
  }
  if (repository.name.find_first_of(" @#") != std::string::npos) {
    found.add(key + ".name", "expected a name like \"octo/repo\", without blanks, @ and #");
  }
}

void check_files(const std::string& key, const Files& files, Violations& found) {
  check_mapping(key, *files.table, files.form == FileForm::table ? Rows::table : Rows::none, found);
  if (files.form == FileForm::table && files.table->format == TableFormat::json) {
    found.add(key + ".table.format", "a file is read line by line: use form = \"json\"");
  }
  if (files.form != FileForm::json && !(files.subject_path.empty() && files.time_path.empty())) {
    found.add(key + ".form", "subject_path and time_path are used by form = \"json\" alone");
  }
  if (files.every != Duration{0} && files.every < 1s) {
    found.add(key + ".every", "expected at least 1s, or 0s for never");
  }
}

void check_stream_form(const std::string& key, const Stream& stream, Violations& found) {
  if (stream.form == StreamForm::json) {
    check_mapping(key, *stream.table, Rows::messages, found);
    if (stream.url.empty()) {
      found.add(key + ".url", "form = \"json\" needs an address: url = \"wss://...\"", key);
    }
    return;
  }
  check_mapping(key, *stream.table, Rows::none, found);
  if (stream.symbols.empty()) {
    found.add(key + ".symbols",
              fmt::format("form = \"{}\" needs what to listen to: symbols = [\"...\"]",
                          word_of(stream.form)),
              key);
  }
  if (!stream.subscribe.empty()) {
    found.add(key + ".subscribe", "is used by form = \"json\" alone", key + ".form");
  }
}

void check_refetch(const std::string& key, const Stream& stream, Violations& found) {
  const auto has = [&](std::string_view place) {
    return stream.refetch.find(place) != std::string::npos;
  };
  const bool by_time = stream.form == StreamForm::kraken;
  const bool has_place = stream.form == StreamForm::bitstamp ||
                         (by_time ? has("{since}") : has("{from}") || has("{next}"));
  if (!has_place || !stream.refetch.starts_with("http")) {
    found.add(key + ".refetch", by_time ? "expected an address with {since}, like "
                                          "https://host/Trades?pair={pair}&since={since}"
                                        : "expected an address with {from}, like "
                                          "https://host/trades?symbol={symbol}&fromId={from}");
  }
}

void check_channels(const std::string& key, const Stream& stream, Violations& found) {
  const auto has = [&](std::string_view word) {
    return std::ranges::find(stream.channels, word) != stream.channels.end();
  };
  for (std::size_t at = 0; at < stream.channels.size(); ++at) {
    if (std::ranges::find(channel_words, stream.channels[at]) != channel_words.end()) continue;
    found.add(fmt::format("{}.channels[{}]", key, at), "expected trades, bars or quotes");
  }
  if (has("trades") && has("bars")) {
    found.add(key + ".channels", "both trades and bars make bars: leave one of them out");
  }
  if (has("bars") && stream.form != StreamForm::binance) {
    found.add(key + ".channels",
              fmt::format("bars of {} are made of its trades: channels = [\"trades\"]",
                          word_of(stream.form)));
  }
  if (has("quotes") && (stream.form == StreamForm::bitstamp || stream.form == StreamForm::json)) {
    found.add(key + ".channels", fmt::format("{} has no quotes", word_of(stream.form)));
  }
  if (!has("trades") && !(stream.refetch.empty() && stream.crossings.empty())) {
    found.add(key + ".channels", "crossings and refetch need trades: add \"trades\"",
              key + (stream.refetch.empty() ? ".crossings" : ".refetch"));
  }
}

void check_stream(const std::string& key, const Stream& stream, Violations& found) {
  check_stream_form(key, stream, found);
  check_channels(key, stream, found);
  if (!stream.refetch.empty()) check_refetch(key, stream, found);
  const bool plain = stream.url.starts_with("ws://");
  if (!stream.url.empty() && !plain && !stream.url.starts_with("wss://")) {
    found.add(key + ".url", "expected an address that begins with wss:// or ws://");
  }
  if (plain && !is_loopback_url("http" + stream.url.substr(2))) {
    found.add(key + ".url",
              "ws:// is in the open, and anybody on the way could write prices: use wss://");
  }
  for (std::size_t at = 0; at < stream.intervals.size(); ++at) {
    const auto interval = parse_duration(stream.intervals[at]);
    const bool fits = interval && *interval >= 1s && *interval <= 24h && 24h % *interval == 0s;
    if (fits) continue;
    found.add(fmt::format("{}.intervals[{}]", key, at),
              "expected a part of a day, at least a second: \"1m\", \"5m\", \"1h\", \"1d\"");
  }
  for (const auto& [symbol, levels] : stream.crossings) {
    std::string_view rest = levels;
    bool right = rest.find_first_not_of(' ') != std::string_view::npos;
    while (!rest.empty()) {
      const auto word = rest.substr(0, rest.find(' '));
      rest.remove_prefix(std::min(rest.size(), word.size() + 1));
      right &= word.empty() || is_number(word);
    }
    if (right) continue;
    found.add(fmt::format("{}.crossings.{}", key, symbol),
              "expected numbers with blanks between them: \"60000 61500.5\"");
  }
}

}  // namespace

void check_hearing(const std::string& key, const Source& source, Violations& found) {
  if (const auto* poll = std::get_if<Poll>(&source.of)) check_poll(key, *poll, found);
  if (const auto* watched = std::get_if<Repository>(&source.of)) {
    check_repository(key, *watched, found);
  }
  if (const auto* files = std::get_if<Files>(&source.of)) check_files(key, *files, found);
  if (const auto* stream = std::get_if<Stream>(&source.of)) check_stream(key, *stream, found);
}

}  // namespace vigil::config
