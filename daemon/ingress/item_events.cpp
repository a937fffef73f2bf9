#include "daemon/ingress/item_events.hpp"

#include <fmt/format.h>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include "config/words.hpp"

namespace vigil::ingress {
namespace {

constexpr Duration early_max = std::chrono::hours{24};  // of what says when it happened

json::object object_of(const std::map<std::string, std::string>& texts) {
  json::object out;
  for (const auto& [key, value] : texts) out[key] = value;
  return out;
}

}  // namespace

Result<TakenItems> take_items(const std::string& source, const std::string& type, Taint taint,
                              const json::value& answer, TimePoint now) {
  const auto* items = find_path(answer, "items");
  if (items == nullptr || !items->is_array()) {
    return fail(ErrorCode::internal, "vigil-task gave no list of items: is it of this version?");
  }
  TakenItems out;
  for (const auto& item : items->get_array()) {
    const auto id = find_text(item, "id").value_or("");
    const auto* data = find_path(item, "data");
    if (id.empty() || data == nullptr) continue;
    TakenItem taken;
    taken.id = std::string(id);
    taken.digest = std::string(find_text(item, "digest").value_or(""));
    taken.payload = *data;
    auto& event = taken.event;
    event.uid = taken.id;
    event.source = source;
    event.type = std::string(find_text(item, "type").value_or(type));
    event.subject = to_valid_utf8(find_text(item, "subject").value_or(""));
    const auto at = parse_rfc3339(find_text(item, "time").value_or(""));
    event.time = at && *at < now + early_max ? *at : now;
    event.received_at = now;
    event.content_type = "application/json";
    event.taint = taint;
    event.data = to_text(taken.payload);
    out.all.push_back(std::move(taken));
  }
  const auto skipped = find_integer(answer, "skipped").value_or(0);
  if (skipped > 0) {
    out.trouble = fmt::format("{} could not be read, the first: {}", skipped,
                              find_text(answer, "problem").value_or("?"));
  } else if (const auto damage = find_text(answer, "damage")) {
    out.trouble = "the document is damaged: " + std::string(*damage);
  }
  return out;
}

json::object table_input(const config::Mapping& table) {
  return json::object{{"format", config::word_of(table.format)},
                      {"delimiter", table.delimiter},
                      {"header", table.header},
                      {"decimal_comma", table.decimal_comma},
                      {"items", table.items},
                      {"columns", object_of(table.columns)},
                      {"only", object_of(table.only)},
                      {"time_format", table.time_format},
                      {"tz", table.tz},
                      {"symbol", table.symbol},
                      {"interval", table.interval}};
}

}  // namespace vigil::ingress
