#include "core/event.hpp"

#include <boost/json/object.hpp>

namespace vigil {

json::object to_json(const Event& event) {
  json::object headers;
  for (const auto& [name, value] : event.headers) headers[name] = value;
  json::object out;
  out["specversion"] = "1.0";
  out["seq"] = event.id.value;
  out["id"] = event.uid;
  out["source"] = event.source;
  out["type"] = event.type;
  out["subject"] = event.subject;
  out["time"] = to_rfc3339(event.time);
  out["received_at"] = to_rfc3339(event.received_at);
  out["datacontenttype"] = event.content_type;
  out["headers"] = std::move(headers);
  out["taint"] = event.taint == Taint::trusted ? "trusted" : "untrusted";
  out["data"] = event.data;
  return out;
}

}  // namespace vigil
