#include "core/ip.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

namespace vigil::ip {
namespace {

constexpr int mapped_prefix = 96;  // of ::ffff:0:0/96

bool is_four(const Address& address) {
  static const auto mapped = Range::parse("::ffff:0:0/96").value();
  return mapped.contains(address);
}

struct Kind {
  Range range;
  std::string_view what;
};

std::vector<Kind> kinds_of(std::initializer_list<std::pair<const char*, std::string_view>> list) {
  std::vector<Kind> out;
  for (const auto& [range, what] : list) out.push_back({Range::parse(range).value(), what});
  return out;
}

// The registries of special addresses at IANA (RFC 6890), and the one address of a cloud's metadata
// service that stands in none of them.
const std::vector<Kind>& special_kinds() {
  static const auto kinds = kinds_of({{"127.0.0.0/8", "a loopback address"},
                                      {"10.0.0.0/8", "a private address"},
                                      {"172.16.0.0/12", "a private address"},
                                      {"192.168.0.0/16", "a private address"},
                                      {"169.254.0.0/16", "a link-local address"},
                                      {"100.64.0.0/10", "an address of a carrier's own network"},
                                      {"168.63.129.16", "a metadata service"},
                                      {"0.0.0.0/8", "an address of this machine"},
                                      {"192.0.0.0/24", "a reserved address"},
                                      {"192.0.2.0/24", "an address for documentation"},
                                      {"192.88.99.0/24", "a reserved address"},
                                      {"198.18.0.0/15", "an address for benchmarks"},
                                      {"198.51.100.0/24", "an address for documentation"},
                                      {"203.0.113.0/24", "an address for documentation"},
                                      {"224.0.0.0/4", "a multicast address"},
                                      {"240.0.0.0/4", "a reserved address"},
                                      {"::1", "a loopback address"},
                                      {"::", "an address of this machine"},
                                      {"fc00::/7", "a unique local address"},
                                      {"fe80::/10", "a link-local address"},
                                      {"fec0::/10", "a site-local address"},
                                      {"ff00::/8", "a multicast address"},
                                      {"2001::/23", "a reserved address"},
                                      {"2001:db8::/32", "an address for documentation"},
                                      {"3fff::/20", "an address for documentation"}});
  return kinds;
}

// Where an IPv4 address stands inside an IPv6 one: RFC 4291 2.5.5.1, RFC 6052, RFC 3056.
struct Wrapping {
  Range range;
  std::size_t at;
};

std::optional<Address> unwrapped(const Address& address) {
  static const std::array wrappings{Wrapping{Range::parse("::/96").value(), 12},
                                    Wrapping{Range::parse("64:ff9b::/96").value(), 12},
                                    Wrapping{Range::parse("2002::/16").value(), 2}};
  for (const auto& wrapping : wrappings) {
    if (!wrapping.range.contains(address)) continue;
    Address out{};
    out[10] = out[11] = 0xff;
    std::copy_n(address.begin() + static_cast<std::ptrdiff_t>(wrapping.at), 4, out.begin() + 12);
    return out;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Address> parse_address(const std::string& text) {
  Address out{};
  if (::inet_pton(AF_INET, text.c_str(), out.data() + 12) == 1) {
    out[10] = out[11] = 0xff;
    return out;
  }
  if (::inet_pton(AF_INET6, text.c_str(), out.data()) == 1) return out;
  return std::nullopt;
}

std::string to_text(const Address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool four = is_four(address);
  ::inet_ntop(four ? AF_INET : AF_INET6, address.data() + (four ? 12 : 0), text.data(),
              text.size());
  return text.data();
}

Result<Range> Range::parse(const std::string& text) {
  const auto malformed =
      fail(ErrorCode::invalid_input,
           fmt::format("'{}' is not an address or a range like 10.0.0.0/8 or 2001:db8::/32", text));
  const auto slash = text.find('/');
  const auto begin = text.substr(0, slash);
  const auto bits = parse_address(begin);
  if (!bits) return malformed;
  Range out;
  out.bits_ = *bits;
  if (slash == std::string::npos) return out;
  const bool four = begin.find(':') == std::string::npos;
  int prefix = -1;
  const auto* last = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data() + slash + 1, last, prefix);
  const int most = four ? 32 : 128;
  if (error != std::errc{} || end != last || prefix < 0 || prefix > most) return malformed;
  out.prefix_ = four ? mapped_prefix + prefix : prefix;
  return out;
}

bool Range::contains(const Address& address) const {
  const auto whole = static_cast<std::size_t>(prefix_ / 8);
  if (!std::equal(address.begin(), address.begin() + static_cast<std::ptrdiff_t>(whole),
                  bits_.begin())) {
    return false;
  }
  const int left = prefix_ % 8;
  if (left == 0) return true;
  const auto mask = static_cast<std::uint8_t>(0xff << (8 - left));
  return (address[whole] & mask) == (bits_[whole] & mask);
}

bool Range::contains(const std::string& address) const {
  const auto bits = parse_address(address);
  return bits && contains(*bits);
}

bool is_loopback(const std::string& address) {
  static const auto four = Range::parse("127.0.0.0/8").value();
  static const auto six = Range::parse("::1").value();
  return four.contains(address) || six.contains(address);
}

std::optional<std::string_view> why_not_public(const Address& address) {
  for (const auto& kind : special_kinds()) {
    if (kind.range.contains(address)) return kind.what;
  }
  if (is_four(address)) return std::nullopt;
  if (const auto inner = unwrapped(address)) return why_not_public(*inner);
  static const auto global = Range::parse("2000::/3").value();  // RFC 4291 2.4
  if (!global.contains(address)) return "a reserved address";
  return std::nullopt;
}

}  // namespace vigil::ip
