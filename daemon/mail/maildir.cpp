#include "daemon/mail/maildir.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "core/digest.hpp"

namespace vigil::mail {
namespace {

constexpr std::size_t files_max = 1'000'000;
constexpr std::array<std::pair<char, std::string_view>, 6> letters{{{'D', "\\Draft"},
                                                                    {'F', "\\Flagged"},
                                                                    {'P', "$Forwarded"},
                                                                    {'R', "\\Answered"},
                                                                    {'S', "\\Seen"},
                                                                    {'T', "\\Deleted"}}};

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) (void)::close(fd_);  // what counts was synced before
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

struct DirectoryClose {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using Directory = std::unique_ptr<DIR, DirectoryClose>;

std::unexpected<Error> failure(const std::string& path) {
  const int error = errno;
  auto code = ErrorCode::unavailable;
  if (error == ENOSPC || error == EDQUOT) code = ErrorCode::full;
  if (error == ENOENT || error == ENOTDIR) code = ErrorCode::not_found;
  if (error == EACCES || error == EPERM) code = ErrorCode::forbidden;
  return fail(code, fmt::format("{}: {}", path, std::strerror(error)));
}

Result<void> sync_directory(const std::string& path) {
  const Descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) return failure(path);
  return {};
}

Result<void> make_folder(const std::string& path) {
  for (const auto* part : {"", "/tmp", "/new", "/cur"}) {
    if (::mkdir((path + part).c_str(), 0700) != 0 && errno != EEXIST) return failure(path + part);
  }
  return {};
}

// Files are few kinds of names: what begins with a dot is none of ours.
Result<void> list_directory(const std::string& path, const std::string& folder,
                            std::vector<MaildirFile>& to) {
  const Directory directory(::opendir(path.c_str()));
  if (!directory) return failure(path);
  while (const auto* entry = ::readdir(directory.get())) {
    if (entry->d_name[0] == '.') continue;
    auto file = path + "/" + entry->d_name;
    struct stat status{};
    if (::stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    if (to.size() >= files_max) {
      return fail(ErrorCode::too_large, path + ": more than a million messages: archive some");
    }
    auto name = parse_maildir_name(entry->d_name);
    to.push_back({folder, std::move(file), std::move(name.unique), std::move(name.flags),
                  status.st_mtim.tv_sec});
  }
  return {};
}

Result<void> write_all(int fd, const std::string& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto wrote = ::write(fd, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return failure(path);
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
  return {};
}

// Into a temporary file first: who sees the name sees the whole file.
Result<void> write_through(const std::string& temporary, const std::string& path,
                           const std::string& bytes) {
  {
    const Descriptor file(
        ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (file.get() < 0) return failure(temporary);
    auto written = write_all(file.get(), temporary, bytes);
    if (written && ::fsync(file.get()) != 0) written = failure(temporary);
    if (!written) {
      (void)::unlink(temporary.c_str());  // half a message helps nobody
      return written;
    }
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return failure(path);
  return {};
}

}  // namespace

bool has_maildir_letter(std::string_view flag) {
  return std::ranges::any_of(letters, [&](auto& one) { return one.second == flag; });
}

MaildirName parse_maildir_name(std::string_view file) {
  MaildirName out;
  const auto colon = file.rfind(":2,");
  out.unique = file.substr(0, colon);
  if (colon == std::string_view::npos) return out;
  const auto given = file.substr(colon + 3);
  for (const auto& [letter, flag] : letters) {
    if (given.find(letter) != std::string_view::npos) out.flags.emplace_back(flag);
  }
  std::ranges::sort(out.flags);
  return out;
}

std::string maildir_name(std::string_view unique, const std::vector<std::string>& flags) {
  std::string out(unique);
  out += ":2,";
  for (const auto& [letter, flag] : letters) {
    if (std::ranges::find(flags, flag) != flags.end()) out += letter;
  }
  return out;
}

std::optional<std::string> maildir_folder(const std::string& root, std::string_view folder) {
  if (folder.empty() || folder == "INBOX") return root;
  std::string name(folder);
  std::ranges::replace(name, '/', '.');
  const bool odd = name.size() > 200 || name.front() == '.' || name.back() == '.' ||
                   name.find("..") != std::string::npos ||
                   std::ranges::any_of(name, [](unsigned char c) { return c < 0x20; });
  if (odd) return std::nullopt;
  return root + "/." + name;
}

Result<std::vector<MaildirFile>> list_maildir(const std::string& root,
                                              const std::vector<std::string>& folders) {
  std::vector<MaildirFile> out;
  for (const auto& folder : folders) {
    const auto path = maildir_folder(root, folder);
    if (!path) {
      return fail(ErrorCode::invalid_input, fmt::format("no folder is called \"{}\"", folder));
    }
    for (const auto* part : {"/cur", "/new"}) {
      auto listed = list_directory(*path + part, folder, out);
      const bool absent = !listed && listed.error().code == ErrorCode::not_found;
      if (!listed && (!absent || *path == root)) return std::unexpected(std::move(listed.error()));
    }
  }
  return out;
}

std::optional<MaildirFile> find_in_maildir(const std::string& root, const std::string& folder,
                                           const std::string& unique) {
  const auto path = maildir_folder(root, folder);
  if (!path) return std::nullopt;
  std::vector<MaildirFile> all;
  for (const auto* part : {"/cur", "/new"}) {
    auto listed = list_directory(*path + part, folder, all);
    (void)listed;  // where nothing can be listed nothing is found
  }
  const auto found = std::ranges::find(all, unique, &MaildirFile::unique);
  if (found == all.end()) return std::nullopt;
  return std::move(*found);
}

Result<FileStart> read_start(const std::string& path, std::size_t bytes_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat status{};
  if (file.get() < 0 || ::fstat(file.get(), &status) != 0) return failure(path);
  FileStart out;
  out.bytes = static_cast<std::uint64_t>(std::max<off_t>(status.st_size, 0));
  out.text.resize(std::min<std::size_t>(bytes_max, out.bytes));
  std::size_t done = 0;
  while (done < out.text.size()) {
    const auto got = ::read(file.get(), out.text.data() + done, out.text.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failure(path);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  out.text.resize(done);
  return out;
}

Result<void> put_in_maildir(const std::string& root, const MaildirFile& file,
                            const std::string& folder, const std::vector<std::string>& flags) {
  const auto path = maildir_folder(root, folder);
  if (!path) {
    return fail(ErrorCode::invalid_input, fmt::format("no folder is called \"{}\"", folder));
  }
  if (auto made = make_folder(*path); !made) return made;
  const auto target = *path + "/cur/" + maildir_name(file.unique, flags);
  if (target == file.path) return {};
  struct stat status{};
  if (::lstat(target.c_str(), &status) == 0) {
    return fail(ErrorCode::conflict, target + ": another message is called that");
  }
  if (::rename(file.path.c_str(), target.c_str()) != 0) return failure(file.path);
  return sync_directory(*path + "/cur");
}

Result<void> add_to_maildir(const std::string& root, const std::string& folder,
                            const std::string& unique, const std::vector<std::string>& flags,
                            const std::string& message) {
  const auto path = maildir_folder(root, folder);
  if (!path) {
    return fail(ErrorCode::invalid_input, fmt::format("no folder is called \"{}\"", folder));
  }
  if (auto made = make_folder(*path); !made) return made;
  if (find_in_maildir(root, folder, unique)) return {};
  const auto target = *path + "/cur/" + maildir_name(unique, flags);
  if (auto written = write_through(*path + "/tmp/" + unique, target, message); !written) {
    return written;
  }
  return sync_directory(*path + "/cur");
}

Result<void> write_durably(const std::string& directory, const std::string& name,
                           const std::string& bytes) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return failure(directory);
  const auto target = directory + "/" + name;
  struct stat status{};
  if (::lstat(target.c_str(), &status) == 0) return {};
  const auto temporary = fmt::format("{}/.{}.{}", directory, name, random_hex(8));
  if (auto written = write_through(temporary, target, bytes); !written) return written;
  return sync_directory(directory);
}

}  // namespace vigil::mail
