#include "config/secret.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace vigil::config {
namespace {

constexpr std::string_view cred = "cred:";
constexpr std::string_view file = "file:";
constexpr std::size_t secret_bytes_max = 64 * 1024;

bool is_credential_name(std::string_view name) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  return !name.empty() && name.size() <= 255 && !name.starts_with('.') &&
         std::ranges::all_of(name, fits);
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) (void)::close(fd_);  // only read from: nothing can be lost
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

void wipe_bytes(void* bytes, std::size_t size) { explicit_bzero(bytes, size); }

Result<std::string> path_of(const SecretRef& ref) {
  const std::string_view text = ref.text;
  if (text.starts_with(file)) return std::string(text.substr(file.size()));
  const auto name = text.substr(cred.size());
  const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
  if (directory == nullptr || *directory == '\0') {
    return fail(
        ErrorCode::unavailable,
        fmt::format("{}: there are no credentials ($CREDENTIALS_DIRECTORY is not set): "
                    "start vigild from a unit with LoadCredential={}:PATH, or use file:PATH",
                    text, name));
  }
  auto path = fmt::format("{}/{}", directory, name);
  // LoadCredential=secret:DIRECTORY, as the shipped unit has it, names each file secret_NAME.
  auto of_folder = fmt::format("{}/secret_{}", directory, name);
  if (::access(path.c_str(), F_OK) != 0 && ::access(of_folder.c_str(), F_OK) == 0) return of_folder;
  return path;
}

// Whether the file is one a secret may stand in.
Result<void> check_file(const SecretRef& ref, const std::string& path, int fd) {
  struct stat status{};
  if (::fstat(fd, &status) != 0) {
    return fail(ErrorCode::unavailable, fmt::format("{}: {}", ref.text, std::strerror(errno)));
  }
  if (!S_ISREG(status.st_mode)) {
    return fail(ErrorCode::invalid_input, fmt::format("{}: is not a regular file", ref.text));
  }
  // The service manager guards the directory of credentials itself.
  const bool open_to_others = (status.st_mode & 077U) != 0;
  if (open_to_others && ref.text.starts_with(file)) {
    return fail(ErrorCode::forbidden,
                fmt::format("{}: others may read it (mode {:04o}): run chmod 600 {}", ref.text,
                            status.st_mode & 07777U, path));
  }
  return {};
}

Result<std::string> read_all(const SecretRef& ref, int fd) {
  std::string value;
  value.reserve(secret_bytes_max + 1);  // growing would leave copies behind
  std::array<char, 4096> block{};
  while (value.size() <= secret_bytes_max) {
    const auto got = ::read(fd, block.data(), block.size());
    if (got == 0) break;
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      const int error = errno;
      wipe_bytes(value.data(), value.size());
      return fail(ErrorCode::unavailable, fmt::format("{}: {}", ref.text, std::strerror(error)));
    }
    const auto room = secret_bytes_max + 1 - value.size();
    value.append(block.data(), std::min(static_cast<std::size_t>(got), room));
  }
  wipe_bytes(block.data(), block.size());
  return value;
}

}  // namespace

Secret& Secret::operator=(Secret&& other) noexcept {
  if (this == &other) return *this;
  wipe();
  value_ = std::move(other.value_);
  other.wipe();
  return *this;
}

void Secret::wipe() noexcept {
  // A short text lives inside the string itself and stays there when it is moved from.
  value_.resize(value_.capacity());
  wipe_bytes(value_.data(), value_.size());
  value_.clear();
}

Result<SecretRef> parse_secret_ref(std::string_view text) {
  if (text.starts_with(cred)) {
    if (is_credential_name(text.substr(cred.size()))) return SecretRef{std::string(text)};
    return fail(ErrorCode::invalid_input,
                "expected \"cred:NAME\" with the name of a systemd credential (letters, digits, "
                "_ - and dots)");
  }
  if (text.starts_with(file)) {
    if (text.size() > file.size() && text.find('\0') == std::string_view::npos) {
      return SecretRef{std::string(text)};
    }
    return fail(ErrorCode::invalid_input, "expected \"file:PATH\" with the path of a file");
  }
  // The text may be the secret itself: never repeat it.
  return fail(ErrorCode::invalid_input,
              "a secret does not stand here itself: put it into a file with mode 600 and write "
              "\"file:PATH\", or \"cred:NAME\" for a systemd credential");
}

Result<Secret> read_secret(const SecretRef& ref) {
  const auto parsed = parse_secret_ref(ref.text);
  if (!parsed) return std::unexpected(parsed.error());
  const auto path = path_of(ref);
  if (!path) return std::unexpected(path.error());
  const Descriptor from(::open(path->c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (from.get() < 0) {
    const auto code = errno == ENOENT ? ErrorCode::not_found : ErrorCode::forbidden;
    return fail(code, fmt::format("{}: {}", ref.text, std::strerror(errno)));
  }
  if (const auto good = check_file(ref, *path, from.get()); !good) {
    return std::unexpected(good.error());
  }
  auto value = read_all(ref, from.get());
  if (!value) return std::unexpected(value.error());
  // The string is handed over whole, so that no copy of it stays behind.
  const bool too_large = value->size() > secret_bytes_max;
  if (value->ends_with('\n')) value->pop_back();
  if (value->ends_with('\r')) value->pop_back();
  const bool is_empty = value->empty();
  Secret secret(std::move(*value));
  if (too_large) {
    return fail(ErrorCode::too_large, fmt::format("{}: is larger than 64 KiB", ref.text));
  }
  if (is_empty) {
    return fail(ErrorCode::invalid_input,
                fmt::format("{}: is empty: write the secret into it", ref.text));
  }
  return secret;
}

}  // namespace vigil::config
