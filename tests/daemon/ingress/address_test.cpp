#include "daemon/ingress/address.hpp"

#include <doctest/doctest.h>

namespace vigil::ingress {
namespace {

bool contains(const char* range, const char* address) {
  const auto parsed = AddressRange::parse(range);
  REQUIRE(parsed.has_value());
  return parsed->contains(address);
}

}  // namespace

TEST_CASE("a range holds the addresses that begin like it, and no other") {
  CHECK(contains("52.89.214.238", "52.89.214.238"));
  CHECK_FALSE(contains("52.89.214.238", "52.89.214.239"));
  CHECK(contains("10.0.0.0/8", "10.255.0.1"));
  CHECK_FALSE(contains("10.0.0.0/8", "11.0.0.0"));
  CHECK(contains("192.168.4.0/22", "192.168.7.255"));
  CHECK_FALSE(contains("192.168.4.0/22", "192.168.8.0"));
  CHECK(contains("192.0.2.129/25", "192.0.2.255"));  // bits below the prefix do not matter
  CHECK_FALSE(contains("192.0.2.129/25", "192.0.2.127"));
  CHECK(contains("0.0.0.0/0", "203.0.113.9"));
  CHECK_FALSE(contains("0.0.0.0/0", "2001:db8::1"));
  CHECK(contains("2001:db8::/32", "2001:db8:ffff::1"));
  CHECK_FALSE(contains("2001:db8::/32", "2001:db9::1"));
  CHECK(contains("2001:db8::1", "2001:DB8:0:0::1"));
  CHECK(contains("::/0", "::1"));
  CHECK(contains("10.0.0.0/31", "10.0.0.1"));
  CHECK_FALSE(contains("10.0.0.0/32", "10.0.0.1"));
}

TEST_CASE("an IPv4 address is the same one when it is written as IPv6") {
  CHECK(contains("10.0.0.0/8", "::ffff:10.1.2.3"));
  CHECK(contains("::ffff:10.0.0.0/104", "10.1.2.3"));
  CHECK_FALSE(contains("10.0.0.0/8", "::10.1.2.3"));
}

TEST_CASE("what is no range is refused, what is no address is in none") {
  for (const auto* wrong : {"", "10", "10.0.0", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/",
                            "10.0.0.0/8x", "10.0.0.0/8/8", "2001:db8::/129", "example.com",
                            "256.0.0.1", " 10.0.0.1", "010.0.0.1", "[::1]", "::1%lo"}) {
    CAPTURE(wrong);
    const auto range = AddressRange::parse(wrong);
    REQUIRE_FALSE(range);
    CHECK(range.error().code == ErrorCode::invalid_input);
  }
  for (const auto* wrong : {"", "unknown", "10.0.0.1, 10.0.0.2", "10.0.0.1:80", "_hidden"}) {
    CHECK_FALSE(contains("0.0.0.0/0", wrong));
    CHECK_FALSE(contains("::/0", wrong));
  }
}

TEST_CASE("this machine's own addresses") {
  CHECK(is_loopback("127.0.0.1"));
  CHECK(is_loopback("127.9.9.9"));
  CHECK(is_loopback("::1"));
  CHECK(is_loopback("::ffff:127.0.0.1"));
  CHECK_FALSE(is_loopback("128.0.0.1"));
  CHECK_FALSE(is_loopback("::2"));
  CHECK_FALSE(is_loopback(""));
}

}  // namespace vigil::ingress
