// Polled feeds and tables: what the contained child is asked, and what its answer comes to.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json/object.hpp>

#include "core/digest.hpp"
#include "core/sorted.hpp"
#include "daemon/ingress/item_events.hpp"
#include "daemon/ingress/poll_reading.hpp"

namespace vigil::ingress {
namespace {

using config::PollForm;

// "text/xml; charset=ISO-8859-1"
std::string charset_of(std::string_view content_type) {
  std::string type(content_type);
  for (char& c : type) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
  }
  const auto at = type.find("charset=");
  if (at == std::string::npos) return {};
  auto out = type.substr(at + 8);
  out = out.substr(0, out.find(';'));
  std::erase_if(out, [](char c) { return c == '"' || c == '\'' || c == ' '; });
  return out;
}

// What the source says, unless it is the default of another form.
std::string type_of(const config::Poll& settings) {
  if (settings.type != config::Poll{}.type) return settings.type;
  return settings.form == PollForm::feed ? "feed.item" : "table.row";
}

// A bar that may still change is not delivered.
bool is_open(const TakenItem& item, TimePoint now) {
  if (item.event.type != "market.bar") return false;
  const auto interval = parse_duration(find_text(item.payload, "interval").value_or(""));
  const auto start = parse_rfc3339(find_text(item.payload, "time").value_or(""));
  return interval && start && *start + *interval > now;
}

}  // namespace

bool is_read_outside(const config::Poll& settings) {
  return settings.form == PollForm::feed || settings.form == PollForm::table;
}

swarm::Task reading_task(const config::Poll& settings, const std::string& body,
                         std::string_view content_type) {
  swarm::Task task;
  task.name = "items";
  task.builtin = "feeds.items";
  task.timeout = settings.timeout;
  json::object input{
      {"body", to_base64(body)}, {"url", settings.url}, {"charset", charset_of(content_type)}};
  if (settings.form == PollForm::table) input["table"] = table_input(*settings.table);
  task.input = std::move(input);
  return task;
}

Result<PolledPage> page_of(const std::string& source, const config::Poll& settings, Taint taint,
                           const json::value& answer, const DigestOf& digest_of, TimePoint now) {
  const bool is_feed = settings.form == PollForm::feed;
  auto taken = take_items(source, type_of(settings), taint, answer, now);
  if (!taken) return std::unexpected(std::move(taken.error()));
  PolledPage page;
  page.trouble = std::move(taken->trouble);
  for (auto& item : taken->all) {
    if (is_open(item, now)) continue;
    page.ids.push_back(item.id);
    page.digests.push_back(item.digest);
    const auto before = digest_of(item.id);
    if (before && (*before == item.digest || (is_feed && !settings.updates))) continue;
    if (is_feed) item.event.type = type_of(settings) + (before ? ".updated" : "");
    // What a row or an entry says may come back; it is news each time.
    if (before || !is_feed) {
      item.event.uid = fmt::format("{}@{}@{}", item.id, item.digest, to_unix_us(now));
    }
    page.fresh.push_back({std::move(item.id), std::move(item.event), std::move(item.payload)});
  }
  // Rows are told in the order of their times, whatever that of the table is.
  if (!is_feed) {
    sort_stably(page.fresh, [](const auto& one, const auto& other) {
      return one.event.time < other.event.time;
    });
    if (settings.newest_first) std::ranges::reverse(page.fresh);  // as it will be turned once more
  }
  return page;
}

}  // namespace vigil::ingress
