#pragma once
// Keys of [outgoing] and [source.NAME.redelivery]. See schema.hpp.
#include "config/outgoing.hpp"
#include "config/spec.hpp"

namespace vigil::config {

template <class Visitor>
void describe(Visitor& v, Outgoing& of) {
  v.value(Spec{.name = "allow",
               .meaning = "addresses inside private networks or on this machine that requests may "
                          "reach, beside those that stand as such in the address of a source or "
                          "sink",
               .form = Form::destination,
               .most = 1000},
          of.allow);
}

template <class Visitor>
void describe(Visitor& v, Redelivery& of) {
  v.value(Spec{.name = "hooks",
               .meaning = "the webhooks that send here, as the API names them: "
                          "repos/OWNER/REPO/hooks/ID, orgs/ORG/hooks/ID or app/hook",
               .presence = Presence::required,
               .least = 1,
               .most = 100},
          of.hooks);
  v.value(Spec{.name = "base_url", .meaning = "of the REST API", .form = Form::url}, of.base_url);
  v.value(Spec{.name = "token", .meaning = "may read and write webhooks; read anew at each look"},
          of.token);
  v.value(Spec{.name = "app_id",
               .meaning = "for app/hook, instead of a token: the id of the GitHub App"},
          of.app_id);
  v.value(Spec{.name = "private_key", .meaning = "with app_id: the key of the App, as PEM"},
          of.private_key);
  v.value(
      Spec{.name = "every",
           .meaning = "how often missed deliveries are looked for, beside once after each start",
           .least = in_us(1s)},
      of.every);
  v.value(Spec{.name = "within",
               .meaning = "how old a delivery may be that is asked for; GitHub keeps three days",
               .least = in_us(1min),
               .most = in_us(30 * 24h)},
          of.within);
  v.value(Spec{.name = "attempts_max",
               .meaning = "attempts at one delivery, the sender's first one included",
               .least = 2,
               .most = 100},
          of.attempts_max);
  v.value(Spec{.name = "timeout", .meaning = "time for one request", .least = in_us(100ms)},
          of.timeout);
}

}  // namespace vigil::config
