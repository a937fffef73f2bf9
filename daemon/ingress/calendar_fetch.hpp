#pragma once
// Where the text of a watched calendar comes from. Loop thread only.
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "core/json.hpp"
#include "daemon/ingress/fetch.hpp"

namespace vigil::ingress {

// What is known of the resources of a calendar: their ETags, and where the server's changes were
// read up to.
struct Resources {
  std::map<std::string, std::string> etags;  // by address
  std::string token;                         // sync-token of CalDAV, Last-Modified of HTTP
};

// What one fetch came to.
struct Fetched {
  std::map<std::string, std::string> texts;  // that are new or other than before, by address
  std::vector<std::string> gone;
  Resources now;
};

// Runs an analyser, contained, and gives its result.
using Analyse = std::function<boost::asio::awaitable<Result<json::value>>(std::string analyser,
                                                                          json::object input)>;

struct Fetching {
  config::Calendar settings;
  std::string authorization;  // empty: none
  Clock* clock = nullptr;
  Fetch fetch;
  Analyse analyse;
};

// By conditional requests: one resource over HTTP, or a CalDAV collection by sync-collection
// (RFC 6578), and by ETags where the server knows no such.
boost::asio::awaitable<Result<Fetched>> fetch_calendar(std::shared_ptr<const Fetching> with,
                                                       Resources known);

}  // namespace vigil::ingress
