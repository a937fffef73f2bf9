#pragma once
// Reads the members of one JSON object, strictly: what has the wrong type or is not known is a
// mistake, told with its path. Private to swarm. Pure; any thread.
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.hpp"
#include "core/time.hpp"

namespace vigil::swarm {

class JsonMembers {
 public:
  // The object must outlive the reader; `path` begins every error.
  JsonMembers(const json::object& object, std::string path)
      : object_(object), path_(std::move(path)) {}

  // Each leaves `out` as it is when the member is missing.
  void text(std::string_view key, std::string& out);
  void flag(std::string_view key, bool& out);
  void number(std::string_view key, int& out);
  void number(std::string_view key, std::size_t& out);
  void duration(std::string_view key, Duration& out);
  void texts(std::string_view key, std::vector<std::string>& out);
  void numbers(std::string_view key, std::vector<int>& out);
  void units(std::string_view key, std::map<std::string, int>& out);
  void any(std::string_view key, json::value& out);
  void object(std::string_view key, json::object& out);
  template <class T, std::size_t N>
  void one_of(std::string_view key, const std::array<std::pair<std::string_view, T>, N>& choices,
              T& out) {
    std::string chosen;
    text(key, chosen);
    if (chosen.empty()) return;
    std::string known;
    for (const auto& [name, value] : choices) {
      if (name == chosen) {
        out = value;
        return;
      }
      if (!known.empty()) known += ", ";
      known.append("\"").append(name).append("\"");
    }
    wrong(key, "expected one of " + known);
  }
  // nullptr when the member is missing; an array of anything else is a mistake.
  const json::array* array(std::string_view key, std::string_view expected);
  const json::value* find(std::string_view key);
  // A member that is known elsewhere but makes no sense here.
  void forbid(std::string_view key, std::string_view why);

  // What was asked for so far.
  std::vector<std::string> known() const { return {asked_.begin(), asked_.end()}; }
  bool is_known(std::string_view key) const;

  std::string path_of(std::string_view key) const;
  // The first mistake is kept.
  void wrong(std::string_view key, std::string_view what);
  // After all members were asked for: whatever else stands there is a mistake.
  Result<void> finish();

 private:
  template <class T>
  void read_number(std::string_view key, const json::value& value, T& out);

  const json::object& object_;
  std::string path_;
  std::vector<std::string_view> asked_;
  std::string error_;
};

// The known name that was probably meant; empty when none is near.
std::string_view nearest_name(std::string_view word, const std::vector<std::string_view>& known);

}  // namespace vigil::swarm
