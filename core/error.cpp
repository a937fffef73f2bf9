#include "core/error.hpp"

#include <cstdio>
#include <cstdlib>

#include "core/check.hpp"
#include "core/log.hpp"

namespace vigil {

std::string_view to_text(ErrorCode code) {
  switch (code) {
    case ErrorCode::invalid_input:
      return "invalid_input";
    case ErrorCode::unauthorized:
      return "unauthorized";
    case ErrorCode::forbidden:
      return "forbidden";
    case ErrorCode::not_found:
      return "not_found";
    case ErrorCode::conflict:
      return "conflict";
    case ErrorCode::too_large:
      return "too_large";
    case ErrorCode::timed_out:
      return "timed_out";
    case ErrorCode::busy:
      return "busy";
    case ErrorCode::unavailable:
      return "unavailable";
    case ErrorCode::full:
      return "full";
    case ErrorCode::cancelled:
      return "cancelled";
    case ErrorCode::internal:
      return "internal";
  }
  return "internal";
}

void check_failed(const char* what, const char* file, int line) {
  log_error("a promise of the program is broken: {} at {}:{}", what, file, line);
  std::abort();
}

}  // namespace vigil
