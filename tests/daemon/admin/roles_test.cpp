// Who may ask for what, and that it leaves a trace.
#include "daemon/admin/roles.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <pwd.h>

#include "daemon/admin/routes.hpp"
#include "tests/daemon/admin/world.hpp"

using namespace vigil;
using namespace vigil::admin;
using testing::AdminWorld;

namespace {

const std::string entity = R"(
[entity.clerk]
kind = "rules"
role = "writes down"
[[entity.clerk.on]]
source = "*"
[[entity.clerk.rule]]
name = "write-down"
)";

int uid_of(const char* name) {
  const auto* user = ::getpwnam(name);
  REQUIRE(user != nullptr);
  return static_cast<int>(user->pw_uid);
}

ingress::Peer peer(int uid, std::vector<unsigned> groups = {}) {
  ingress::Peer out;
  out.uid = uid;
  out.groups = std::move(groups);
  return out;
}

}  // namespace

TEST_CASE("without lists whoever can connect may do everything; nobody else may do anything") {
  const Roles roles{config::Admin{}};
  CHECK(roles.of(peer(12'345)) == Role::admin);
  CHECK(roles.of(peer(-1)) == Role::none);
}

TEST_CASE("lists name users and groups; the highest counts; root is always an admin") {
  config::Admin settings;
  settings.read = {"user:nobody", "group:mail"};
  settings.operate = {"user:bin", "user:nobody"};
  settings.admin = {"group:adm", "user:somebody-who-is-not-here"};
  const Roles roles{settings};
  CHECK(roles.of(peer(uid_of("nobody"))) == Role::operate);
  CHECK(roles.of(peer(uid_of("bin"))) == Role::operate);
  CHECK(roles.of(peer(12'345, {8})) == Role::read);      // mail
  CHECK(roles.of(peer(12'345, {8, 4})) == Role::admin);  // and adm
  CHECK(roles.of(peer(12'345, {12'345})) == Role::none);
  CHECK(roles.of(peer(0)) == Role::admin);
}

TEST_CASE("a role that is not enough is refused with what it needs, and that is noted") {
  AdminWorld world(entity + "[admin]\nread = [\"user:nobody\"]\noperate = [\"user:bin\"]\n");
  const int reader = uid_of("nobody");
  const int operating = uid_of("bin");
  CHECK(world.ask("GET", "/v1/status", "", reader).status == 200);
  CHECK(world.ask("GET", "/v1/status", "", 12'345).status == 403);
  const auto refused = world.ask("POST", "/v1/entities/clerk/pause", "", reader);
  CHECK(refused.status == 403);
  CHECK(find_text(refused.body, "error")->find("needs 'operate'") != std::string::npos);
  CHECK(world.ask("POST", "/v1/entities/clerk/pause", "", operating).status == 200);
  CHECK(world.ask("POST", "/v1/config/reload", "", operating).status == 403);
  CHECK(world.ask("GET", "/v1/memory/clerk/export", "", operating).status == 403);
  CHECK(world.ask("POST", "/v1/config/reload", "", 0).status == 200);
  const auto audit = world.ask("GET", "/v1/audit", "", reader);
  const auto& rows = audit.body.at("audit").as_array();
  REQUIRE(rows.size() == 6);
  CHECK(find_text(rows[0], "what") == "POST /v1/config/reload");
  CHECK(find_text(rows[0], "role") == "admin");
  CHECK(find_text(rows[0], "who") == "root");
  CHECK(find_text(rows[2], "role") == "refused");
  CHECK(find_text(rows[3], "what") == "POST /v1/entities/clerk/pause");
  CHECK(find_text(rows[3], "role") == "operate");
  CHECK(find_text(rows[4], "who") == "nobody");
  CHECK(find_text(rows[5], "what") == "GET /v1/status");
}

TEST_CASE("events and looks are not audited, changes are, with what they said") {
  AdminWorld world(entity);
  world.emit("buy tea");
  (void)world.get("/v1/status");
  CHECK(world.get("/v1/audit").body.at("audit").as_array().empty());
  (void)world.ask("POST", "/v1/memory/clerk/facts", R"({"key": "tea", "value": "green"})", 0);
  const auto rows = world.get("/v1/audit").body.at("audit").as_array();
  REQUIRE(rows.size() == 1);
  CHECK(find_text(rows[0], "detail")->find("green") != std::string::npos);
}

TEST_CASE("every route that changes something leaves its trace, whatever comes of it") {
  AdminWorld world(entity);
  std::size_t asked = 0;
  for (const auto& route : routes()) {
    const auto name = fmt::format("{} {}", route.method, route.pattern);
    CAPTURE(name);
    const bool told_elsewhere = name == "POST /v1/events" || name == "POST /v1/sources/{name}/poke";
    CHECK(route.audited == (route.needs != Role::read && !told_elsewhere));
    if (route.method != "GET") CHECK(route.needs != Role::read);
    if (!route.audited) continue;
    std::string target(route.pattern);
    for (const std::string_view part : {"{id}", "{name}"}) {
      const auto at = target.find(part);
      if (at != std::string::npos) target.replace(at, part.size(), "7");  // there is none
    }
    (void)world.ask(std::string(route.method), target, "{}", 0);
    const auto rows = world.get("/v1/audit").body.at("audit").as_array();
    REQUIRE(rows.size() == ++asked);
    CHECK(find_text(rows[0], "what") == fmt::format("{} {}", route.method, target));
    CHECK(find_text(rows[0], "who") == "root");
  }
  CHECK(asked > 15);
}

TEST_CASE("the ledger says whether it is what was written") {
  AdminWorld world(entity);
  world.emit("buy tea");
  const auto look = world.get("/v1/ledger/verify");
  CHECK(look.status == 200);
  CHECK(find_bool(look.body, "whole") == true);
  CHECK(find_text(look.body, "ledger.head")->size() == 64);
}
