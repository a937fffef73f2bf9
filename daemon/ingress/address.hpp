#pragma once
// Addresses and ranges of them, for allowlists: "52.89.214.238", "10.0.0.0/8", "2001:db8::/32".
// Pure; any thread.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace vigil::ingress {

class AddressRange {
 public:
  static Result<AddressRange> parse(const std::string& text);
  // False for what is no address. An IPv4 address written as IPv6 (::ffff:10.0.0.1) is the same
  // one.
  bool contains(const std::string& address) const;

 private:
  std::array<std::uint8_t, 16> bits_{};
  int prefix_ = 128;  // of the 128 bits
};

bool is_loopback(const std::string& address);

}  // namespace vigil::ingress
