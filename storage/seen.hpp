#pragma once
// What sources that look for news themselves have seen: of a watched repository each ref and where
// it points, of a polled list the items that were told. Written with the events it led to, in one
// commit. Writes on the writer's connection.
#include <optional>
#include <string>
#include <vector>

#include "core/time.hpp"

namespace vigil::storage {

class Database;

class Seen {
 public:
  explicit Seen(Database& database) : database_(database) {}
  std::optional<std::string> get(const std::string& source, const std::string& item);
  void put(const std::string& source, const std::string& item, const std::string& value,
           TimePoint at);
  void erase(const std::string& source, const std::string& item);
  struct Row {
    std::string item;
    std::string value;
  };
  std::vector<Row> all(const std::string& source);  // by item
  std::int64_t count(const std::string& source);
  // Forgets the ones seen longest ago, until so many are left. How many were forgotten.
  std::int64_t keep_newest(const std::string& source, std::int64_t count);
  void forget(const std::string& source);  // all of it

 private:
  Database& database_;
};

}  // namespace vigil::storage
