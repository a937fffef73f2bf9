#include "entities/deps/advisory_index.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "entities/deps/advisory_rows.hpp"
#include "entities/deps/lockfile.hpp"
#include "entities/deps/version.hpp"

namespace vigil::entities::deps {

struct AdvisoryIndex::State {
  std::string owned;
  void* mapped = nullptr;
  std::string_view bytes;
  Header header;

  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (mapped != nullptr) ::munmap(mapped, bytes.size());
  }

  // Rows are copied out: the bytes need not be aligned, and a bad number reads nothing.
  template <class T>
  T row(const Table& table, std::uint64_t number) const {
    T row{};
    if (number < table.count)
      std::memcpy(&row, bytes.data() + table.at + number * sizeof(T), sizeof(T));
    return row;
  }
  std::string_view text(TextRow row) const {
    if (row.at > header.texts.count || row.size > header.texts.count - row.at) return {};
    return bytes.substr(header.texts.at + row.at, row.size);
  }
  PackageRow find(std::string_view ecosystem, std::string_view name) const;
  bool affects(const EntryRow& entry, std::string_view ecosystem, std::string_view version) const;
  Interval interval(std::uint64_t number) const {
    const auto found = row<IntervalRow>(header.intervals, number);
    return {std::string(text(found.from)), std::string(text(found.to)),
            static_cast<Ends>(std::min<std::uint32_t>(found.ends, 2))};
  }
};

PackageRow AdvisoryIndex::State::find(std::string_view ecosystem, std::string_view name) const {
  const auto key = fmt::format("{}\n{}", ecosystem, normal_name(ecosystem, name));
  std::uint64_t low = 0;
  std::uint64_t high = header.packages.count;
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    const auto found = row<PackageRow>(header.packages, middle);
    const auto order = text(found.key).compare(key);
    if (order == 0) return found;
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return {};
}

bool AdvisoryIndex::State::affects(const EntryRow& entry, std::string_view ecosystem,
                                   std::string_view version) const {
  for (std::uint32_t i = 0; i < entry.intervals; ++i) {
    if (covers(ecosystem, interval(std::uint64_t{entry.interval} + i), version)) return true;
  }
  const auto listed = [&](std::uint64_t i) {
    return text(row<TextRow>(header.versions, entry.version + i));
  };
  const auto scheme = scheme_of(ecosystem);
  std::uint64_t low = 0;
  std::uint64_t high = entry.versions;
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    const auto order = compare_versions(scheme, listed(middle), version);
    if (order == 0) return true;
    if (order < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return false;
}

AdvisoryIndex::AdvisoryIndex(std::unique_ptr<State> state) : state_(std::move(state)) {}
AdvisoryIndex::AdvisoryIndex(AdvisoryIndex&& other) noexcept = default;
AdvisoryIndex& AdvisoryIndex::operator=(AdvisoryIndex&& other) noexcept = default;
AdvisoryIndex::~AdvisoryIndex() = default;

Result<AdvisoryIndex> AdvisoryIndex::checked(std::unique_ptr<State> state) {
  const auto refuse = [](std::string_view why) {
    return fail(ErrorCode::invalid_input,
                fmt::format("not an index of advisories: {}; delete it, it is made again", why));
  };
  const auto bytes = state->bytes;
  auto& header = state->header;
  if (bytes.size() < sizeof(Header)) return refuse("it is cut");
  std::memcpy(&header, bytes.data(), sizeof(Header));
  if (std::string_view(header.magic.data(), header.magic.size()) != index_magic) {
    return refuse("it begins otherwise");
  }
  if (header.version != index_version || header.byte_order != Header().byte_order) {
    return refuse("it is of another version");
  }
  if (header.bytes != bytes.size()) return refuse("it is cut");
  const auto fits = [&](const Table& table, std::size_t row_bytes) {
    return table.at <= bytes.size() && table.count <= (bytes.size() - table.at) / row_bytes;
  };
  if (!fits(header.packages, sizeof(PackageRow)) || !fits(header.entries, sizeof(EntryRow)) ||
      !fits(header.intervals, sizeof(IntervalRow)) || !fits(header.versions, sizeof(TextRow)) ||
      !fits(header.advisories, sizeof(AdvisoryRow)) || !fits(header.texts, 1) ||
      header.checksum != checksum_of(bytes.substr(sizeof(Header)))) {
    return refuse("it is scrambled");
  }
  return AdvisoryIndex(std::move(state));
}

Result<AdvisoryIndex> AdvisoryIndex::from_bytes(std::string bytes) {
  auto state = std::make_unique<State>();
  state->owned = std::move(bytes);
  state->bytes = state->owned;
  return checked(std::move(state));
}

Result<AdvisoryIndex> AdvisoryIndex::open(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return fail(ErrorCode::not_found, fmt::format("{}: cannot be opened", path.string()));
  }
  struct stat found{};
  const bool regular = ::fstat(fd, &found) == 0 && S_ISREG(found.st_mode) && found.st_size > 0;
  void* mapped = MAP_FAILED;
  if (regular) {
    mapped = ::mmap(nullptr, static_cast<std::size_t>(found.st_size), PROT_READ,
                    MAP_PRIVATE | MAP_POPULATE, fd, 0);
  }
  ::close(fd);
  if (mapped == MAP_FAILED) {
    return fail(ErrorCode::invalid_input, fmt::format("{}: is no index", path.string()));
  }
  auto state = std::make_unique<State>();
  state->mapped = mapped;
  state->bytes = {static_cast<const char*>(mapped), static_cast<std::size_t>(found.st_size)};
  auto index = checked(std::move(state));
  if (!index) index.error().message = path.string() + ": " + index.error().message;
  return index;
}

