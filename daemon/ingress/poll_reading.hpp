#pragma once
// What a polled document says: the items that were not there before, as events. Pure; any thread.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "core/json.hpp"
#include "storage/journal.hpp"
#include "swarm/plan.hpp"

namespace vigil::ingress {

struct PolledItem {
  std::string id;  // among those of the source
  storage::NewEvent event;
  json::value payload;
};

struct PolledPage {
  std::vector<std::string> ids;      // of all items
  std::vector<std::string> digests;  // of the same, where items may say something else later
  std::vector<PolledItem> fresh;     // in the order of the document
  std::size_t skipped = 0;           // items that say no id
  std::string trouble;               // what could not be read; the rest counts
};

using IsKnown = std::function<bool(const std::string& id)>;

// Errors: the document is not of the form that the source says.
Result<PolledPage> read_page(const std::string& source, const config::Poll& settings, Taint taint,
                             const std::string& document, const IsKnown& known, TimePoint now);

// Feeds and tables are read in a contained child, by this task...
bool is_read_outside(const config::Poll& settings);
swarm::Task reading_task(const config::Poll& settings, const std::string& body,
                         std::string_view content_type);
// ...whose answer is this page. `digest_of` says what a known item said when it was last told.
using DigestOf = std::function<std::optional<std::string>(const std::string& id)>;
Result<PolledPage> page_of(const std::string& source, const config::Poll& settings, Taint taint,
                           const json::value& answer, const DigestOf& digest_of, TimePoint now);

// Another address or another form: what was seen before says nothing.
std::string poll_form(const config::Poll& settings);
// The address of the next page by the answer's `Link` field, when it is of the same server; empty:
// there is none.
std::string next_page(std::string_view link, std::string_view url);

}  // namespace vigil::ingress
