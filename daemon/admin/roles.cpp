#include "daemon/admin/roles.hpp"

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>

#include "core/log.hpp"

namespace vigil::admin {

std::string_view to_text(Role role) {
  switch (role) {
    case Role::none:
      return "none";
    case Role::read:
      return "read";
    case Role::operate:
      return "operate";
    case Role::admin:
      return "admin";
  }
  return "none";
}

Roles::Roles(const config::Admin& settings)
    : open_to_all_(settings.read.empty() && settings.operate.empty() && settings.admin.empty()),
      read_(members_of(settings.read)),
      operate_(members_of(settings.operate)),
      admin_(members_of(settings.admin)) {}

Roles::Members Roles::members_of(const std::vector<std::string>& names) {
  Members out;
  for (const auto& entry : names) {
    const auto name = entry.substr(entry.find(':') + 1);
    if (entry.starts_with("user:")) {
      if (const auto* user = ::getpwnam(name.c_str()); user != nullptr) {
        out.users.insert(user->pw_uid);
        continue;
      }
    } else if (const auto* group = ::getgrnam(name.c_str()); group != nullptr) {
      out.groups.insert(group->gr_gid);
      continue;
    }
    log_warn("[admin] names somebody whom this machine does not know, who may do nothing: {}",
             quoted(entry));
  }
  return out;
}

bool Roles::has(const Members& members, const ingress::Peer& peer) {
  return members.users.contains(static_cast<uid_t>(peer.uid)) ||
         std::ranges::any_of(peer.groups,
                             [&](gid_t group) { return members.groups.contains(group); });
}

Role Roles::of(const ingress::Peer& peer) const {
  if (peer.uid < 0) return Role::none;
  const auto uid = static_cast<uid_t>(peer.uid);
  if (open_to_all_ || uid == 0 || uid == ::geteuid() || has(admin_, peer)) return Role::admin;
  if (has(operate_, peer)) return Role::operate;
  return has(read_, peer) ? Role::read : Role::none;
}

std::string name_of_user(int uid) {
  const auto* user = ::getpwuid(static_cast<uid_t>(uid));
  return user == nullptr ? std::to_string(uid) : std::string(user->pw_name);
}

}  // namespace vigil::admin
