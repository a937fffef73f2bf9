#pragma once
// What a model may make of the episodes of a night, beside what is counted (consolidation.hpp): a
// question, and what of the answer stands. Each proposal names episodes it was shown and quotes
// words of each; one that does not is dropped. Pure; any thread.
#include <string>
#include <string_view>
#include <vector>

#include "entities/consolidation.hpp"
#include "swarm/plan.hpp"
#include "swarm/report.hpp"

namespace vigil::entities {

// Begins the key of everything that a model proposed, so that nobody takes it for counted, nor any
// guardian for its own.
constexpr std::string_view guessed_prefix = "guess:";
constexpr std::size_t episode_bytes_max = 1000;     // that are shown of one
constexpr std::size_t night_bytes_max = 64 * 1024;  // of all; the newest are shown

struct NightQuestion {
  swarm::Plan plan;  // one question, whose failure leaves everything as it is
  int shown = 0;
  int cut = 0;          // of those only the beginning
  int passed_over = 0;  // for which there was no room
};
// `episodes`: oldest first.
NightQuestion ask_about_night(const std::string& model,
                              const std::vector<storage::Episode>& episodes);

struct NightAnswer {
  std::string failed;  // why there is none
  std::vector<Gathered> kept;
  int proposed = 0;
  int unknown_episodes = 0;  // dropped: cites one that it was not shown, or none
  int invented_words = 0;    // dropped: an episode it cites holds none of what it quotes, or a
                             // quotation stands in none of them
  int bad_keys = 0;          // dropped: no name
  int dropped() const { return unknown_episodes + invented_words + bad_keys; }
};
// What is kept is untrusted, and a preference only when a person spoke in all it cites.
NightAnswer judge_night(const swarm::Plan& plan, const swarm::Report& report);

}  // namespace vigil::entities
