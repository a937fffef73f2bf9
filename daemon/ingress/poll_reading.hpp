#pragma once
// What a polled document says: the items that were not there before, as events. Pure; any thread.
#include <functional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "core/json.hpp"
#include "storage/journal.hpp"

namespace vigil::ingress {

struct PolledItem {
  std::string id;  // among those of the source
  storage::NewEvent event;
  json::value payload;
};

struct PolledPage {
  std::vector<std::string> ids;   // of all items
  std::vector<PolledItem> fresh;  // in the order of the document
  std::size_t skipped = 0;        // items that say no id
};

using IsKnown = std::function<bool(const std::string& id)>;

// Errors: the document is not of the form that the source says.
Result<PolledPage> read_page(const std::string& source, const config::Poll& settings, Taint taint,
                             const std::string& document, const IsKnown& known, TimePoint now);

// Another address or another form: what was seen before says nothing.
std::string poll_form(const config::Poll& settings);
// The address of the next page by the answer's `Link` field, when it is of the same server; empty:
// there is none.
std::string next_page(std::string_view link, std::string_view url);

}  // namespace vigil::ingress
