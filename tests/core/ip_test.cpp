#include "core/ip.hpp"

#include <doctest/doctest.h>

namespace vigil::ip {
namespace {

bool contains(const char* range, const char* address) {
  const auto parsed = Range::parse(range);
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
    const auto range = Range::parse(wrong);
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

TEST_CASE("an address is public, or it is said what it is") {
  struct Case {
    const char* address;
    const char* kind;  // nullptr: public
  };
  for (const auto& [address, kind] : {
           Case{"93.184.216.34", nullptr},
           Case{"2606:2800:220:1::1", nullptr},
           Case{"127.0.0.1", "a loopback address"},
           Case{"127.255.255.255", "a loopback address"},
           Case{"::1", "a loopback address"},
           Case{"::ffff:127.0.0.1", "a loopback address"},
           Case{"::127.0.0.1", "a loopback address"},
           Case{"0.0.0.0", "an address of this machine"},
           Case{"::", "an address of this machine"},
           Case{"10.0.0.1", "a private address"},
           Case{"172.15.255.255", nullptr},
           Case{"172.16.0.0", "a private address"},
           Case{"172.31.255.255", "a private address"},
           Case{"172.32.0.0", nullptr},
           Case{"192.168.1.1", "a private address"},
           Case{"::ffff:192.168.1.1", "a private address"},
           Case{"64:ff9b::192.168.1.1", "a private address"},
           Case{"64:ff9b::8.8.8.8", nullptr},
           Case{"2002:0a00:0001::1", "a private address"},
           Case{"2002:0808:0808::1", nullptr},
           Case{"169.254.169.254", "a link-local address"},
           Case{"64:ff9b::169.254.169.254", "a link-local address"},
           Case{"fd00:ec2::254", "a unique local address"},
           Case{"100.100.100.200", "an address of a carrier's own network"},
           Case{"100.128.0.0", nullptr},
           Case{"168.63.129.16", "a metadata service"},
           Case{"224.0.0.1", "a multicast address"},
           Case{"255.255.255.255", "a reserved address"},
           Case{"fe80::1", "a link-local address"},
           Case{"fec0::1", "a site-local address"},
           Case{"ff02::1", "a multicast address"},
           Case{"2001::1", "a reserved address"},           // Teredo
           Case{"64:ff9b:1::a00:1", "a reserved address"},  // a network's own NAT64
           Case{"100::1", "a reserved address"},
           Case{"5f00::1", "a reserved address"},
       }) {
    CAPTURE(address);
    const auto parsed = parse_address(address);
    REQUIRE(parsed.has_value());
    CHECK(why_not_public(*parsed).value_or("") == (kind == nullptr ? "" : kind));
  }
}

}  // namespace vigil::ip
