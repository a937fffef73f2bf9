#pragma once
// Keys of sources of kind file and stream, and of [source.NAME.table]. See schema.hpp.
#include <array>
#include <string_view>

#include "config/spec.hpp"
#include "config/streams.hpp"
#include "config/words.hpp"

namespace vigil::config {

inline constexpr std::array<std::string_view, 3> channel_words{"trades", "bars", "quotes"};

template <class Visitor>
void describe(Visitor& v, Mapping& of) {
  v.value(Spec{.name = "format", .meaning = "what the document is"}, of.format);
  v.value(Spec{.name = "delimiter", .meaning = "csv: one character, or tab"}, of.delimiter);
  v.value(Spec{.name = "header",
               .meaning = "csv: the first row names the columns; false: they are 1, 2, 3"},
          of.header);
  v.value(Spec{.name = "decimal_comma", .meaning = "numbers are written 1.234,56"},
          of.decimal_comma);
  v.value(Spec{.name = "items",
               .meaning = "json: where the list stands; empty: the document is the list, or a "
                          "single item",
               .form = Form::dotted_path},
          of.items);
  v.value(Spec{.name = "columns",
               .meaning = "what = where: a column's name or number, or a path in a JSON item. "
                          "symbol, price, amount, bid, ask, open, high, low, close, volume, time, "
                          "id, side, sequence; other names are kept as they are called"},
          of.columns);
  v.value(Spec{.name = "only", .meaning = "where = value: rows that say otherwise are passed over"},
          of.only);
  v.value(Spec{.name = "time_format",
               .meaning = "how times are written, as for strptime; empty: it is recognised"},
          of.time_format);
  v.value(Spec{.name = "tz", .meaning = "zone of times that say none", .form = Form::zone}, of.tz);
  v.value(Spec{.name = "symbol", .meaning = "of rows that say none"}, of.symbol);
  v.value(Spec{.name = "interval", .meaning = "of bars, like 1d"}, of.interval);
}

template <class Visitor>
void describe(Visitor& v, Files& of) {
  v.value(Spec{.name = "path",
               .meaning = "a file that grows, or a folder where files are dropped",
               .presence = Presence::required,
               .form = Form::path},
          of.path);
  v.value(Spec{.name = "form", .meaning = "what stands in it; json: a document in each line"},
          of.form);
  v.value(Spec{.name = "names",
               .meaning = "folder: names of the files that are read",
               .form = Form::pattern,
               .least = 1,
               .most = 100},
          of.names);
  v.value(Spec{.name = "type", .meaning = "type of its events", .form = Form::event_type}, of.type);
  v.value(Spec{.name = "subject_path",
               .meaning = "form json: where a line says what it is about",
               .form = Form::dotted_path},
          of.subject_path);
  v.value(Spec{.name = "time_path",
               .meaning = "form json: where a line says when it happened",
               .form = Form::dotted_path},
          of.time_path);
  v.table(Spec{.name = "table", .meaning = "form table: how rows say what they are"}, of.table);
  v.value(Spec{.name = "settle",
               .meaning = "folder: nobody has written to a file for so long before it is read",
               .most = in_us(24h)},
          of.settle);
  v.value(Spec{.name = "every",
               .meaning = "looked at anyway after this, for file systems that notify nobody; 0s: "
                          "never"},
          of.every);
  v.value(Spec{.name = "timeout", .meaning = "time for one reading", .least = in_us(1s)},
          of.timeout);
  v.value(Spec{.name = "line_bytes_max",
               .meaning = "a longer line is cut, and says so",
               .least = 256,
               .most = 1024 * 1024},
          of.line_bytes_max);
  v.value(Spec{.name = "backfill", .meaning = "at the very first look tell what is there already"},
          of.backfill);
}

template <class Visitor>
void describe_bars(Visitor& v, Stream& of) {
  v.value(Spec{.name = "channels",
               .meaning = "what is subscribed to: trades (bars are made of them), bars (the "
                          "exchange's own), quotes (its tickers)",
               .least = 1,
               .choices = channel_words},
          of.channels);
  v.value(Spec{.name = "intervals", .meaning = "of the bars that are told", .most = 8},
          of.intervals);
  v.value(Spec{.name = "quote_every",
               .meaning = "a symbol's quote is told at most once in so long, the latest",
               .least = in_us(1s)},
          of.quote_every);
  v.value(Spec{.name = "lateness",
               .meaning = "how long a bar waits for trades that come late or in disorder",
               .most = in_us(10min)},
          of.lateness);
  v.value(
      Spec{.name = "crossings",
           .meaning = "symbol = levels, blanks between them: a trade beyond one is told at once"},
      of.crossings);
  v.value(Spec{.name = "refetch",
               .meaning = "where missed trades are asked for: an address with {symbol} ({pair}: "
                          "without its slash), {from} and {to} (the first and last id that are "
                          "missed), {next} (the id after), {since} (Unix time before the hole)"},
          of.refetch);
}

template <class Visitor>
void describe(Visitor& v, Stream& of) {
  v.value(Spec{.name = "form", .meaning = "whose messages they are; json: by [source.NAME.table]"},
          of.form);
  v.value(Spec{.name = "url", .meaning = "ws:// or wss://; empty: the exchange's own"}, of.url);
  v.value(Spec{.name = "ca",
               .meaning = "PEM file of those who may certify the server; empty: the system's",
               .form = Form::path},
          of.ca);
  v.value(Spec{.name = "symbols", .meaning = "as the exchange writes them", .most = 1000},
          of.symbols);
  v.value(Spec{.name = "subscribe", .meaning = "form json: messages to begin with", .most = 1000},
          of.subscribe);
  v.table(Spec{.name = "table", .meaning = "form json: how messages say what they are"}, of.table);
  describe_bars(v, of);
  v.value(Spec{.name = "idle",
               .meaning = "a connection that is silent for so long, pings included, is given up",
               .least = in_us(1s)},
          of.idle);
  v.value(Spec{.name = "message_bytes_max",
               .meaning = "largest message",
               .least = 1024,
               .most = 64 * 1024 * 1024},
          of.message_bytes_max);
  v.value(Spec{.name = "sends_per_second",
               .meaning = "messages to the server in a second",
               .least = 1,
               .most = 1000},
          of.sends_per_second);
}

}  // namespace vigil::config
