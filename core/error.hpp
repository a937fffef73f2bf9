#pragma once
// Expected failures as values. A broken world (disk, socket) throws; a bug aborts (check.hpp).
#include <expected>
#include <string>
#include <string_view>

namespace vigil {

enum class ErrorCode {
  invalid_input,  // the caller must change what it asks
  unauthorized,   // who asks could not be proven
  forbidden,      // who asks is known and may not
  not_found,
  conflict,  // true already, or no longer true
  too_large,
  timed_out,
  busy,         // a bound is reached: try again later
  unavailable,  // something we need does not answer
  full,         // the disk
  cancelled,
  internal,
};

std::string_view to_text(ErrorCode code);

struct [[nodiscard]] Error {
  ErrorCode code = ErrorCode::internal;
  std::string message;  // one sentence for a person: what is wrong, and what to do next
};

template <class T>
using Result = std::expected<T, Error>;

inline std::unexpected<Error> fail(ErrorCode code, std::string message) {
  return std::unexpected(Error{code, std::move(message)});
}

}  // namespace vigil
