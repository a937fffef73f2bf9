#pragma once
// Reads a JSON object field by field and remembers the first thing that is not as expected, with
// its path: "actions[0].sink: expected text". Private to entities; any thread.
#include <boost/json/object.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/json.hpp"

namespace vigil::entities {

class Reader {
 public:
  explicit Reader(const json::value& value);

  const json::value& whole() const { return *value_; }
  bool has(std::string_view name) const { return find(name) != nullptr; }
  std::string text(std::string_view name);  // required
  std::string text_or(std::string_view name, std::string_view otherwise);
  double number_or(std::string_view name, double otherwise);
  bool flag_or(std::string_view name, bool otherwise);
  json::value value(std::string_view name);  // null when it is not there
  json::object object_or_empty(std::string_view name);

  template <class Read>
  auto list(std::string_view name, Read read) {
    std::vector<std::invoke_result_t<Read&, Reader&>> out;
    for (std::size_t at = 0; at < size_of(name); ++at) {
      Reader item = item_of(name, at);
      out.push_back(read(item));
    }
    return out;
  }

  void fail_at(std::string_view name, std::string_view what);
  std::optional<std::string> error() const;

 private:
  Reader(const json::value& value, std::string path, std::shared_ptr<std::string> error);
  const json::value* find(std::string_view name) const;  // nullptr: absent or null
  std::size_t size_of(std::string_view name);
  Reader item_of(std::string_view name, std::size_t at);

  const json::value* value_;
  std::string path_;
  std::shared_ptr<std::string> error_;  // the first one of the whole document
};

}  // namespace vigil::entities
