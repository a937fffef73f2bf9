#include "swarm/cgroup.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "core/digest.hpp"

namespace vigil::swarm {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view prefix = "vigil-task-";

// Our own group in the unified hierarchy: "0::/system.slice/vigild.service".
std::string own_path() {
  std::ifstream in("/proc/self/cgroup");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("0::/")) return line.substr(3);
  }
  return {};
}

bool is_delegated(const std::string& path) {
  for (const auto* name : {"user.delegate", "trusted.delegate"}) {
    char value = 0;
    if (::getxattr(path.c_str(), name, &value, 1) == 1 && value == '1') return true;
  }
  return false;
}

void kill_all_in(const std::string& path) {
  const int fd = ::open((path + "/cgroup.kill").c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return;  // gone already
  (void)!::write(fd, "1", 1);
  ::close(fd);
}

}  // namespace

Cgroup::Cgroup(CgroupPlace& place, std::string path, int joins)
    : place_(place), path_(std::move(path)), joins_(joins) {}

Cgroup::~Cgroup() {
  ::close(joins_);
  kill();
  place_.remove(std::move(path_));
}

void Cgroup::kill() const { kill_all_in(path_); }

std::optional<CgroupPlace> CgroupPlace::find() {
  const auto own = own_path();
  if (own.empty() || own == "/") return std::nullopt;
  // The second is where the older hierarchy is mounted beside it.
  for (const auto* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    auto path = mount + own;
    const bool can_kill = ::access((path + "/cgroup.kill").c_str(), F_OK) == 0;
    if (!can_kill || ::access(path.c_str(), W_OK) != 0 || !is_delegated(path)) continue;
    std::error_code failed;
    std::vector<std::string> left;
    for (fs::directory_iterator entry(path, failed), end; !failed && entry != end;
         entry.increment(failed)) {
      if (entry->path().filename().string().starts_with(prefix)) left.push_back(entry->path());
    }
    CgroupPlace out(std::move(path));
    for (auto& group : left) {
      kill_all_in(group);
      out.remove(std::move(group));
    }
    return out;
  }
  return std::nullopt;
}

std::unique_ptr<Cgroup> CgroupPlace::make() {
  std::erase_if(dying_, [](const std::string& path) { return ::rmdir(path.c_str()) == 0; });
  auto path = fmt::format("{}/{}{}", path_, prefix, random_hex(8));
  if (::mkdir(path.c_str(), 0755) != 0) return nullptr;
  const int joins = ::open((path + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC);
  if (joins >= 0) return std::make_unique<Cgroup>(*this, std::move(path), joins);
  ::rmdir(path.c_str());
  return nullptr;
}

// What was killed is gone in a moment; until then the group cannot be removed.
void CgroupPlace::remove(std::string path) {
  if (::rmdir(path.c_str()) != 0 && errno == EBUSY) dying_.push_back(std::move(path));
}

}  // namespace vigil::swarm
