#pragma once
// VIGIL_CHECK states what must be true whatever the world does. Violated: log and abort; the
// service manager restarts us and the journal is intact.

namespace vigil {
[[noreturn]] void check_failed(const char* what, const char* file, int line);
}  // namespace vigil

#define VIGIL_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::vigil::check_failed(#condition, __FILE__, __LINE__))
