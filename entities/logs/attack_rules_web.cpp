#include <array>

#include "entities/logs/attack_rules.hpp"

namespace vigil::entities::logs {
namespace {

constexpr std::string_view auth = "apache-auth";
constexpr std::string_view exploit = "apache-overflows";

constexpr std::array rules{
    AttackRule{auth, "[%{client|remote} %a%o] %c%{Digest: |}user %* not found%*", "login"},
    AttackRule{auth,
               "[%{client|remote} %a%o] %c%{Digest: |}user %*: %{password mismatch|authentication "
               "failure for|authorization failure for}%*",
               "login"},
    AttackRule{auth, "[%{client|remote} %a%o] %cclient denied by server configuration: %*",
               "denied"},
    AttackRule{auth, "[%{client|remote} %a%o] %cclient used wrong authentication scheme%*",
               "login"},
    AttackRule{auth, "[%{client|remote} %a%o] %cAuthorization of user %* failed, reason: %*",
               "login"},
    AttackRule{auth, "[%{client|remote} %a%o] %c%{Digest: |}invalid qop %*", "login"},
    AttackRule{auth,
               "[%{client|remote} %a%o] %c%{Digest: |}invalid nonce %* received - %{length is "
               "not|user attempted time travel}%*",
               "login"},
    AttackRule{auth, "[%{client|remote} %a%o] %c%{Digest: |}realm mismatch%*", "login"},
    AttackRule{auth, "[%{client|remote} %a%o] %c%{Digest: |}unknown algorithm %*", "login"},
    AttackRule{auth, "[%{client|remote} %a%o] %cHostname %* provided via SNI%*", "probe"},
    AttackRule{auth, "[%{client|remote} %a%o] %cNo hostname was provided via SNI%*", "probe"},

    AttackRule{exploit, "[%{client|remote} %a%o] %cInvalid URI in request %*", "exploit"},
    AttackRule{exploit, "[%{client|remote} %a%o] %cInvalid method in request %*", "exploit"},
    AttackRule{exploit, "[%{client|remote} %a%o] %cinvalid URI path (%*", "exploit"},
    AttackRule{exploit,
               "[%{client|remote} %a%o] %crequest failed: %{URI too long|erroneous characters}%*",
               "exploit"},
    AttackRule{"apache-modsecurity", "[client %a%o] %cModSecurity: %*", "exploit"},
    AttackRule{"apache-modsecurity", "[client %a%o] [client %x] %cModSecurity: %*", "exploit"},
    AttackRule{"suhosin", "%?ALERT - %* (attacker '%a', file '%?", "exploit"},
    AttackRule{"haproxy", "%a:%n [%?] %w %w %w 401 %n %*", "login"},
    AttackRule{"squid", "%n %a %{TCP_DENIED|NONE}/%{403|405|407} %*", "probe"},
};

}  // namespace

std::span<const AttackRule> web_rules() { return rules; }

}  // namespace vigil::entities::logs
