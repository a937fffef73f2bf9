#pragma once
// What episodes come to: facts and preferences that count or quote what stands in them, each with
// the ids of the episodes it comes from. Nothing is guessed. Pure; any thread.
#include <string>
#include <string_view>
#include <vector>

#include "storage/memory.hpp"

namespace vigil::entities {

// Begins the key of everything that was gathered, so that no guardian takes it for its own:
//   seen:kind:KIND          how often there was such an episode, in how many cases
//   seen:text:KIND:DIGEST   what was said again and again, as it was said last
//   seen:usual:KIND:FIELD   the value that most episodes of the kind have there
constexpr std::string_view gathered_prefix = "seen:";
constexpr std::size_t gathered_least = 3;  // episodes; fewer are no habit
constexpr std::size_t gathered_max = 200;  // facts and preferences; the most frequent stay

struct Gathered {
  // What came of episodes in which a person said what they want is a preference.
  bool is_preference = false;
  std::string key;
  json::value value;
  double confidence = 0;         // that it goes on so: n of n + 1 after n times
  std::string provenance;        // "4 of 120 episodes: 17 19 23 31"
  Taint taint = Taint::trusted;  // the worst of its episodes'
  std::int64_t newest = 0;       // the last episode that speaks for it
};

// Kinds of episodes in which guardians keep what a person wanted.
bool is_of_people(std::string_view kind);

// The same episodes give the same, in order of keys; oldest episode first.
std::vector<Gathered> gather(const std::vector<storage::Episode>& episodes);

}  // namespace vigil::entities
