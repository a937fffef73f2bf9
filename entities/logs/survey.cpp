#include "entities/logs/survey.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/digest.hpp"
#include "core/json.hpp"
#include "entities/logs/survey_parts.hpp"

namespace vigil::entities::logs {
namespace {

constexpr std::size_t fresh_least = 6;       // stretches without it, before it is called new
constexpr std::size_t more_least = 4;        // stretches to know what is usual
constexpr double silent_usual = 7;           // so often that an absence is no chance (e^-7 < 0.1 %)
constexpr std::size_t silent_least = 10;     // stretches, all of them with it
constexpr std::size_t text_bytes_max = 300;  // of a kind, and of an example

double median_of(Counts& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return *middle;
}

Compared compare_latest(const Counts& counts) {
  return compare({counts.begin() + 1, counts.end()}, counts.front());
}

// What people have to look at first.
bool goes_before(const Kind& a, const Kind& b) {
  const bool a_usual = a.unlike == Unlike::nothing;
  const bool b_usual = b.unlike == Unlike::nothing;
  if (a_usual != b_usual) return b_usual;
  if (!a_usual && a.severity != b.severity) return a.severity > b.severity;
  if (a.count != b.count) return a.count > b.count;
  return a.text < b.text;
}

}  // namespace

void Surveyor::State::note_time(const Record& record) {
  if (!record.at) return;
  last = *record.at;
  if (!origin) origin = last;
  if (!out.begin || last < *out.begin) out.begin = last;
  if (!out.end || last > *out.end) out.end = last;
}

void Surveyor::State::note_kind(const Record& record, std::int32_t second) {
  const auto seen = miner.observe(record.message);
  for (const auto id : seen.forgotten) {
    out.forgotten += 1;
    told.erase(id);
  }
  auto& mine = told[seen.id];
  for (const auto id : seen.absorbed) {
    const auto other = told.extract(id);
    if (other.empty()) continue;
    auto& seconds = other.mapped().seconds;
    mine.seconds.insert(mine.seconds.end(), seconds.begin(), seconds.end());
    mine.severity = std::max(mine.severity, other.mapped().severity);
    mine.is_known = mine.is_known || other.mapped().is_known;
    add_counts(mine.kept, other.mapped().kept);
  }
  mine.seconds.push_back(second);
  mine.severity = std::max(mine.severity, record.severity);
  mine.example = to_valid_utf8(record.message.substr(0, text_bytes_max));
}

// The oldest stretch of the log is not whole, and is left out, or taken from what was kept.
Counts Surveyor::State::counts_of(const Seconds& seconds, const Counts& kept) const {
  Counts counts(out.stretches + 1);
  for (const auto second : seconds) {
    const auto at = origin ? *origin + std::chrono::seconds{second} : TimePoint{};
    const auto place =
        !out.end || at >= *out.end ? 0 : static_cast<std::size_t>((*out.end - at) / stretch);
    if (place <= own_stretches) ++counts[place];
  }
  for (std::size_t place = own_stretches + 1; place <= out.stretches; ++place) {
    const auto before = place - kept_shift;
    if (before < kept.size()) counts[place] = kept[before];
  }
  return counts;
}

void Surveyor::State::finish() {
  if (!out.begin) return;
  const auto whole = static_cast<std::size_t>((*out.end - *out.begin) / stretch);
  own_stretches = std::min(whole == 0 ? 0 : whole - 1, stretches_max);
  out.stretches = own_stretches;
  if (!kept_end || *kept_end > *out.end) return;
  kept_shift = static_cast<std::size_t>((*out.end - *kept_end + stretch / 2) / stretch);
  // Nobody knows what was between them: what was kept says nothing about how it is usually.
  if (kept_shift > own_stretches + 1) return;
  const auto kept_to = std::min(kept_stretches + kept_shift, stretches_max);
  out.stretches = std::max(out.stretches, kept_to);
}

Kind Surveyor::State::kind_of(const Template& of, const Told& told_of) const {
  const auto counts = counts_of(told_of.seconds, told_of.kept);
  const auto compared = compare_latest(counts);
  Kind kind;
  kind.text = to_valid_utf8(of.text().substr(0, text_bytes_max));
  kind.id = to_hex(as_bytes(sha256(kind.text))).substr(0, 12);
  kind.example = told_of.example;
  kind.severity = told_of.severity;
  kind.count = told_of.seconds.size();
  kind.latest = counts.front();
  kind.usual = compared.usual;
  kind.unlike = compared.unlike;
  if (told_of.is_known && kind.unlike == Unlike::fresh) kind.unlike = Unlike::nothing;
  return kind;
}

Surveyor::Surveyor(Duration stretch, TimePoint now)
    : state_(new State{.stretch = stretch, .now = now}) {}
Surveyor::~Surveyor() = default;

void Surveyor::take(std::string_view line) {
  auto& state = *state_;
  const auto record = read_record(line, state.now);
  if (!record) {
    if (!line.empty()) ++state.out.continued;
    return;
  }
  ++state.out.messages;
  state.note_time(*record);
  using Limits = std::numeric_limits<std::int32_t>;
  const auto since =
      state.origin ? std::chrono::floor<std::chrono::seconds>(state.last - *state.origin).count()
                   : 0;
  const auto second =
      static_cast<std::int32_t>(std::clamp<std::int64_t>(since, Limits::min(), Limits::max()));
  state.by_severity[static_cast<std::size_t>(record->severity)].push_back(second);
  state.note_kind(*record, second);
}

Survey Surveyor::end() && {
  auto& state = *state_;
  auto& out = state.out;
  state.finish();
  for (const auto& [id, told] : state.told) {
    const auto* of = state.miner.find(id);
    if (of == nullptr) continue;
    auto kind = state.kind_of(*of, told);
    // What only an earlier log had is told when its silence is.
    if (kind.count > 0 || kind.unlike != Unlike::nothing) out.kinds.push_back(std::move(kind));
  }
  std::ranges::sort(out.kinds, goes_before);
  for (std::size_t at = 0; at < severities; ++at) {
    const auto counts = state.counts_of(state.by_severity[at], state.kept_by_severity[at]);
    out.latest[at] = counts.front();
    if (static_cast<Severity>(at) != Severity::error) continue;
    const auto compared = compare_latest(counts);
    out.usual_errors = compared.usual;
    if (compared.unlike == Unlike::more) out.errors = Unlike::more;
  }
  return std::move(out);
}

std::string_view to_text(Unlike unlike) {
  constexpr std::array<std::string_view, 4> names{"", "new", "more", "silent"};
  return names[static_cast<std::size_t>(unlike)];
}

// Counts of independent messages scatter by the root of their mean; those of bursts by more, which
// the spread of the past shows. What was reached before is not unusual.
Compared compare(std::vector<std::uint32_t> past, std::uint64_t latest) {
  Compared out;
  if (past.empty()) return out;
  const auto most = std::ranges::max(past);
  const auto with =
      static_cast<std::size_t>(std::ranges::count_if(past, [](auto count) { return count > 0; }));
  out.usual = median_of(past);
  if (with == 0) {
    if (past.size() >= fresh_least && latest > 0) out.unlike = Unlike::fresh;
    return out;
  }
  if (latest == 0) {
    const bool always = with == past.size() && past.size() >= silent_least;
    if (always && out.usual >= silent_usual) out.unlike = Unlike::silent;
    return out;
  }
  if (past.size() < more_least) return out;
  for (auto& count : past) {
    count = static_cast<std::uint32_t>(std::abs(static_cast<double>(count) - out.usual));
  }
  const double spread = std::max(1.4826 * median_of(past), std::sqrt(std::max(out.usual, 1.0)));
  const auto now = static_cast<double>(latest);
  if (now > out.usual + 5 * spread + 3 && now > 1.5 * most) out.unlike = Unlike::more;
  return out;
}

}  // namespace vigil::entities::logs
