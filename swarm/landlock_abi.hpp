#pragma once
// The kernel's Landlock interface. Written by hand, because the header in Debian 12 ends at ABI 2.
#include <cstdint>

namespace vigil::swarm::landlock {

struct LandlockRuleset {
  std::uint64_t fs;
  std::uint64_t net;
  std::uint64_t scoped;
};
struct [[gnu::packed]] LandlockPath {
  std::uint64_t access;
  std::int32_t fd;
};
constexpr unsigned landlock_version = 1;
constexpr int landlock_path_beneath = 1;
constexpr std::uint64_t fs_execute = 1u << 0;
constexpr std::uint64_t fs_write_file = 1u << 1;
constexpr std::uint64_t fs_read_file = 1u << 2;
constexpr std::uint64_t fs_read_dir = 1u << 3;
constexpr std::uint64_t fs_make_char = 1u << 6;
constexpr std::uint64_t fs_make_block = 1u << 11;
constexpr std::uint64_t fs_abi_1 = (1u << 13) - 1;
constexpr std::uint64_t fs_refer = 1u << 13;        // since ABI 2
constexpr std::uint64_t fs_truncate = 1u << 14;     // since ABI 3
constexpr std::uint64_t fs_ioctl_dev = 1u << 15;    // since ABI 5
constexpr std::uint64_t net_bind_connect_tcp = 3;   // since ABI 4
constexpr std::uint64_t scope_sockets_signals = 3;  // since ABI 6
constexpr std::uint64_t fs_of_files =
    fs_execute | fs_write_file | fs_read_file | fs_truncate | fs_ioctl_dev;
constexpr std::uint64_t fs_reading = fs_execute | fs_read_file | fs_read_dir;

}  // namespace vigil::swarm::landlock
