#pragma once
// Counts starts that did not end as they should, on disk and before anything else runs: what kills
// the daemon at every start must not be tried for ever. A file of times in state_dir; blocking
// calls, before the loop runs and after it ended.
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/time.hpp"

namespace vigil {

// Pure: why the next start is in safe mode, one sentence; nothing: it is not. `times` are those of
// starts that have not ended well, this one not among them.
std::optional<std::string> why_safe_mode(const std::vector<TimePoint>& times, TimePoint now,
                                         int starts_max, Duration within);

// When something in state_dir was last written, which is when the daemon was last there, as far as
// is known: a clean end writes, and before a crash the last event did. Nothing: it never was.
std::optional<TimePoint> last_sign_of_life(const std::string& state_dir);

class Starts {
 public:
  // Reads what is there. The directory may be missing; it is made.
  explicit Starts(const std::string& state_dir);

  const std::vector<TimePoint>& unfinished() const { return times_; }
  // This start is on disk when it returns. An error: it could not be written, and does not count.
  Result<void> begin(TimePoint now);
  void end();      // this one ended as it should
  void forgive();  // and those before it do not count any more

 private:
  Result<void> write(const std::vector<TimePoint>& times) const;
  std::string path_;
  std::vector<TimePoint> times_;
  std::optional<TimePoint> own_;
};

}  // namespace vigil
