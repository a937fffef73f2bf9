#pragma once
// Every route of the admin API as one table that a person can read, and how a request finds its
// line in it.
#include <boost/asio/awaitable.hpp>
#include <span>
#include <string>
#include <string_view>

#include "daemon/admin/call.hpp"
#include "daemon/admin/desk.hpp"
#include "daemon/admin/roles.hpp"

namespace vigil::admin {

using Read = Answer (*)(Desk& desk, const Call& call);  // reads what is small and indexed
using Act = boost::asio::awaitable<Answer> (*)(Desk& desk, Call call);

struct Route {
  std::string_view method;
  std::string_view pattern;     // /v1/events/{id}/explain
  std::string_view parameters;  // of the query, separated by blanks
  std::string_view purpose;
  Read read = nullptr;  // exactly one of the two
  Act act = nullptr;
  Role needs = Role::read;
  bool audited = false;  // what the journal does not record by itself
};

std::span<const Route> routes();

struct Found {
  const Route* route = nullptr;
  Call call;
};
// 404 names what exists, 405 carries the allowed methods in `allow`, 400 for parameters that the
// route does not know.
std::expected<Found, Refusal> find_route(ingress::Request request, std::string& allow);

}  // namespace vigil::admin
