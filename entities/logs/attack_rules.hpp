#pragma once
// What services log when somebody tries to get in, as a table one can read. Ours; made from what
// the services are known to print.
#include <span>
#include <string_view>

namespace vigil::entities::logs {

enum class Sign {
  attack,      // says so by itself
  harmless,    // looks alike and is none
  suspect,     // its session failed; names no host, or not for certain
  ends,        // an attack when its session was suspect
  tells_host,  // of its session
  of_session,  // an attack, whose host an earlier line of the session told
};

struct AttackRule {
  std::string_view service;  // "sshd"
  std::string_view pattern;  // attack_pattern.hpp
  std::string_view kind;     // login, probe, relay, denied, flood, exploit, ban
  Sign sign = Sign::attack;
};

std::span<const AttackRule> login_rules();  // shells, file and data base servers, panels
std::span<const AttackRule> sshd_rules();
std::span<const AttackRule> mail_rules();
std::span<const AttackRule> voice_rules();  // telephony and chat
std::span<const AttackRule> web_rules();    // error logs; access logs are read as such

}  // namespace vigil::entities::logs
