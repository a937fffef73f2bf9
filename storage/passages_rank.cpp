// How well a passage answers: pure, over its stored words.
#include <algorithm>
#include <array>
#include <cmath>

#include "storage/slot_finder.hpp"

namespace vigil::storage {
namespace {

constexpr int pair_distance_max = 5;

struct Place {
  int at = 0;
  int slot = 0;
};

// What of the question stands where in a passage.
struct Seen {
  std::array<double, slots_max> frequency{};
  std::array<double, slots_max> best{};  // weight of the best that stands for the slot
  std::vector<Place> places;             // in their order
  double words = 0;
};

Seen look(std::string_view terms, const Finder& finder, const Ranking& ranking) {
  Seen seen;
  int at = 0;
  each_token(terms, [&](std::string_view token) {
    const bool part = token.starts_with('~');
    if (part) token.remove_prefix(1);
    if (!part) ++at;
    if (token == "-") return;
    seen.words += part ? ranking.part : 1;
    finder.each(token, [&](int slot, double weight) {
      const auto index = static_cast<std::size_t>(slot);
      const double counts = weight * (part ? ranking.part : 1);
      seen.frequency[index] += counts;
      seen.best[index] = std::max(seen.best[index], part ? std::max(counts, 0.7) : weight);
      seen.places.push_back({at, slot});
    });
  });
  return seen;
}

double pairs(const Seen& seen, const std::vector<Slot>& slots) {
  double sum = 0;
  int before = -1;
  for (std::size_t slot = 0; slot < std::min(slots.size(), slots_max); ++slot) {
    if (slots[slot].part) continue;
    const int here = static_cast<int>(slot);
    if (before >= 0) {
      int nearest = pair_distance_max + 1;
      for (const auto& a : seen.places) {
        if (a.slot != before) continue;
        for (const auto& b : seen.places) {
          if (b.slot == here && b.at != a.at) nearest = std::min(nearest, std::abs(b.at - a.at));
        }
      }
      if (nearest <= pair_distance_max) {
        sum +=
            std::min(slots[slot].weight, slots[static_cast<std::size_t>(before)].weight) / nearest;
      }
    }
    before = here;
  }
  return sum;
}

// The most of the question that stands within so many words.
double window(const Seen& seen, const std::vector<Slot>& slots, int words) {
  double most = 0;
  std::array<int, slots_max> count{};
  double sum = 0;
  std::size_t begin = 0;
  for (const auto& place : seen.places) {
    const auto slot = static_cast<std::size_t>(place.slot);
    if (count[slot]++ == 0) sum += slots[slot].weight * seen.best[slot];
    while (place.at - seen.places[begin].at > words) {
      const auto gone = static_cast<std::size_t>(seen.places[begin++].slot);
      if (--count[gone] == 0) sum -= slots[gone].weight * seen.best[gone];
    }
    most = std::max(most, sum);
  }
  return most;
}

}  // namespace

Scored score_of(const Text& text, const std::vector<Slot>& slots, const Ranking& ranking) {
  const Finder finder(slots);
  const auto seen = look(text.terms, finder, ranking);
  std::array<bool, slots_max> headed{};
  each_token(text.heads, [&](std::string_view token) {
    if (token.starts_with('~')) token.remove_prefix(1);
    finder.each(token, [&](int slot, double) { headed[static_cast<std::size_t>(slot)] = true; });
  });
  Scored out;
  out.every_word = true;
  double whole = 0;
  double covered = 0;
  const double norm =
      ranking.k1 * (1 - ranking.b + ranking.b * seen.words / std::max(text.words_mean, 1.0));
  for (std::size_t slot = 0; slot < std::min(slots.size(), slots_max); ++slot) {
    const auto& wanted = slots[slot];
    const double frequency = seen.frequency[slot];
    const double counts = wanted.part ? ranking.part : 1;
    if (frequency > 0) {
      out.score += counts * wanted.weight * frequency * (ranking.k1 + 1) / (frequency + norm);
    }
    if (headed[slot]) out.score += ranking.heading * counts * wanted.weight;
    if (wanted.part) continue;
    whole += wanted.weight;
    covered += wanted.weight * std::max(std::min(seen.best[slot], 1.0), headed[slot] ? 0.8 : 0.0);
    out.every_word = out.every_word && (frequency > 0 || headed[slot]);
  }
  out.coverage = whole > 0 ? covered / whole : 0;
  if (ranking.pair > 0) out.score += ranking.pair * pairs(seen, slots);
  if (ranking.window > 0) {
    out.score += ranking.window * window(seen, slots, ranking.window_words);
  }
  return out;
}

}  // namespace vigil::storage
