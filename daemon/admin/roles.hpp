#pragma once
// Who may do what through the admin API: the kernel says who the peer is, [admin] says what such a
// one may. Loop thread only; names are looked up when the settings change.
#include <sys/types.h>

#include <set>
#include <string>

#include "config/admin.hpp"
#include "daemon/ingress/http_server.hpp"

namespace vigil::admin {

enum class Role { none, read, operate, admin };
std::string_view to_text(Role role);

class Roles {
 public:
  // A name that this machine does not know counts for nobody, and the log says so.
  explicit Roles(const config::Admin& settings);
  // Root, the daemon's own user, and everybody when no list names anybody: admin.
  Role of(const ingress::Peer& peer) const;

 private:
  struct Members {
    std::set<uid_t> users;
    std::set<gid_t> groups;
  };
  static Members members_of(const std::vector<std::string>& names);
  static bool has(const Members& members, const ingress::Peer& peer);

  bool open_to_all_ = true;
  Members read_;
  Members operate_;
  Members admin_;
};

// The user's name; its number when it has none.
std::string name_of_user(int uid);

}  // namespace vigil::admin
