#pragma once
// How facts age: when a decision last read each, and the fading of those that nobody reads or tells
// anew; how much there is to make facts of. Over the rows of memory.hpp.
#include <map>
#include <string>
#include <vector>

#include "core/time.hpp"

namespace vigil::storage {

class Database;

// A decision read these facts. Kept to the day: one that was used less than a day before is left as
// it stands, so that reading the same facts all day writes once.
void note_use(Database& database, const std::string& entity, const std::vector<std::string>& keys,
              TimePoint now);
// Of the first `limit` facts whose key begins with `prefix`, by key; those never used are not
// there.
std::map<std::string, TimePoint> last_uses(Database& database, const std::string& entity,
                                           const std::string& prefix, int limit);

// How many episodes of the entity came after this one.
std::int64_t episodes_after(Database& database, const std::string& entity, std::int64_t episode);

struct Faded {
  int halved = 0;
  int forgotten = 0;
};
// Halves the confidence of facts that were neither told nor used nor halved for `unused_after`,
// then forgets what is less sure than `forget_below`.
Faded fade(Database& database, const std::string& entity, TimePoint now, Duration unused_after,
           double forget_below);

}  // namespace vigil::storage
