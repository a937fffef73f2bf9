#pragma once
// The contract of a guardian: the C++ behaviour behind an entity's kind. No I/O, no clock, no
// thread, no randomness: everything it may know comes in, everything it wants goes out (promise 6).
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entities/decision.hpp"

namespace vigil::entities {

// A read-only view of one entity's memory, from one snapshot, for one decision. Not thread-safe;
// what it returns is owned by the caller.
class Recollection {
 public:
  struct RememberedEpisode {
    TimePoint at;
    std::string kind;
    std::string text;
    json::value data;
  };
  struct RememberedFact {
    std::string key;
    json::value value;
    double confidence = 1.0;
    std::string provenance;
  };
  struct Found {
    std::string key;
    std::string title;
    std::string excerpt;
  };

  virtual ~Recollection() = default;
  virtual json::object case_state() const = 0;  // empty when the case is new
  virtual std::optional<RememberedFact> fact(const std::string& key) const = 0;
  virtual std::vector<RememberedFact> facts(const std::string& prefix, int limit = 100) const = 0;
  virtual std::vector<RememberedEpisode> episodes(
      int limit = 20) const = 0;  // of the case, newest first
  virtual std::vector<Found> search(const std::string& words, int limit = 10) const = 0;
  virtual std::optional<json::value> preference(const std::string& key) const = 0;
  virtual std::vector<RememberedFact> preferences(const std::string& prefix,
                                                  int limit = 100) const = 0;
};

// Which case an event belongs to, or why it does not matter.
struct Interest {
  bool relevant = false;
  std::string case_key;  // when relevant: "octo/repo#12"; at most 400 bytes
  std::string why;       // when not: one clause
  static Interest in(std::string case_key) { return {true, std::move(case_key), {}}; }
  static Interest none(std::string why) { return {false, {}, std::move(why)}; }
};

constexpr std::string_view settings_timer = "settings";

class Guardian {
 public:
  virtual ~Guardian() = default;
  // Cases that are there whether or not anything happened. After each start and each reload they
  // are woken by settings_timer; so are, at a reload, those that are not among them any more.
  virtual std::vector<std::string> standing_cases() const { return {}; }
  // Called before anything is remembered; from several threads at once.
  virtual Interest interest(const Event& event) const = 0;
  // Pure: same wake and recollection, same decision. From several threads at once. A throw is
  // retried with backoff, then the wake becomes a dead letter.
  virtual Decision decide(const Wake& wake, const Recollection& memory) const = 0;
};

}  // namespace vigil::entities
