#pragma once
// Every key of [http]. See schema.hpp.
#include "config/settings.hpp"
#include "config/spec.hpp"

namespace vigil::config {

constexpr std::int64_t kib = 1024;
constexpr std::int64_t mib = 1024 * kib;
constexpr std::int64_t gib = 1024 * mib;

template <class Visitor>
void describe(Visitor& v, Http& of) {
  v.value(Spec{.name = "listen",
               .meaning = "where webhooks are received; port 0 takes any free one; [] for no door",
               .form = Form::listen,
               .most = 16,
               .takes = Takes::restart},
          of.listen);
  v.value(Spec{.name = "behind_proxy",
               .meaning = "a reverse proxy with TLS stands in front; an address that is not "
                          "loopback is refused without it"},
          of.behind_proxy);
  v.value(Spec{.name = "head_bytes_max",
               .meaning = "largest request head",
               .least = kib,
               .most = mib,
               .takes = Takes::restart},
          of.head_bytes_max);
  v.value(Spec{.name = "body_bytes_max",
               .meaning = "largest request body; a source may set its own",
               .least = kib,
               .most = gib},
          of.body_bytes_max);
  v.value(Spec{.name = "connections_max",
               .meaning = "open connections at once",
               .least = 1,
               .most = 1'000'000,
               .takes = Takes::restart},
          of.connections_max);
  v.value(Spec{.name = "connections_per_address_max",
               .meaning = "open connections of one address at once; 0: as many as there is room "
                          "for. Not counted behind a proxy",
               .most = 1'000'000,
               .takes = Takes::restart},
          of.connections_per_address_max);
  constexpr std::int64_t soon = in_us(100ms);
  v.value(Spec{.name = "head_timeout",
               .meaning = "time for a client to send the head of a request",
               .least = soon,
               .takes = Takes::restart},
          of.head_timeout);
  v.value(Spec{.name = "body_timeout",
               .meaning = "time to send the body, and never slower than 1 KiB/s",
               .least = soon,
               .takes = Takes::restart},
          of.body_timeout);
  v.value(Spec{.name = "idle_timeout",
               .meaning = "time a connection may wait for its next request",
               .least = soon,
               .takes = Takes::restart},
          of.idle_timeout);
  v.value(Spec{.name = "write_timeout",
               .meaning = "time for a client to take the answer",
               .least = soon,
               .takes = Takes::restart},
          of.write_timeout);
}

}  // namespace vigil::config
