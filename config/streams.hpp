#pragma once
// Sources of rows and of streams: files that grow or are dropped, exchanges that push trades, and
// how rows say what they are. Plain values; settings.hpp holds them.
#include <map>
#include <string>
#include <vector>

#include "core/boxed.hpp"
#include "core/time.hpp"

namespace vigil::config {

using namespace std::chrono_literals;

enum class TableFormat { csv, json };

struct Mapping {  // [source.NAME.table]: which column, or which path of an item, says what
  TableFormat format = TableFormat::csv;
  std::string delimiter = ",";  // one character, or tab
  bool header = true;           // the first row names the columns; else they are 1, 2, 3...
  bool decimal_comma = false;   // 1.234,56
  std::string items;            // json: where the list stands; empty: it is the document
  std::map<std::string, std::string> columns;  // what = where: see column_words
  std::map<std::string, std::string> only;     // where = value: rows that say otherwise are none
  std::string time_format;                     // as of strptime; empty: it is recognised
  std::string tz = "UTC";                      // of times that say no zone
  std::string symbol;                          // of rows that say none
  std::string interval;                        // of bars, like "1d"

  bool operator==(const Mapping&) const = default;
};

enum class FileForm { lines, json, table };

struct Files {                             // kind = "file"
  std::string path;                        // a file that grows, or a folder where files are dropped
  FileForm form = FileForm::lines;         // json: a JSON document in each line
  std::vector<std::string> names = {"*"};  // folder: which files
  std::string type = "file.line";
  std::string subject_path;  // json
  std::string time_path;     // json
  Boxed<Mapping> table;
  Duration settle = 1s;   // folder: nobody has written to a file for so long before it is read
  Duration every = 1min;  // read anyway, for file systems that notify nobody; 0: never
  Duration timeout = 1min;
  std::size_t line_bytes_max = 64 * 1024;
  bool backfill = false;  // at the first look tell what is there already
};

enum class StreamForm { binance, kraken, coinbase, bitstamp, json };

struct Stream {  // kind = "stream"
  StreamForm form = StreamForm::json;
  std::string url;                                 // ws:// or wss://; empty: the exchange's own
  std::string ca;                                  // PEM file; empty: the system's
  std::vector<std::string> symbols;                // as the exchange writes them
  std::vector<std::string> subscribe;              // form json: messages to begin with
  Boxed<Mapping> table;                            // form json
  std::vector<std::string> channels = {"trades"};  // what is subscribed to: see channel_words
  std::vector<std::string> intervals = {"1m"};
  Duration quote_every = 1min;                   // the least time between two quotes of a symbol
  Duration lateness = 5s;                        // how long a bar waits for trades that are late
  std::map<std::string, std::string> crossings;  // symbol = levels, blanks between them
  std::string refetch;                           // where missed trades are asked for
  Duration idle = 1min;                          // a connection that is silent for so long is dead
  std::size_t message_bytes_max = 1024 * 1024;
  int sends_per_second = 4;  // messages to the server

  bool operator==(const Stream&) const = default;
};

}  // namespace vigil::config
