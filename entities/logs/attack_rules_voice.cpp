#include <array>

#include "entities/logs/attack_rules.hpp"

namespace vigil::entities::logs {
namespace {

constexpr std::array rules{
    AttackRule{"asterisk", "%?Registration from '%*' failed for '%a%o' - %?", "login"},
    AttackRule{"asterisk", "%?Request%? from '%*' failed for '%a%o' (callid: %w) - %?", "login"},
    AttackRule{"asterisk", "%?Host %a failed to authenticate as '%*", "login"},
    AttackRule{"asterisk", "%?Host %a failed MD5 authentication for '%*", "login"},
    AttackRule{"asterisk",
               "%?manager.c: %a %{failed to authenticate as|tried to authenticate with nonexistent "
               "user} '%*",
               "login"},
    AttackRule{"asterisk", "%?No registration for peer '%*' (from %a)", "login"},
    AttackRule{"asterisk",
               "%?Call from '%*' (%{TCP:|UDP:|TLS:|}%a%o) to extension '%*' rejected because "
               "extension not found in context '%?",
               "probe"},
    AttackRule{"asterisk",
               "%?: Call (%{TCP:|UDP:|TLS:|}%a%o) to extension '%*' rejected because extension not "
               "found%?",
               "probe"},
    AttackRule{"asterisk", "%?hacking attempt detected '%a'", "probe"},
    AttackRule{"asterisk", "%?\"Rejecting unknown SIP connection from %a%o\"", "probe"},
    AttackRule{
        "asterisk",
        "%?SecurityEvent=\"%{InvalidAccountID|InvalidPassword|FailedACL|ChallengeResponseFailed|"
        "LoadAverageLimit|UnexpectedAddress}\"%*,RemoteAddress=\"%w/%w/%a/%n\"%?",
        "login"},
    AttackRule{"freeswitch",
               "%?SIP auth %{challenge|failure} (%w) on sofia profile '%?' for [%*] from %{ip |}%a",
               "login"},
    AttackRule{"freeswitch", "%?Can't find user [%*] from %a", "login"},
    AttackRule{"ejabberd", "%?Failed %{c2s PLAIN |c2s |}authentication for %* from %{IP |}%a",
               "login"},
    AttackRule{"ejabberd", "%?Failed %{c2s PLAIN |c2s |}authentication for %* from %{IP |}%a ({{%?",
               "login"},
    AttackRule{"ejabberd",
               "%?Failed %{c2s PLAIN |c2s |}authentication for %* from %{IP |}%a: Invalid %?",
               "login"},
};

}  // namespace

std::span<const AttackRule> voice_rules() { return rules; }

}  // namespace vigil::entities::logs
