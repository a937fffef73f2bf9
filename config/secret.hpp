#pragma once
// Secrets by reference: `cred:NAME` (a systemd credential) or `file:PATH`. Settings hold
// references; whoever needs the value reads it, holds it as a Secret and never prints it.
#include <string>
#include <string_view>

#include "core/error.hpp"

namespace vigil::config {

struct SecretRef {
  std::string text;  // "cred:github" or "file:/etc/vigild/github.secret"; empty: none
  bool operator==(const SecretRef&) const = default;
};

// A value that cannot be printed and is overwritten when it dies.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string value) : value_(std::move(value)) {}
  Secret(Secret&& other) noexcept : value_(std::move(other.value_)) { other.wipe(); }
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  ~Secret() { wipe(); }

  std::string_view reveal() const { return value_; }

 private:
  void wipe() noexcept;
  std::string value_;
};

// Is the text of the right form? The message says what was expected.
Result<SecretRef> parse_secret_ref(std::string_view text);

// Reads it, without a trailing newline. Refuses an empty secret, a `file:` others can read (mode &
// 077) and one over 64 KiB. `cred:` needs $CREDENTIALS_DIRECTORY, whose access the service manager
// guards; NAME there, or secret_NAME.
Result<Secret> read_secret(const SecretRef& ref);

}  // namespace vigil::config
