#pragma once
// Where the daemon's own requests may go: to public addresses, and to others only where the
// configuration says so ([outgoing] allow, docs/configuration.md). Asked with the address that is
// really connected to, so that no DNS answer, redirect or odd spelling leads elsewhere. Values;
// any thread.
#include <optional>
#include <string>
#include <vector>

#include "core/ip.hpp"

namespace vigil::http {

// Did a person write this host and port into the configuration of who asks?
enum class Written { in_configuration, elsewhere };

struct Destination {
  std::string host;  // a name, or an address without brackets
  int port = 0;
  Written written = Written::elsewhere;
};

class Reach {
 public:
  Reach() = default;  // public addresses only
  // As [outgoing] allow has them; each must be of that form.
  explicit Reach(const std::vector<std::string>& allow);

  // Why the address may not be connected to on the way to the destination, and what to do when that
  // is wanted. A host that is an address, or localhost, and stands in the configuration means what
  // it says, and loopback.
  std::optional<std::string> why_not(const Destination& to, const ip::Address& address) const;

 private:
  struct Name {
    std::string host;  // lower case; "*.lan" for all below
    int port = 0;      // 0: any
  };
  bool allows(const Destination& to, const ip::Address& address) const;

  std::vector<ip::Range> ranges_;
  std::vector<Name> names_;
};

bool is_localhost(std::string_view host);  // RFC 6761 6.3

// Of the places (endpoints of Asio) that a name stands for, those that may be connected to. When
// none is left: why.
template <class Endpoint>
std::optional<std::string> keep_in_reach(const Reach& reach, const Destination& to,
                                         std::vector<Endpoint>& places) {
  std::optional<std::string> refusal = "the name has no address";
  std::erase_if(places, [&](const Endpoint& place) {
    const auto address = ip::parse_address(place.address().to_string());
    auto why = address ? reach.why_not(to, *address) : "it is an address of one link alone";
    const bool out = why.has_value();
    if (out) refusal = std::move(why);
    return out;
  });
  return places.empty() ? refusal : std::nullopt;
}

}  // namespace vigil::http
