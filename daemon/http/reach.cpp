#include "daemon/http/reach.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace vigil::http {
namespace {

// In lower case, without the dot of the root.
std::string canonical(std::string_view host) {
  if (host.ends_with('.')) host.remove_suffix(1);
  std::string out(host);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  });
  return out;
}

bool covers(std::string_view pattern, std::string_view host) {
  if (!pattern.starts_with("*.")) return pattern == host;
  return host.size() >= pattern.size() && host.ends_with(pattern.substr(1));
}

}  // namespace

bool is_localhost(std::string_view host) {
  const auto name = canonical(host);
  return name == "localhost" || name.ends_with(".localhost");
}

Reach::Reach(const std::vector<std::string>& allow) {
  for (const auto& text : allow) {
    if (const auto range = ip::Range::parse(text)) {
      ranges_.push_back(*range);
      continue;
    }
    Name name;
    const auto colon = text.rfind(':');
    std::string_view host = std::string_view(text).substr(0, colon);
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    name.host = canonical(host);
    if (colon != std::string::npos) {
      std::from_chars(text.data() + colon + 1, text.data() + text.size(), name.port);
    }
    names_.push_back(std::move(name));
  }
}

bool Reach::allows(const Destination& to, const ip::Address& address) const {
  if (std::ranges::any_of(ranges_, [&](const auto& range) { return range.contains(address); })) {
    return true;
  }
  const auto host = canonical(to.host);
  return std::ranges::any_of(names_, [&](const Name& name) {
    if (name.port != 0 && name.port != to.port) return false;
    // An address with a port is meant as an address, by whatever name one comes to it.
    if (const auto meant = ip::parse_address(name.host)) return *meant == address;
    return covers(name.host, host);
  });
}

std::optional<std::string> Reach::why_not(const Destination& to, const ip::Address& address) const {
  const auto kind = ip::why_not_public(address);
  if (!kind || allows(to, address)) return std::nullopt;
  const auto literal = ip::parse_address(to.host);
  const bool local = is_localhost(to.host);
  const auto connected = ip::to_text(address);
  if (to.written == Written::in_configuration) {
    if (literal && *literal == address) return std::nullopt;
    if (local && ip::is_loopback(connected)) return std::nullopt;
  }
  const bool six = literal && to.host.find(':') != std::string::npos;
  const auto place = fmt::format("{}{}{}:{}", six ? "[" : "", to.host, six ? "]" : "", to.port);
  const auto where = literal ? fmt::format("{} is {}", to.host, *kind)
                             : fmt::format("{} is at {}, {}", to.host, connected, *kind);
  return fmt::format("{}, where requests do not go; if it is meant: [outgoing] allow = [\"{}\"]",
                     where, place);
}

}  // namespace vigil::http
