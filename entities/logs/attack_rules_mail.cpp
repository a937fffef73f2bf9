#include <array>

#include "entities/logs/attack_rules.hpp"

namespace vigil::entities::logs {
namespace {

constexpr std::array rules{
    // Dovecot. Who connects and does nothing is a monitor as often as a stranger.
    AttackRule{"dovecot", "%?(no auth attempts%*", "", Sign::harmless},
    AttackRule{
        "dovecot",
        "%?(%{auth failed|proxy dest auth failed|tried to use |disconnected before auth|client "
        "didn't finish|disconnected during TLS}%?: user=<%*>, %?rip=%a%{,|}%?",
        "login"},
    AttackRule{
        "dovecot",
        "%?(%{auth failed|proxy dest auth failed|tried to use |disconnected before auth|client "
        "didn't finish|disconnected during TLS}%?): %?rip=%a%{,|}%?",
        "login"},
    AttackRule{"dovecot",
               "%?%{pam|passwd-file|sql|ldap|static}(%*,%a%?): %{unknown user|password "
               "mismatch|pam_authenticate() failed|invalid credentials}%?",
               "login"},
    AttackRule{"dovecot", "%?auth(%*,%a,%w)<%w>: %?: %{unknown user|password mismatch}%?", "login"},

    // Postfix
    AttackRule{"postfix", "%w: %{milter-reject|reject}: %w from %w[%a]%*", "relay"},
    AttackRule{"postfix", "improper command pipelining after %w from %w[%a]%*", "probe"},
    AttackRule{"postfix", "too many errors after %w from %w[%a]%*", "probe"},
    AttackRule{"postfix", "warning: %w[%a]%o: SASL %w authentication failed: Connection lost%*", "",
               Sign::harmless},
    AttackRule{"postfix", "warning: %w[%a]%o: SASL %w authentication failed:%*", "login"},
    AttackRule{"postfix", "warning: hostname %w does not resolve to address %a%*", "probe"},
    AttackRule{
        "postfix",
        "warning: %{Connection|Message delivery request} rate limit exceeded: %n from %w[%a]%*",
        "flood"},
    AttackRule{"postfix", "disconnect from %w[%a] %* auth=0/%n%*", "login"},
    AttackRule{"postfix", "%{NOQUEUE: |}lost connection after %{CONNECT|STARTTLS|EHLO} from %w[%a]",
               "probe"},
    AttackRule{"postfix", "PREGREET %n after %w from [%a]%*", "probe"},
    AttackRule{"postfix", "HANGUP after %w from [%a]%*", "probe"},
    AttackRule{"postfix", "COMMAND %{TIME|COUNT|LENGTH} LIMIT from [%a]%*", "flood"},

    // Sendmail. The ruleset's line repeats what the stranger said on both sides of the address.
    AttackRule{"sendmail", "%w: %?[%a]%{ (may be forged)|}: possible SMTP attack: %?", "login"},
    AttackRule{"sendmail", "%w: AUTH failure (%w): %*, relay=%w[%a]%{ (may be forged)|}", "login"},
    AttackRule{"sendmail", "%w: AUTH failure (%w): %*, relay=%w [%a]%{ (may be forged)|}", "login"},
    AttackRule{"sendmail", "%?ruleset=%w, arg1=%*, relay=%w[%a]%{ (may be forged)|}, reject=%*",
               "relay"},
    AttackRule{"sendmail", "%?ruleset=%w, arg1=%*, relay=%w [%a]%{ (may be forged)|}, reject=%*",
               "relay"},
    AttackRule{"sendmail", "%w: rejecting commands from %?[%a] due to pre-greeting traffic%?",
               "probe"},
    AttackRule{"sendmail", "%w: %{[|}%?[%a]%{ (may be forged)|}: %{EXPN|VRFY} %*", "probe"},
    AttackRule{"sendmail", "%w: [%a]: %{EXPN|VRFY} %*", "probe"},
    AttackRule{"sendmail", "%w: %?[%a]%{ (may be forged)|} did not issue MAIL/EXPN/VRFY/ETRN %?",
               "probe"},
    AttackRule{"sendmail", "%w: lost input channel from %?[%a]%{ (may be forged)|} to %w after %w",
               "probe"},
    AttackRule{"sendmail", "%w: <%*>... %{No such user|User unknown}%*", "", Sign::suspect},
    AttackRule{"sendmail", "%w: from=<%*>, size=%?, relay=%w[%a]%{ (may be forged)|}", "relay",
               Sign::ends},
    AttackRule{"sendmail", "%w: from=<%*>, size=%?, relay=%w [%a]%{ (may be forged)|}", "relay",
               Sign::ends},

    // Others
    AttackRule{"courier", "LOGIN FAILED, %{user=|method=}%*, ip=[%a]", "login"},
    AttackRule{"courier", "LOGIN FAILED, %{user=|method=}%*, ip=[%a], port=[%n]", "login"},
    AttackRule{"domino",
               "SMTP Server%{: | }%?Authentication failed for user %* ; connecting host %a",
               "login"},
    AttackRule{"domino", "SMTP Server%{: | }%?Connection from %a rejected for policy reasons.%?",
               "relay"},
    AttackRule{"domino", "smtp: %* %a authentication failure using internet password", "login"},
    AttackRule{"solid-pop3d",
               "authentication failed%{: no such user: |: can't map user name: | for user | for "
               "mapped user }%* - %a",
               "login"},
    AttackRule{"solid-pop3d", "root login not allowed - %a", "login"},
    AttackRule{"solid-pop3d", "can't find APOP secret for user %* - %a", "login"},
    AttackRule{"solid-pop3d", "APOP authentication failed for user %* - %a", "login"},
    AttackRule{"uwimap", "Login %{failed|excessive login failures|disabled} user=%* host=%?[%a]%_",
               "login"},
    AttackRule{"uwimap", "Failed %w override of user=%* host=%?[%a]%_", "login"},
    AttackRule{"qmail", "%?rblsmtpd: %a pid %n %*", "relay"},
    AttackRule{"qmail", "%?qmail-smtpd: 421 badiprbl: ip %a rbl: %*", "relay"},
    AttackRule{"qmail", "%w blocked %a %*", "relay"},
    AttackRule{"kerio", "Attempt to deliver to unknown recipient <%*>, from <%*>, IP address %a",
               "relay"},
    AttackRule{"kerio", "SMTP Spam attack detected from %a, %*", "relay"},
    AttackRule{"kerio", "IP address %a found in DNS blacklist %*", "relay"},
    AttackRule{"kerio", "Relay attempt from IP address %a, %*", "relay"},
    AttackRule{"kerio", "%{SMTP: |}User %* doesn't exist. Attempt from IP address %a.", "login"},
    AttackRule{"kerio", "Client with IP address %a has no reverse DNS entry%?", "relay"},
    AttackRule{"kerio", "Administration login into %? from %a failed: IP address not allowed",
               "login"},
    AttackRule{"kerio", "Message from IP address %a, sender %* rejected: %*", "relay"},
    AttackRule{"kerio", "Failed %w login from %a with SASL method %w", "login"},
};

}  // namespace

std::span<const AttackRule> mail_rules() { return rules; }

}  // namespace vigil::entities::logs
