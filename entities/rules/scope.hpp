#pragma once
// An event as filters and templates see it: its attributes and its payload by dotted path, without
// copying the payload. Valid as long as the event is. Any thread, one at a time.
#include <optional>
#include <string>

#include "core/event.hpp"

namespace vigil::entities {

class EventView {
 public:
  explicit EventView(const Event& event) : event_(&event), data_(&event.data) {}
  // Over what to_json(event) gave.
  explicit EventView(const json::value& event);

  // nullptr when it is not there. "data.x" reaches into the payload, "type" is an attribute,
  // "forge.x" is what a forge says in words that are the same for all of them.
  const json::value* find(std::string_view path) const;
  std::optional<std::string> scalar_text(std::string_view path) const;
  const json::value* data() const { return data_; }
  // What find("forge") made; nullptr before.
  const json::value* forge() const { return forge_ ? &*forge_ : nullptr; }
  const json::value& attributes() const;  // without data; made when first asked for

 private:
  const Event* event_ = nullptr;
  const json::value* data_ = nullptr;
  const json::value* whole_ = nullptr;
  mutable std::optional<json::value> attributes_;
  mutable std::optional<json::value> forge_;  // made when first asked for
};

// Does the path begin with something an event has? A path that does not can never be found.
Result<void> check_event_path(std::string_view path);

}  // namespace vigil::entities
