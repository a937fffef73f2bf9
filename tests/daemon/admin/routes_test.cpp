#include "daemon/admin/routes.hpp"
#include "tests/support/places.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <sstream>

using namespace vigil;
using namespace vigil::admin;

namespace {

std::expected<Found, Refusal> route_for(const std::string& method, const std::string& target,
                                        std::string* allowed = nullptr) {
  ingress::Request request;
  request.method = method;
  request.target = target;
  std::string allow;
  auto found = find_route(std::move(request), allow);
  if (allowed != nullptr) *allowed = allow;
  return found;
}

std::string documentation() {
  std::ifstream file(source_dir() + "/docs/admin-api.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// What the lines "| `GET /v1/events` | `a b` | ..." of the documentation say: route and parameters.
std::map<std::string, std::string> documented() {
  std::map<std::string, std::string> out;
  std::istringstream lines(documentation());
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| `GET /") && !line.starts_with("| `POST /") &&
        !line.starts_with("| `DELETE /")) {
      continue;
    }
    const auto end = line.find('`', 3);
    const auto route = line.substr(3, end - 3);
    auto rest = line.substr(end + 1);
    std::string parameters;
    if (rest.starts_with(" | `")) parameters = rest.substr(4, rest.find('`', 4) - 4);
    out[route] = parameters;
  }
  return out;
}

}  // namespace

TEST_CASE("every route is documented with its parameters, and nothing else is") {
  const auto written = documented();
  std::set<std::string> seen;
  for (const auto& route : routes()) {
    const auto name = std::string(route.method) + " " + std::string(route.pattern);
    CAPTURE(name);
    CHECK(seen.insert(name).second);
    const auto found = written.find(name);
    REQUIRE(found != written.end());
    CHECK(found->second == route.parameters);
    CHECK((route.read != nullptr) != (route.act != nullptr));
  }
  for (const auto& [name, parameters] : written) {
    CAPTURE(name);
    CHECK(seen.contains(name));
  }
}

TEST_CASE("a path finds its route and gives its names decoded") {
  auto found = route_for("GET", "/v1/events/12/explain");
  REQUIRE(found);
  CHECK(found->route->pattern == "/v1/events/{id}/explain");
  CHECK(found->call.id<EventId>()->value == 12);
  found = route_for("GET", "/v1/entities/caf%C3%A9%2Fbar");
  REQUIRE(found);
  CHECK(found->call.names.at(0) == "café/bar");
  found = route_for("POST", "/v1/events/");
  REQUIRE(found);
  CHECK(found->route->pattern == "/v1/events");
  found = route_for("HEAD", "/healthz");
  REQUIRE(found);
}

TEST_CASE("a fixed segment is preferred to a name") {
  CHECK(route_for("GET", "/v1/timers/next")->route->pattern == "/v1/timers/next");
  CHECK(route_for("GET", "/v1/memory/search?q=x")->route->pattern == "/v1/memory/search");
  CHECK(route_for("GET", "/v1/memory/keeper")->route->pattern == "/v1/memory/{name}");
  // An entity may bear the name of a fixed segment where the method tells them apart.
  CHECK(route_for("DELETE", "/v1/memory/search?prefix=a")->route->pattern == "/v1/memory/{name}");
}

TEST_CASE("an unknown path, method, parameter or escape is refused with what to do") {
  auto refused = route_for("GET", "/v2/status");
  REQUIRE(!refused);
  CHECK(refused.error().status == 404);
  CHECK(refused.error().hint.find("/v1") != std::string::npos);
  for (const char* path : {"", "*", "v1/status", "/v1/events//explain", "/v1/events/1/2/3"}) {
    CAPTURE(path);
    refused = route_for("GET", path);
    REQUIRE(!refused);
    CHECK(refused.error().status == 404);
  }
  std::string allow;
  refused = route_for("DELETE", "/v1/events", &allow);
  REQUIRE(!refused);
  CHECK(refused.error().status == 405);
  CHECK(allow == "GET, POST");
  refused = route_for("GET", "/v1/events?sauce=github");
  REQUIRE(!refused);
  CHECK(refused.error().status == 400);
  CHECK(refused.error().hint.find("source") != std::string::npos);
  for (const char* target : {"/v1/events?source=%zz", "/v1/entities/%00", "/v1/entities/%ff"}) {
    CAPTURE(target);
    refused = route_for("GET", target);
    REQUIRE(!refused);
    CHECK(refused.error().status == 400);
  }
}

