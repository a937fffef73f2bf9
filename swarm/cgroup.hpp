#pragma once
// A control group for each task, below that of the service, so that whatever a task started ends
// with it: also what took a session of its own. Only where the service manager has delegated the
// service's control group to us (Delegate=yes), and Linux 5.14 and later, which have cgroup.kill.
// System calls that end at once; loop thread only. Private to swarm.
// https://docs.kernel.org/admin-guide/cgroup-v2.html https://systemd.io/CGROUP_DELEGATION/
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace vigil::swarm {

class CgroupPlace;

// One task's. When it dies, everything in it is killed, and it is removed.
class Cgroup {
 public:
  Cgroup(CgroupPlace& place, std::string path, int joins);
  Cgroup(const Cgroup&) = delete;
  Cgroup& operator=(const Cgroup&) = delete;
  ~Cgroup();
  int joins() const { return joins_; }  // who writes "0" to this descriptor is in
  void kill() const;

 private:
  CgroupPlace& place_;
  std::string path_;
  int joins_;
};

class CgroupPlace {
 public:
  // Nothing: none was delegated. What an earlier daemon left there is killed.
  static std::optional<CgroupPlace> find();

  // nullptr: it cannot be made now, and the task runs without.
  std::unique_ptr<Cgroup> make();

 private:
  friend class Cgroup;
  explicit CgroupPlace(std::string path) : path_(std::move(path)) {}
  void remove(std::string path);

  std::string path_;
  std::vector<std::string> dying_;  // killed, and not empty yet
};

}  // namespace vigil::swarm
