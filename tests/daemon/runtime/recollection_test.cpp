#include "daemon/runtime/recollection.hpp"

#include <doctest/doctest.h>

#include "tests/support/store_world.hpp"

using namespace vigil;
using namespace vigil::runtime;
using vigil::testing::StoreWorld;

namespace {

// The taint that is noted when a memory with one preference is read by `look`.
Taint noted(Taint of, const std::function<void(const StoredRecollection&)>& look) {
  StoreWorld world;
  const TimePoint now{std::chrono::seconds{1000}};
  world.commit([&](storage::Stores& stores) {
    stores.memory.put(storage::Preference{"guard", "mute/x", true, "noise", now, of});
  });
  const auto reader = world.reader();
  storage::Case in;
  in.entity = "guard";
  const StoredRecollection memory(*reader, in);
  CHECK(memory.taint() == Taint::trusted);
  look(memory);
  return memory.taint();
}

}  // namespace

TEST_CASE("a preference learned from strangers taints the decision that reads it") {
  const auto one = [](const StoredRecollection& memory) {
    CHECK(memory.preference("mute/x").has_value());
  };
  const auto all = [](const StoredRecollection& memory) {
    CHECK(memory.preferences("mute/", 10).size() == 1);
  };
  const auto other = [](const StoredRecollection& memory) {
    CHECK_FALSE(memory.preference("mute/y").has_value());
  };
  CHECK(noted(Taint::untrusted, one) == Taint::untrusted);
  CHECK(noted(Taint::untrusted, all) == Taint::untrusted);
  CHECK(noted(Taint::untrusted, other) == Taint::trusted);
  CHECK(noted(Taint::trusted, one) == Taint::trusted);
  CHECK(noted(Taint::trusted, all) == Taint::trusted);
}
