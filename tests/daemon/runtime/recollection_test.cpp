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

TEST_CASE("a memory knows which facts were read, but for those that were told within a day") {
  using namespace std::chrono_literals;
  StoreWorld world;
  const TimePoint now{100h};
  world.commit([&](storage::Stores& stores) {
    const auto put = [&](const std::string& key, TimePoint told) {
      stores.memory.put(storage::Fact{"guard", key, 1, 1.0, "", Taint::trusted, told});
    };
    put("host/a", now - 25h);
    put("host/b", now - 23h);
    put("other", now - 25h);
    put("unread", now - 25h);
  });
  const auto reader = world.reader();
  storage::Case in;
  in.entity = "guard";
  const StoredRecollection memory(*reader, in);
  CHECK(memory.facts("host/", 10).size() == 2);
  CHECK(memory.fact("other").has_value());
  CHECK_FALSE(memory.fact("nothing").has_value());
  CHECK(memory.used(now) == std::vector<std::string>{"host/a", "other"});
}
