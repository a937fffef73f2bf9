#include <array>

#include "entities/logs/attack_rules.hpp"

namespace vigil::entities::logs {
namespace {

constexpr std::string_view sshd = "sshd";

// The order matters: the first that matches says what the line is. Names come from strangers.
constexpr std::array rules{
    AttackRule{sshd, "%{error: |}PAM: %? for %* from %h%_", "login"},
    AttackRule{sshd, "%{error: |}PAM: %? for %* from %h via %x", "login"},
    AttackRule{sshd, "Failed publickey for %{invalid|illegal} user %* from %h port %n ssh2",
               "login"},
    AttackRule{sshd, "Failed publickey for %{invalid|illegal} user %* from %h port %n ssh2: %w %w",
               "login"},
    // One key of several is tried after the other: that happens to everybody.
    AttackRule{sshd, "Failed publickey for %*", "", Sign::suspect},
    AttackRule{sshd, "Failed %w for %* from %h port %n ssh2", "login"},
    AttackRule{sshd, "Failed %w for %? from %h port %n ssh1: ruser %*", "login"},
    AttackRule{sshd, "Failed hostbased for %? from %h port %n ssh2: %w %w, client user %*",
               "login"},
    AttackRule{sshd, "Failed %w for %* from %h port %n%{ ssh1|}", "login"},
    AttackRule{sshd, "Failed %w for %* from %h", "login"},
    AttackRule{sshd, "ROOT LOGIN REFUSED FROM %h", "login"},
    AttackRule{sshd, "ROOT LOGIN REFUSED FROM %h port %n%{ [preauth]|}", "login"},
    AttackRule{sshd, "%{Invalid|Illegal} user %* from %h", "login"},
    AttackRule{sshd, "%{Invalid|Illegal} user %* from %h port %n", "login"},
    AttackRule{sshd, "User %* from %h not allowed because %?", "login"},
    AttackRule{sshd, "User %* not allowed because account is locked", "", Sign::suspect},
    AttackRule{sshd, "refused connect from %* (%h)", "denied"},
    AttackRule{sshd,
               "%{error: |}maximum authentication attempts exceeded for %* from %h port %n ssh2",
               "login"},
    AttackRule{
        sshd,
        "%{error: |}maximum authentication attempts exceeded for %* from %h port %n ssh2 [preauth]",
        "login"},
    AttackRule{sshd, "Disconnecting %w user %* %h port %n: Too many authentication failures%?", "",
               Sign::harmless},  // told before: maximum authentication attempts exceeded
    AttackRule{sshd, "Disconnecting %w user %* %h port %n: Change of username %*", "login"},
    AttackRule{sshd, "Disconnecting: Too many authentication failures%*", "login",
               Sign::of_session},
    AttackRule{sshd, "%{error: |}Received disconnect from %h%{:| port }%?%{3|14}: %*", "login"},
    AttackRule{sshd, "%{error: |}Received disconnect from %h%{:| port }%*", "login", Sign::ends},
    AttackRule{sshd, "Did not receive identification string from %h", "probe"},
    AttackRule{sshd, "Did not receive identification string from %h port %n", "probe"},
    AttackRule{sshd, "Bad protocol version identification '%*' from %h port %n", "probe"},
    AttackRule{sshd, "SSH: Server;%?;Remote: %a-%n;%*", "", Sign::tells_host},
    AttackRule{sshd, "Connection from %h port %n on %*", "", Sign::tells_host},
    AttackRule{sshd, "Connection from %h%{ port |}%?", "", Sign::tells_host},
    AttackRule{sshd, "fatal: Read from socket failed: Connection reset by peer%?", "probe",
               Sign::of_session},
    AttackRule{
        sshd,
        "Connection %{reset|closed} by %{authenticating|invalid} user %* %h port %n [preauth]",
        "login"},
    AttackRule{sshd, "Connection %{reset|closed} by %h [preauth]", "probe"},
    AttackRule{sshd, "Connection %{reset|closed} by %h port %n [preauth]", "probe"},
    AttackRule{sshd, "Connection %{reset|closed} by %h port %n", "probe", Sign::ends},
    AttackRule{sshd, "Disconnected from %{authenticating|invalid} user %* %h port %n [preauth]",
               "login"},
    AttackRule{sshd, "Disconnected from %h port %n [preauth]", "probe"},
    AttackRule{sshd, "error: kex_exchange_identification: %*", "probe", Sign::of_session},
    AttackRule{sshd, "banner exchange: Connection from %h port %n: %?", "probe"},
    AttackRule{sshd, "ssh_dispatch_run_fatal: Connection from %h port %n: %?", "probe"},
    AttackRule{sshd, "%{fatal: |}Timeout before authentication for %h port %n", "probe"},
    AttackRule{sshd, "%{fatal: |}Timeout before authentication for connection from %h to %?",
               "probe"},
    AttackRule{sshd, "%{fatal: |}Unable to negotiate with %h port %n: %*", "probe"},
    AttackRule{sshd, "fatal: Unable to negotiate a key exchange method%?", "probe",
               Sign::of_session},
    AttackRule{sshd, "fatal: no matching %w found: %*", "probe", Sign::of_session},
    AttackRule{sshd, "pam_unix(sshd:auth): authentication failure;%*", "", Sign::suspect},
};

}  // namespace

std::span<const AttackRule> sshd_rules() { return rules; }

}  // namespace vigil::entities::logs