TEST_CASE("ids, limits and bodies are checked before anything is asked") {
  auto call = route_for("GET", "/v1/events?limit=1000&before=7&type=a%2Bb+c")->call;
  CHECK(call.limit() == 1000);
  CHECK(call.before() == 7);
  CHECK(call.text("type") == "a+b c");
  for (const char* bad : {"0", "1001", "-1", "x", "1e3", "99999999999999999999"}) {
    CAPTURE(bad);
    CHECK(route_for("GET", std::string("/v1/events?limit=") + bad)->call.limit().error().status ==
          400);
  }
  CHECK(route_for("GET", "/v1/events")->call.limit() == limit_default);
  CHECK(!route_for("GET", "/v1/events/abc")->call.id<EventId>());
  CHECK(!route_for("GET", "/v1/events/-1")->call.id<EventId>());
  CHECK(!route_for("GET", "/v1/events/0")->call.id<EventId>());

  call.request.body = R"({"note": "x"})";
  CHECK(call.body({"note"})->at("note") == "x");
  CHECK(call.body({"why"}).error().hint.find("why") != std::string::npos);
  call.request.body = "[1]";
  CHECK(call.body({"note"}).error().status == 400);
  call.request.body = "{";
  CHECK(call.body({"note"}).error().status == 400);
  call.request.body = "";
  CHECK(call.body({"note"})->empty());
  CHECK(text_member({{"note", 5}}, "note", 10).error().status == 400);
  CHECK(text_member({{"note", "12345678901"}}, "note", 10).error().status == 400);
  CHECK(text_member({}, "note", 10) == "");
}

TEST_CASE("errors of the floors below become the right statuses") {
  CHECK(refusal({ErrorCode::not_found, "x"}).status == 404);
  CHECK(refusal({ErrorCode::conflict, "x"}).status == 409);
  CHECK(refusal({ErrorCode::full, "x"}).status == 503);
  CHECK(refusal({ErrorCode::busy, "x"}).status == 503);
  CHECK(refusal({ErrorCode::internal, "x"}).status == 500);
  const auto response = to_response({404, "no \xff", "look"});
  const auto body = parse_json(response.body);
  REQUIRE(body);
  CHECK(find_text(*body, "error") == "no \xEF\xBF\xBD");
  CHECK(find_text(*body, "hint") == "look");
}

TEST_CASE("whatever a client sends as a target, it finds a route or a refusal") {
  std::uint64_t seed = 20'261'123;
  const auto next = [&seed](std::size_t below) {
    seed = seed * 6'364'136'223'846'793'005ULL + 1'442'695'040'888'963'407ULL;
    return static_cast<std::size_t>((seed >> 33) % below);
  };
  const std::vector<std::string> pieces{"/",  "v1",   "events", "memory", "%",       "%2F", "%00",
                                        "..", "?",    "&",      "=",      "limit",   "1",   "\xff",
                                        "{",  "{id}", "#",      "+",      "explain", ""};
  for (int round = 0; round < 20'000; ++round) {
    std::string target = next(4) == 0 ? "" : "/v1/";
    for (auto left = next(9); left > 0; --left) target += pieces[next(pieces.size())];
    const auto found = route_for("GET", target);
    CAPTURE(target);
    if (found) {
      CHECK(found->route != nullptr);
      for (const auto& name : found->call.names) CHECK(is_valid_utf8(name));
    } else {
      CHECK(found.error().status >= 400);
      CHECK(found.error().status < 500);
      CHECK(!found.error().hint.empty());
    }
  }
}
