#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "entities/deps/advisory_index.hpp"
#include "entities/deps/advisory_rows.hpp"
#include "entities/deps/version.hpp"

namespace vigil::entities::deps {
namespace {

constexpr std::size_t problem_lines_max = 10;
constexpr std::size_t text_bytes_max = 3ULL * 1024 * 1024 * 1024;  // rows count them in 32 bits

template <class T>
Table append(std::string& bytes, const std::vector<T>& rows) {
  bytes.resize((bytes.size() + 7) / 8 * 8);
  const Table table{bytes.size(), rows.size()};
  bytes.append(reinterpret_cast<const char*>(rows.data()), rows.size() * sizeof(T));
  return table;
}

}  // namespace

struct IndexBuilder::State {
  std::string texts;
  std::unordered_map<std::string, TextRow> known;
  std::unordered_set<std::string> ids;
  std::vector<AdvisoryRow> advisories;
  std::vector<IntervalRow> intervals;
  std::vector<TextRow> versions;
  std::map<std::string, std::vector<EntryRow>> packages;  // by key, sorted as the rows will be
  std::uint64_t withdrawn = 0;
  std::uint64_t problems = 0;
  std::string problem_text;

  // Each text once: names of versions come back thousands of times.
  TextRow text(std::string_view text) {
    const auto [at, is_new] = known.try_emplace(std::string(text));
    if (is_new) {
      at->second = {static_cast<std::uint32_t>(texts.size()),
                    static_cast<std::uint32_t>(text.size())};
      texts += text;
    }
    return at->second;
  }

  EntryRow entry(const Affected& affected) {
    EntryRow row;
    row.advisory = static_cast<std::uint32_t>(advisories.size());
    row.interval = static_cast<std::uint32_t>(intervals.size());
    for (const auto& interval : affected.intervals) {
      intervals.push_back(
          {text(interval.from), text(interval.to), static_cast<std::uint32_t>(interval.ends)});
    }
    row.intervals = static_cast<std::uint32_t>(affected.intervals.size());
    row.version = static_cast<std::uint32_t>(versions.size());
    std::vector<std::string_view> listed;
    for (const auto& version : affected.versions) {
      // Most lists only spell out the ranges beside them.
      const auto covers_it = [&](const Interval& interval) {
        return covers(affected.ecosystem, interval, version);
      };
      if (!std::ranges::any_of(affected.intervals, covers_it)) listed.push_back(version);
    }
    // Sorted, since they are looked for by halves.
    const auto scheme = scheme_of(affected.ecosystem);
    sort_versions(listed, [&](std::string_view a, std::string_view b) {
      return compare_versions(scheme, a, b) < 0;
    });
    for (const auto version : listed) versions.push_back(text(version));
    row.versions = static_cast<std::uint32_t>(versions.size()) - row.version;
    return row;
  }
};

IndexBuilder::IndexBuilder() : state_(std::make_unique<State>()) {}
IndexBuilder::~IndexBuilder() = default;

void IndexBuilder::add(const Advisory& advisory) {
  if (advisory.withdrawn) {
    ++state_->withdrawn;
    return;
  }
  if (advisory.affected.empty() || !state_->ids.insert(advisory.id).second) return;
  if (state_->texts.size() > text_bytes_max) {
    problem(advisory.id + ": left out, the index is full");
    return;
  }
  for (const auto& affected : advisory.affected) {
    state_->packages[affected.ecosystem + "\n" + affected.name].push_back(state_->entry(affected));
  }
  std::string aliases;
  for (const auto& alias : advisory.aliases) {
    if (!aliases.empty()) aliases += ' ';
    aliases += alias;
  }
  const auto severity =
      advisory.severity ? static_cast<std::uint32_t>(*advisory.severity) : severity_unknown;
  state_->advisories.push_back(
      {state_->text(advisory.id), state_->text(aliases), state_->text(advisory.summary), severity});
}

void IndexBuilder::problem(std::string_view what) {
  if (++state_->problems > problem_lines_max) return;
  state_->problem_text += codebase::one_line(what, 300);
  state_->problem_text += '\n';
}

std::string IndexBuilder::finish(const Sha256& digest) {
  Header header;
  index_magic.copy(header.magic.data(), header.magic.size());
  header.version = index_version;
  header.digest = digest;
  header.withdrawn = state_->withdrawn;
  header.problems = state_->problems;
  header.problem_text = state_->text(state_->problem_text);
  std::vector<PackageRow> packages;
  std::vector<EntryRow> entries;
  for (const auto& [key, rows] : state_->packages) {
    packages.push_back({state_->text(key), static_cast<std::uint32_t>(entries.size()),
                        static_cast<std::uint32_t>(rows.size())});
    entries.insert(entries.end(), rows.begin(), rows.end());
  }
  std::string bytes(sizeof(Header), '\0');
  header.packages = append(bytes, packages);
  header.entries = append(bytes, entries);
  header.intervals = append(bytes, state_->intervals);
  header.versions = append(bytes, state_->versions);
  header.advisories = append(bytes, state_->advisories);
  header.texts = {bytes.size(), state_->texts.size()};
  bytes += state_->texts;
  header.bytes = bytes.size();
  header.checksum = checksum_of(std::string_view(bytes).substr(sizeof(Header)));
  std::memcpy(bytes.data(), &header, sizeof(Header));
  state_ = std::make_unique<State>();
  return bytes;
}

}  // namespace vigil::entities::deps
