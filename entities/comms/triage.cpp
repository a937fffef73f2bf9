#include "entities/comms/triage.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "core/log.hpp"
#include "core/sorted.hpp"

namespace vigil::entities::comms {
namespace {

constexpr std::string_view magic = "vigil triage 1\n";

std::uint64_t hash_of(std::string_view a, std::string_view b) {
  // FNV-1a with 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/
  std::uint64_t hash = 14695981039346656037ULL;
  const auto mix = [&](std::string_view text) {
    for (const char c : text) {
      hash ^= static_cast<unsigned char>(c);
      hash *= 1099511628211ULL;
    }
  };
  mix(a);
  if (!b.empty()) {
    mix(" ");
    mix(b);
  }
  return hash;
}

// Q(chi2 | 2n degrees of freedom): how likely so much or more is by chance.
double chi_square_tail(double chi2, std::size_t n) {
  const double half = chi2 / 2;
  if (half > 700) return 0;
  double term = std::exp(-half);
  double sum = term;
  for (std::size_t i = 1; i < n; ++i) {
    term *= half / static_cast<double>(i);
    sum += term;
  }
  return std::min(sum, 1.0);
}

bool is_running_text(std::string_view word) {
  const auto colon = word.find(':');
  return colon == std::string_view::npos || word.starts_with("s:");
}

// "h" of h:x-mailer; empty for running text.
std::string_view kind_of(std::string_view word) {
  return is_running_text(word) ? std::string_view() : word.substr(0, word.find(':'));
}

template <class T>
void put(std::string& to, const T& value) {
  char bytes[sizeof(T)];
  std::memcpy(bytes, &value, sizeof(T));
  to.append(bytes, sizeof(T));
}
template <class T>
void put_all(std::string& to, const std::vector<T>& values) {
  put(to, static_cast<std::uint64_t>(values.size()));
  to.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
}

class Bytes {
 public:
  explicit Bytes(std::string_view left) : left_(left) {}

  template <class T>
  T one() {
    T value{};
    if (left_.size() < sizeof(T)) {
      bad_ = true;
      return value;
    }
    std::memcpy(&value, left_.data(), sizeof(T));
    left_.remove_prefix(sizeof(T));
    return value;
  }
  template <class T>
  std::vector<T> all() {
    const auto count = one<std::uint64_t>();
    if (bad_ || count > left_.size() / sizeof(T)) {
      bad_ = true;
      return {};
    }
    std::vector<T> out(count);
    std::memcpy(out.data(), left_.data(), count * sizeof(T));
    left_.remove_prefix(count * sizeof(T));
    return out;
  }
  bool whole() const { return !bad_ && left_.empty(); }

