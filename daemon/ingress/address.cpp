#include "daemon/ingress/address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace vigil::ingress {
namespace {

using Bits = std::array<std::uint8_t, 16>;
constexpr int mapped_prefix = 96;  // of ::ffff:0:0/96

// IPv4 in its IPv6 form, so that there is one kind of address.
std::optional<Bits> bits_of(const std::string& text, bool* four) {
  Bits out{};
  in_addr address{};
  if (::inet_pton(AF_INET, text.c_str(), &address) == 1) {
    out[10] = out[11] = 0xff;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(&address);
    std::copy_n(bytes, 4, out.begin() + 12);
    if (four != nullptr) *four = true;
    return out;
  }
  if (::inet_pton(AF_INET6, text.c_str(), out.data()) == 1) return out;
  return std::nullopt;
}

}  // namespace

Result<AddressRange> AddressRange::parse(const std::string& text) {
  const auto malformed =
      fail(ErrorCode::invalid_input,
           fmt::format("'{}' is not an address or a range like 10.0.0.0/8 or 2001:db8::/32", text));
  const auto slash = text.find('/');
  bool four = false;
  const auto bits = bits_of(text.substr(0, slash), &four);
  if (!bits) return malformed;
  AddressRange out;
  out.bits_ = *bits;
  if (slash == std::string::npos) return out;
  int prefix = -1;
  const auto* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + slash + 1, last, prefix);
  const int most = four ? 32 : 128;
  if (error != std::errc{} || end != last || prefix < 0 || prefix > most) return malformed;
  out.prefix_ = four ? mapped_prefix + prefix : prefix;
  return out;
}

bool AddressRange::contains(const std::string& address) const {
  const auto bits = bits_of(address, nullptr);
  if (!bits) return false;
  const auto whole = static_cast<std::size_t>(prefix_ / 8);
  if (!std::equal(bits->begin(), bits->begin() + static_cast<std::ptrdiff_t>(whole),
                  bits_.begin())) {
    return false;
  }
  const int left = prefix_ % 8;
  if (left == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - left));
  return ((*bits)[whole] & mask) == (bits_[whole] & mask);
}

bool is_loopback(const std::string& address) {
  static const auto four = AddressRange::parse("127.0.0.0/8").value();
  static const auto six = AddressRange::parse("::1").value();
  return four.contains(address) || six.contains(address);
}

}  // namespace vigil::ingress
