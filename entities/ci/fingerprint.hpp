#pragma once
// Whether a failure was seen before: a digest of what it says without what differs each time.
// Pure; any thread.
#include <string>
#include <string_view>

#include "entities/ci/test_report.hpp"

namespace vigil::entities::ci {

// The text with addresses, ids, times, durations, folders, ports and other numbers taken out:
// "Timeout after 31ms at /tmp/x7/a.c:12" becomes "Timeout after # at a.c:#". Stays when said twice.
std::string without_incidents(std::string_view text);

// Of a failed test: its kind of failure and the frames of its stack, without lines and addresses.
// Twelve hex digits. Two tests that fail for one reason have one fingerprint: the test's own name
// is a part of it only when the failure says next to nothing.
std::string failure_fingerprint(std::string_view message, std::string_view stack);
std::string failure_fingerprint(const TestCase& test);

}  // namespace vigil::entities::ci