 private:
  std::string_view left_;
  bool bad_ = false;
};

}  // namespace

std::vector<Word> words_in(std::string_view features) {
  std::vector<Word> out;
  std::string_view before;
  while (!features.empty()) {
    const auto end = std::min(features.find(' '), features.size());
    const auto word = features.substr(0, end);
    features.remove_prefix(std::min(end + 1, features.size()));
    if (word.empty()) continue;
    out.push_back({hash_of(word, {}), word, {}});
    if (!is_running_text(word)) {
      before = {};
      continue;
    }
    if (!before.empty()) out.push_back({hash_of(before, word), before, word});
    before = word;
  }
  std::ranges::sort(out, {}, &Word::hash);
  const auto twice = std::ranges::unique(out, {}, &Word::hash);
  out.erase(twice.begin(), twice.end());
  return out;
}

std::size_t Triage::class_at(std::string_view name) const {
  return static_cast<std::size_t>(std::ranges::find(classes_, name) - classes_.begin());
}

std::string Triage::class_of(std::string_view id) const {
  const auto at = std::ranges::lower_bound(known_, hash_of(id, {}), {}, &Known::id);
  return at == known_.end() || at->id != hash_of(id, {}) ? "" : classes_[at->of_class];
}

std::map<std::string, std::uint32_t> Triage::messages() const {
  std::map<std::string, std::uint32_t> out;
  for (std::size_t i = 0; i < classes_.size(); ++i) out[classes_[i]] = messages_[i];
  return out;
}

void Triage::add(const std::vector<Word>& words, std::size_t of_class) {
  std::vector<std::uint64_t> hashes;
  std::vector<std::uint32_t> counts;
  std::vector<std::uint32_t> seen;
  const auto size = hashes_.size() + words.size();
  hashes.reserve(size);
  counts.reserve(size * classes_max);
  seen.reserve(size);
  std::size_t old = 0;
  const auto keep = [&] {
    hashes.push_back(hashes_[old]);
    seen.push_back(seen_[old]);
    const auto from = counts_.begin() + static_cast<std::ptrdiff_t>(old * classes_max);
    counts.insert(counts.end(), from, from + classes_max);
    ++old;
  };
  for (const auto& word : words) {
    while (old < hashes_.size() && hashes_[old] < word.hash) keep();
    if (old < hashes_.size() && hashes_[old] == word.hash) {
      keep();
    } else {
      hashes.push_back(word.hash);
      seen.push_back(0);
      counts.resize(counts.size() + classes_max);
    }
    seen.back() = clock_;
    ++counts[counts.size() - classes_max + of_class];
  }
  while (old < hashes_.size()) keep();
  hashes_ = std::move(hashes);
  counts_ = std::move(counts);
  seen_ = std::move(seen);
  ++messages_[of_class];
}

void Triage::take(const std::vector<Word>& words, std::size_t of_class) {
  for (const auto& word : words) {
    const auto at = std::ranges::lower_bound(hashes_, word.hash);
    if (at == hashes_.end() || *at != word.hash) continue;
    auto& count = counts_[static_cast<std::size_t>(at - hashes_.begin()) * classes_max + of_class];
    if (count > 0) --count;
  }
  // Words that nothing has any more are gone.
  std::size_t kept = 0;
  for (std::size_t i = 0; i < hashes_.size(); ++i) {
    const auto from = counts_.begin() + static_cast<std::ptrdiff_t>(i * classes_max);
    if (std::all_of(from, from + classes_max, [](auto count) { return count == 0; })) continue;
    hashes_[kept] = hashes_[i];
    seen_[kept] = seen_[i];
    std::copy(from, from + classes_max,
              counts_.begin() + static_cast<std::ptrdiff_t>(kept * classes_max));
    ++kept;
  }
  hashes_.resize(kept);
  seen_.resize(kept);
  counts_.resize(kept * classes_max);
  if (messages_[of_class] > 0) --messages_[of_class];
}

void Triage::age() {
  if (known_.size() > limits_.messages) {
    const auto oldest = std::ranges::min_element(known_, {}, &Known::order);
    known_.erase(oldest);
  }
  if (hashes_.size() <= limits_.words) return;
  // A tenth goes at once, so that this is rare: rarest first, then those unseen for longest.
  struct Rank {
    std::uint32_t count;
    std::uint32_t seen;
    std::size_t at;
    auto operator<=>(const Rank&) const = default;
  };
  std::vector<Rank> ranks;
  for (std::size_t i = 0; i < hashes_.size(); ++i) {
    std::uint32_t sum = 0;
    for (std::size_t c = 0; c < classes_max; ++c) sum += counts_[i * classes_max + c];
    ranks.push_back({std::min(sum, 3U), seen_[i], i});
  }
  const auto keep = limits_.words - limits_.words / 10;
  std::ranges::sort(ranks, std::greater{});
  ranks.resize(keep);
  std::ranges::sort(ranks, {}, &Rank::at);
  Triage next(limits_);
  for (const auto& rank : ranks) {
    next.hashes_.push_back(hashes_[rank.at]);
    next.seen_.push_back(seen_[rank.at]);
    const auto from = counts_.begin() + static_cast<std::ptrdiff_t>(rank.at * classes_max);
    next.counts_.insert(next.counts_.end(), from, from + classes_max);
  }
  hashes_ = std::move(next.hashes_);
  seen_ = std::move(next.seen_);
  counts_ = std::move(next.counts_);
}

Result<void> Triage::learn(std::string_view id, std::string_view features,
                           std::string_view of_class) {
  const auto known_as = class_of(id);
  if (known_as == of_class) return {};
  auto at = class_at(of_class);
  if (at == classes_.size()) {
    if (classes_.size() >= classes_max) {
      return fail(ErrorCode::full, fmt::format("there are {} classes already: {}", classes_max,
                                               fmt::join(classes_, ", ")));
    }
    classes_.emplace_back(of_class);
    messages_.push_back(0);
  }
  if (!known_as.empty()) (void)unlearn(id, features);  // it is known
  ++clock_;
  add(words_in(features), at);
  const auto hash = hash_of(id, {});
  const auto place = std::ranges::lower_bound(known_, hash, {}, &Known::id);
  known_.insert(place, {hash, clock_, static_cast<std::uint32_t>(at)});
  age();
  return {};
}

bool Triage::unlearn(std::string_view id, std::string_view features) {
  const auto hash = hash_of(id, {});
  const auto at = std::ranges::lower_bound(known_, hash, {}, &Known::id);
  if (at == known_.end() || at->id != hash) return false;
  const auto of_class = at->of_class;
  known_.erase(at);
  take(words_in(features), of_class);
  return true;
}

std::vector<Triage::Told> Triage::strengths(const std::vector<Word>& words, std::size_t of_class,
                                            const Hearing& hearing) const {
  std::uint64_t others = 0;
  for (std::size_t c = 0; c < classes_.size(); ++c) others += c == of_class ? 0 : messages_[c];
  const double own = std::max<double>(messages_[of_class], 1);
  const double rest = std::max<double>(static_cast<double>(others), 1);
  std::vector<Told> out;
  for (const auto& word : words) {
    const auto at = std::ranges::lower_bound(hashes_, word.hash);
    if (at == hashes_.end() || *at != word.hash) continue;
    const auto from = static_cast<std::size_t>(at - hashes_.begin()) * classes_max;
    double in_it = counts_[from + of_class];
    double in_rest = 0;
    for (std::size_t c = 0; c < classes_.size(); ++c) in_rest += counts_[from + c];
    in_rest -= in_it;
    const double seen = in_it + in_rest;
    const double share = in_it / own / (in_it / own + in_rest / rest);
    const double believed = (hearing.doubt * 0.5 + seen * share) / (hearing.doubt + seen);
    if (std::abs(believed - 0.5) < hearing.least_deviation) continue;
    auto text = std::string(word.text);
    if (!word.second.empty()) text += " " + std::string(word.second);
    out.push_back({std::move(text), believed});
  }
  sort_stably(out, [](const Told& a, const Told& b) {
    return std::abs(a.share - 0.5) > std::abs(b.share - 0.5);
  });
  return out;
}

Triage::Verdict Triage::classify(std::string_view features, const Hearing& hearing) const {
  Verdict out;
  const auto words = words_in(features);
  std::vector<Told> winning;
  double best_lean = 0;
  for (std::size_t c = 0; c < classes_.size(); ++c) {
    if (messages_[c] == 0) continue;
    auto told = strengths(words, c, hearing);
    double for_it = 0;
    double against_it = 0;
    std::size_t heard = 0;
    std::map<std::string_view, std::size_t> of_kind;
    for (const auto& one : told) {
      if (heard >= hearing.words) break;
      const auto kind = kind_of(one.word);
      if (!kind.empty() && ++of_kind[kind] > hearing.of_a_kind) continue;
      for_it += std::log(one.share);
      against_it += std::log1p(-one.share);
      ++heard;
    }
    const double not_chance = chi_square_tail(-2 * for_it, heard);
    const double not_other = chi_square_tail(-2 * against_it, heard);
    const double sure = heard == 0 ? 0.5 : (1 + not_chance - not_other) / 2;
    out.all[classes_[c]] = sure;
    // Where much speaks for a class and much against it both tails are nothing, and the test says
    // 0.5 of all of them: then the sum of what was said decides.
    const double lean = for_it - against_it;
    const bool tied = std::abs(sure - out.sure) < 1e-9;
    if (out.of_class.empty() || (tied ? lean > best_lean : sure > out.sure)) {
      best_lean = lean;
      out.of_class = classes_[c];
      out.sure = sure;
      winning = std::move(told);
    }
  }
  for (auto& one : winning) {
    auto& side = one.share > 0.5 ? out.for_it : out.against_it;
    if (side.size() < 10) side.push_back(std::move(one));
  }
  return out;
}

std::string Triage::write() const {
  std::string out(magic);
  put(out, static_cast<std::uint64_t>(classes_.size()));
  for (std::size_t c = 0; c < classes_.size(); ++c) {
    put(out, static_cast<std::uint64_t>(classes_[c].size()));
    out += classes_[c];
    put(out, messages_[c]);
  }
  put(out, clock_);
  put_all(out, hashes_);
  put_all(out, counts_);
  put_all(out, seen_);
  put_all(out, known_);
  return out;
}

Result<Triage> Triage::read(std::string_view bytes, Limits limits) {
  Triage out(limits);
  const auto wrong = [] {
    return fail(ErrorCode::invalid_input,
                "it was not written by comms.triage: name another file, or remove it to begin "
                "anew");
  };
  if (!bytes.starts_with(magic)) return wrong();
  Bytes from(bytes.substr(magic.size()));
  const auto classes = from.one<std::uint64_t>();
  if (classes > classes_max) return wrong();
  for (std::uint64_t c = 0; c < classes; ++c) {
    const auto name = from.all<char>();
    out.classes_.emplace_back(name.begin(), name.end());
    out.messages_.push_back(from.one<std::uint32_t>());
  }
  out.clock_ = from.one<std::uint32_t>();
  out.hashes_ = from.all<std::uint64_t>();
  out.counts_ = from.all<std::uint32_t>();
  out.seen_ = from.all<std::uint32_t>();
  out.known_ = from.all<Known>();
  const bool fits = from.whole() && out.counts_.size() == out.hashes_.size() * classes_max &&
                    out.seen_.size() == out.hashes_.size() && std::ranges::is_sorted(out.hashes_) &&
                    std::ranges::all_of(out.known_, [&](const Known& one) {
                      return one.of_class < out.classes_.size();
                    });
  if (!fits) return wrong();
  return out;
}

}  // namespace vigil::entities::comms
