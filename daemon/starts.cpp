#include "daemon/starts.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "daemon/whole_file.hpp"

namespace vigil {
namespace {

constexpr std::size_t times_max = 1000;

}  // namespace

std::optional<std::string> why_safe_mode(const std::vector<TimePoint>& times, TimePoint now,
                                         int starts_max, Duration within) {
  if (starts_max <= 0) return std::nullopt;
  // A clock that was set back in between makes a start of the future: it was lately all the same.
  const auto recent = std::ranges::count_if(
      times, [&](TimePoint at) { return at > now - within && at < now + within; });
  if (recent < starts_max) return std::nullopt;
  return fmt::format("{} starts within {} ended in a crash, the last one begun at {}", recent,
                     to_text(within), to_rfc3339(times.back()));
}

std::optional<TimePoint> last_sign_of_life(const std::string& state_dir) {
  std::optional<TimePoint> out;
  for (const auto* name : {"vigil.db", "vigil.db-wal", "vigil.starts"}) {
    struct stat status{};
    if (::stat(fmt::format("{}/{}", state_dir, name).c_str(), &status) != 0) continue;
    const auto written = TimePoint(std::chrono::seconds{status.st_mtim.tv_sec}) +
                         std::chrono::microseconds{status.st_mtim.tv_nsec / 1000};
    out = std::max(out.value_or(written), written);
  }
  return out;
}

Starts::Starts(const std::string& state_dir) : path_(state_dir + "/vigil.starts") {
  std::error_code error;
  if (!std::filesystem::exists(state_dir, error)) {
    std::filesystem::create_directories(std::filesystem::path(state_dir).parent_path(), error);
    ::mkdir(state_dir.c_str(), 0700);
  }
  std::ifstream in(path_);
  for (std::string line; std::getline(in, line) && times_.size() < times_max;) {
    if (const auto at = parse_rfc3339(line)) times_.push_back(*at);
  }
}

Result<void> Starts::write(const std::vector<TimePoint>& times) const {
  std::string text;
  for (const auto at : times) text += to_rfc3339(at) + "\n";
  return write_whole(path_, text);
}

Result<void> Starts::begin(TimePoint now) {
  own_ = now;
  auto all = times_;
  all.push_back(now);
  if (all.size() > times_max) all.erase(all.begin());
  return write(all);
}

void Starts::end() {
  // A crash before this one still counts while it is recent: it may come again.
  if (own_) (void)write(times_);  // if not, one crash too many is counted
}

void Starts::forgive() {
  times_.clear();
  if (own_) (void)write({*own_});  // as above
}

}  // namespace vigil