std::vector<Match> AdvisoryIndex::match(std::string_view ecosystem, std::string_view name,
                                        std::string_view version) const {
  std::vector<Match> matches;
  if (version.empty()) return matches;
  const auto package = state_->find(ecosystem, name);
  for (std::uint32_t i = 0; i < package.entries; ++i) {
    const auto entry =
        state_->row<EntryRow>(state_->header.entries, std::uint64_t{package.entry} + i);
    if (!state_->affects(entry, ecosystem, version)) continue;
    const auto advisory = state_->row<AdvisoryRow>(state_->header.advisories, entry.advisory);
    Match match{state_->text(advisory.id), state_->text(advisory.aliases),
                state_->text(advisory.summary), std::nullopt};
    if (advisory.severity <= static_cast<std::uint32_t>(Severity::critical)) {
      match.severity = static_cast<Severity>(advisory.severity);
    }
    matches.push_back(match);
  }
  std::ranges::sort(matches, {}, &Match::id);
  const auto again = std::ranges::unique(matches, {}, &Match::id);
  matches.erase(again.begin(), again.end());
  return matches;
}

std::vector<std::string> AdvisoryIndex::fixes(std::string_view ecosystem,
                                              std::string_view name) const {
  std::vector<std::string> fixes;
  const auto package = state_->find(ecosystem, name);
  for (std::uint32_t i = 0; i < package.entries; ++i) {
    const auto entry =
        state_->row<EntryRow>(state_->header.entries, std::uint64_t{package.entry} + i);
    for (std::uint32_t j = 0; j < entry.intervals; ++j) {
      auto interval = state_->interval(std::uint64_t{entry.interval} + j);
      if (interval.ends == Ends::before) fixes.push_back(std::move(interval.to));
    }
  }
  const auto scheme = scheme_of(ecosystem);
  sort_versions(fixes, [&](const std::string& a, const std::string& b) {
    return compare_versions(scheme, a, b) < 0;
  });
  const auto again = std::ranges::unique(fixes, [&](const std::string& a, const std::string& b) {
    return compare_versions(scheme, a, b) == 0;
  });
  fixes.erase(again.begin(), again.end());
  return fixes;
}

const Sha256& AdvisoryIndex::digest() const { return state_->header.digest; }
std::size_t AdvisoryIndex::advisories() const { return state_->header.advisories.count; }
std::size_t AdvisoryIndex::packages() const { return state_->header.packages.count; }
std::size_t AdvisoryIndex::withdrawn() const { return state_->header.withdrawn; }
std::size_t AdvisoryIndex::problems() const { return state_->header.problems; }
std::string_view AdvisoryIndex::problem_text() const {
  return state_->text(state_->header.problem_text);
}
std::size_t AdvisoryIndex::bytes() const { return state_->bytes.size(); }

}  // namespace vigil::entities::deps
