#include "storage/documents.hpp"

#include "storage/columns.hpp"
#include "storage/database.hpp"

namespace vigil::storage {

std::vector<Heading> headings(Database& database, const std::string& entity,
                              const std::string& prefix, int limit) {
  auto row = database.query(R"sql(SELECT key, title, updated FROM document
                                  WHERE entity = ? AND key >= ? AND key < ?
                                  ORDER BY updated DESC, key DESC LIMIT ?)sql",
                            entity, prefix, end_of(prefix), limit);
  std::vector<Heading> out;
  while (row.next()) out.push_back({row.text(0), row.text(1), row.time(2)});
  return out;
}

}  // namespace vigil::storage
