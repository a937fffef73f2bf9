// How a detector is kept over a restart: eight-byte words, the lowest byte first, after a line that
// names the version. Doubles by their bits, so that not one is rounded.
#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "entities/series/detector.hpp"

namespace vigil::entities::series {
namespace {

constexpr std::string_view version = "vigil-series 1\n";

class Writer {
 public:
  Writer() : bytes_(version) {}
  void put(std::uint64_t word) {
    for (int shift = 0; shift < 64; shift += 8) bytes_ += static_cast<char>(word >> shift & 0xff);
  }
  void put(double value) { put(std::bit_cast<std::uint64_t>(value)); }
  std::string take() && { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// After the end everything is 0 and `is_whole` false.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}
  std::uint64_t word() {
    if (left_.size() < 8) {
      is_short_ = true;
      left_ = {};
      return 0;
    }
    std::uint64_t out = 0;
    for (std::size_t at = 8; at-- > 0;) out = out << 8 | static_cast<unsigned char>(left_[at]);
    left_.remove_prefix(8);
    return out;
  }
  double number() { return std::bit_cast<double>(word()); }
  std::uint32_t count() {  // what is too large becomes a count that nothing accepts
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(word(), UINT32_MAX));
  }
  bool is_whole() const { return !is_short_ && left_.empty(); }

 private:
  std::string_view left_;
  bool is_short_ = false;
};

void put(Writer& out, const Tail::State& tail) {
  out.put(std::uint64_t{tail.kept});
  out.put(std::uint64_t{tail.seen});
  out.put(std::uint64_t{tail.keep_largest ? 1U : 0U});
  for (std::size_t at = 0; at < tail.kept; ++at) out.put(tail.top[at]);
}

Tail::State tail_from(Reader& in) {
  Tail::State out;
  out.kept = in.count();
  out.seen = in.count();
  out.keep_largest = in.word() != 0;
  for (std::size_t at = 0; at < std::min<std::size_t>(out.kept, out.top.size()); ++at) {
    out.top[at] = in.number();
  }
  return out;
}

void put(Writer& out, const Season::State& season) {
  for (std::size_t at = 0; at < Season::slots; ++at) {
    out.put(season.mean[at]);
    out.put(std::uint64_t{season.count[at]});
  }
  out.put(season.overall);
  out.put(season.spread);
  out.put(season.seen);
}

Season::State season_from(Reader& in) {
  Season::State out;
  for (std::size_t at = 0; at < Season::slots; ++at) {
    out.mean[at] = in.number();
    out.count[at] = in.count();
  }
  out.overall = in.number();
  out.spread = in.number();
  out.seen = in.word();
  return out;
}

bool past_from(Reader& in, Past& past) {
  const auto seen = in.word();
  const double mean = in.number();
  const double step = in.number();
  std::vector<double> values(std::min<std::uint64_t>(seen, Past::values_max));
  for (double& value : values) value = in.number();
  return past.set_state(seen, values, mean, step);
}

}  // namespace

std::string Detector::save() const {
  Writer out;
  out.put(past_.seen());
  out.put(past_.usual_mean());
  out.put(past_.usual_step());
  for (const double value : past_.values()) out.put(value);
  put(out, season_.state());
  for (const auto& tail : tails_) put(out, tail.state());
  out.put(std::uint64_t{last_ ? 1U : 0U});
  out.put(std::bit_cast<std::uint64_t>(last_ ? to_unix_us(*last_) : std::int64_t{0}));
  out.put(lingering_);
  out.put(alarms_);
  out.put(alarm_times_);
  out.put(alarm_at_);
  out.put(quiet_until_);
  return std::move(out).take();
}

Result<Detector> Detector::restore(std::string_view bytes, double strictness) {
  const auto refuse = [] {
    return fail(ErrorCode::invalid_input,
                "this is no detector that was saved by this version: let it learn anew");
  };
  if (!bytes.starts_with(version)) return refuse();
  Reader in(bytes.substr(version.size()));
  Detector out(strictness);
  if (!past_from(in, out.past_) || !out.season_.set_state(season_from(in))) return refuse();
  for (auto& tail : out.tails_) {
    if (!tail.set_state(tail_from(in))) return refuse();
  }
  const bool has_last = in.word() != 0;
  const auto last = std::bit_cast<std::int64_t>(in.word());
  if (has_last) out.last_ = from_unix_us(last);
  out.lingering_ = in.number();
  out.alarms_ = in.number();
  out.alarm_times_ = in.number();
  out.alarm_at_ = in.word();
  out.quiet_until_ = in.word();
  const auto is_amount = [](double value) { return std::isfinite(value) && value >= 0; };
  if (!in.is_whole() || !is_amount(out.lingering_) || !is_amount(out.alarms_) ||
      !is_amount(out.alarm_times_) || out.alarm_at_ > out.past_.seen()) {
    return refuse();
  }
  return out;
}

}  // namespace vigil::entities::series
