#pragma once
// Addresses and ranges of them, for lists of who may call and who may be called: "52.89.214.238",
// "10.0.0.0/8", "2001:db8::/32". Pure; any thread.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace vigil::ip {

// An IPv4 address as ::ffff:a.b.c.d, so that there is one kind.
using Address = std::array<std::uint8_t, 16>;

std::optional<Address> parse_address(const std::string& text);
std::string to_text(const Address& address);  // IPv4 in dotted form

class Range {
 public:
  static Result<Range> parse(const std::string& text);
  bool contains(const Address& address) const;
  // False for what is no address. An IPv4 address written as IPv6 (::ffff:10.0.0.1) is the same
  // one.
  bool contains(const std::string& address) const;

 private:
  Address bits_{};
  int prefix_ = 128;  // of the 128 bits
};

bool is_loopback(const std::string& address);

// What kind of address it is that not everybody on the internet means by it: "a loopback address",
// "a private address"... Nothing: it is public. An IPv4 address inside an IPv6 one counts as such
// (mapped, compatible, NAT64, 6to4).
std::optional<std::string_view> why_not_public(const Address& address);

}  // namespace vigil::ip
