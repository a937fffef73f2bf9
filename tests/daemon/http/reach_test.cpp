#include "daemon/http/reach.hpp"

#include <doctest/doctest.h>

namespace vigil::http {
namespace {

constexpr auto in_configuration = Written::in_configuration;
constexpr auto elsewhere = Written::elsewhere;

bool may(const Reach& reach, Destination to, const char* address) {
  return !reach.why_not(to, *ip::parse_address(address));
}

}  // namespace

TEST_CASE("public addresses are reached by everybody, others by nobody") {
  const Reach reach;
  for (const auto written : {in_configuration, elsewhere}) {
    CHECK(may(reach, {"example.com", 443, written}, "93.184.216.34"));
    CHECK_FALSE(may(reach, {"example.com", 443, written}, "127.0.0.1"));
    CHECK_FALSE(may(reach, {"example.com", 443, written}, "::ffff:10.0.0.1"));
    CHECK_FALSE(may(reach, {"metadata.google.internal", 80, written}, "169.254.169.254"));
  }
}

TEST_CASE("what stands in the configuration as an address means that address alone") {
  const Reach reach;
  CHECK(may(reach, {"127.0.0.1", 9090, in_configuration}, "127.0.0.1"));
  CHECK_FALSE(may(reach, {"127.0.0.1", 9090, in_configuration}, "127.0.0.2"));
  CHECK_FALSE(may(reach, {"127.0.0.1", 9090, elsewhere}, "127.0.0.1"));
  CHECK(may(reach, {"fd00::7", 80, in_configuration}, "fd00::7"));
  CHECK_FALSE(may(reach, {"fd00::7", 80, elsewhere}, "fd00::7"));
}

TEST_CASE("localhost in the configuration means loopback alone") {
  const Reach reach;
  for (const auto* host : {"localhost", "LOCALHOST", "localhost.", "app.localhost"}) {
    CAPTURE(host);
    CHECK(may(reach, {host, 80, in_configuration}, "127.0.0.1"));
    CHECK(may(reach, {host, 80, in_configuration}, "::1"));
    CHECK_FALSE(may(reach, {host, 80, in_configuration}, "10.0.0.1"));
    CHECK_FALSE(may(reach, {host, 80, elsewhere}, "127.0.0.1"));
  }
  CHECK_FALSE(may(reach, {"notlocalhost", 80, in_configuration}, "127.0.0.1"));
}

TEST_CASE("what is allowed is reached: ranges by everybody, names at their ports") {
  const Reach reach({"10.0.0.0/8", "git.lan:443", "*.corp.example", "[fd00::1]:8080"});
  CHECK(may(reach, {"anything.example", 1, elsewhere}, "10.200.0.1"));
  CHECK(may(reach, {"anything.example", 1, elsewhere}, "::ffff:10.200.0.1"));
  CHECK(may(reach, {"git.lan", 443, elsewhere}, "192.168.0.2"));
  CHECK(may(reach, {"Git.LAN.", 443, elsewhere}, "192.168.0.2"));
  CHECK_FALSE(may(reach, {"git.lan", 80, elsewhere}, "192.168.0.2"));
  CHECK_FALSE(may(reach, {"evil-git.lan", 443, elsewhere}, "192.168.0.2"));
  CHECK(may(reach, {"a.b.corp.example", 80, elsewhere}, "192.168.0.2"));
  CHECK_FALSE(may(reach, {"corp.example", 80, elsewhere}, "192.168.0.2"));
  CHECK_FALSE(may(reach, {"xcorp.example", 80, elsewhere}, "192.168.0.2"));
  CHECK(may(reach, {"fd00::1", 8080, elsewhere}, "fd00::1"));
  CHECK_FALSE(may(reach, {"fd00::1", 80, elsewhere}, "fd00::1"));
  CHECK_FALSE(may(reach, {"other.example", 8080, elsewhere}, "fd00::2"));
}

TEST_CASE("a refusal says where it would have led, and what to write") {
  const Reach reach;
  CHECK(reach.why_not({"git.lan", 443, in_configuration}, *ip::parse_address("10.0.0.5")) ==
        "git.lan is at 10.0.0.5, a private address, where requests do not go; if it is meant: "
        "[outgoing] allow = [\"git.lan:443\"]");
  CHECK(reach.why_not({"::1", 80, elsewhere}, *ip::parse_address("::1")) ==
        "::1 is a loopback address, where requests do not go; if it is meant: "
        "[outgoing] allow = [\"[::1]:80\"]");
}

}  // namespace vigil::http
