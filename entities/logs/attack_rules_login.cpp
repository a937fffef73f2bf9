#include <array>

#include "entities/logs/attack_rules.hpp"

namespace vigil::entities::logs {
namespace {

constexpr std::array rules{
    // Linux-PAM, whichever service asks it. A name is one word here, or nothing is certain.
    AttackRule{"pam", "%?authentication failure; logname=%? ruser=%* rhost=%h%_user=%w", "login"},
    AttackRule{"pam", "%?authentication failure; logname=%? ruser=%* rhost=%h%_", "login"},
    AttackRule{"selinux",
               "type=%{USER_ERR|USER_AUTH} msg=audit(%?acct=%* addr=%a terminal=%w res=failed'%?",
               "login"},

    AttackRule{"vsftpd", "[%*] FAIL LOGIN: Client \"%a\"", "login"},
    AttackRule{"vsftpd", "[%*] FAIL LOGIN: Client \"%a\", \"%?\"", "login"},
    AttackRule{"proftpd", "%?(%w[%a])%{:| -} USER %*%{ (Login failed)|: no such user found}%*",
               "login"},
    AttackRule{"proftpd", "%?(%w[%a])%{:| -} %{SECURITY VIOLATION|Maximum login attempts}%*",
               "login"},

    AttackRule{"mysqld",
               "%?Access denied for user '%*'@'%h'%{ (using password: YES)| (using password: NO)|}",
               "login"},
    AttackRule{"mssql", "Logon%_Login failed for user '%*'. Reason: %? [CLIENT: %a]", "login"},
    AttackRule{"mongodb", "[%w] Failed to authenticate %*", "", Sign::suspect},
    AttackRule{"mongodb", "[%w] end connection %a:%n %?", "login", Sign::ends},

    AttackRule{"xrdp", "%?AUTHFAIL: user=%* ip=%a time=%n", "login"},
    AttackRule{"vaultwarden",
               "%?] Username or password is incorrect. Try again. IP: %a. Username: %*", "login"},
    AttackRule{"vaultwarden", "%?] Invalid admin token%{.|!} IP: %a%{.|}", "login"},
    AttackRule{"vaultwarden", "%?] Invalid admin token%{.|!} IP: %a. Username: %*", "login"},
    AttackRule{"vaultwarden", "%?] Invalid TOTP code! Server time: %? IP: %a", "login"},
    AttackRule{"roundcube", "%?%{Login failed|Failed login} for %* from %a", "login"},
    AttackRule{"roundcube", "%?%{Login failed|Failed login} for %* from %a. AUTHENTICATE %?",
               "login"},
    AttackRule{"roundcube", "%?%{Login failed|Failed login} for %* from %a(X-Real-IP: %?", "login"},
    AttackRule{"roundcube",
               "%?%{Login failed|Failed login} for %* from %a in session %w (error: %n)", "login"},
    // Fields between bars; the addresses asked for are a stranger's, and so is the name at the end.
    AttackRule{"drupal", "%w|%n|user|%a|%*|0||Login attempt failed %{for|from} %f", "login"},

    AttackRule{"named", "%?client %a#%n%?%{query|zone transfer}%? '%*' denied%?", "probe"},
    AttackRule{"named", "%?client @%w %a#%n%?%{query|zone transfer}%? '%*' denied%?", "probe"},
    AttackRule{"named", "%?client %a#%n%?: bad zone transfer request: '%*", "probe"},
    AttackRule{"named", "%?client @%w %a#%n%?: bad zone transfer request: '%*", "probe"},
    AttackRule{"scanlogd", "%a to %x ports %?", "probe"},
    AttackRule{"scanlogd", "%a:%n to %x ports %?", "probe"},
    AttackRule{"fail2ban", "%?[recidive] Ban %a", "", Sign::harmless},
    AttackRule{"fail2ban", "%?[%w] Ban %a", "ban"},
};

}  // namespace

std::span<const AttackRule> login_rules() { return rules; }

}  // namespace vigil::entities::logs
