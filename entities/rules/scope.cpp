#include "entities/rules/scope.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <boost/json/object.hpp>

#include "entities/forge_facts.hpp"

namespace vigil::entities {
namespace {

constexpr std::array<std::string_view, 13> names_of_event{
    "data",   "datacontenttype", "forge",   "headers", "id",   "received_at", "seq",
    "source", "specversion",     "subject", "taint",   "time", "type"};

}  // namespace

Result<void> check_event_path(std::string_view path) {
  const auto first = path.substr(0, path.find('.'));
  if (std::ranges::find(names_of_event, first) != names_of_event.end()) return {};
  return fail(
      ErrorCode::invalid_input,
      fmt::format("an event has no '{}'; what a sender wrote is under data: data.{}", first, path));
}

EventView::EventView(const json::value& event) : data_(find_path(event, "data")), whole_(&event) {}

const json::value& EventView::attributes() const {
  if (whole_ != nullptr) return *whole_;
  if (!attributes_) {
    json::object headers;
    for (const auto& [name, value] : event_->headers) headers[name] = value;
    json::object out;
    out["specversion"] = "1.0";
    out["seq"] = event_->id.value;
    out["id"] = event_->uid;
    out["source"] = event_->source;
    out["type"] = event_->type;
    out["subject"] = event_->subject;
    out["time"] = to_rfc3339(event_->time);
    out["received_at"] = to_rfc3339(event_->received_at);
    out["datacontenttype"] = event_->content_type;
    out["headers"] = std::move(headers);
    out["taint"] = event_->taint == Taint::trusted ? "trusted" : "untrusted";
    attributes_ = std::move(out);
  }
  return *attributes_;
}

const json::value* EventView::find(std::string_view path) const {
  if (path == "data") return data_;
  if (path.starts_with("data."))
    return data_ == nullptr ? nullptr : find_path(*data_, path.substr(5));
  if (path == "forge" || path.starts_with("forge.")) {
    if (!forge_) {
      const auto type = find_text(attributes(), "type").value_or("");
      const auto* data = data_;
      forge_ = data == nullptr ? json::object() : to_json(read_forge_facts(type, *data));
    }
    return path == "forge" ? &*forge_ : find_path(*forge_, path.substr(6));
  }
  return path.empty() ? nullptr : find_path(attributes(), path);
}

std::optional<std::string> EventView::scalar_text(std::string_view path) const {
  if (event_ != nullptr && path == "subject") return event_->subject;
  const auto* found = find(path);
  if (found == nullptr) return std::nullopt;
  return find_scalar_text(*found, "");
}

}  // namespace vigil::entities
