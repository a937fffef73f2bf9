#pragma once
// The wakes that are not decided yet, as the loop sees them: which case may be decided now, which
// wake becomes due when. An index over the `wake` table, rebuilt at start. Nothing is kept for a
// case without a wake. Loop thread only.
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/event.hpp"

namespace vigil::runtime {

struct Waiting {
  WakeId id;
  CaseId case_id;
  std::string entity;
  std::string source;  // of its first event; empty for other kinds
  TimePoint not_before;
  bool gathering = false;
  bool holds_case = false;  // a failed decision waits to be tried again: the case waits with it
  int attempts = 0;
  bool careful = false;  // an unclean stop left it behind: it may be what stopped the daemon
  std::vector<EventPtr> events;  // fresh ones at hand; the others are read from the journal
};

class Mailboxes {
 public:
  // A wake that was committed; one that is known already is updated (it gathers on). Beyond a
  // bound its events are not held in memory: the journal has them.
  void put(Waiting wake, TimePoint now);
  // The next wake to decide: cases in the order they became ready, one at a time per case. Wakes of
  // entities in `held` are left alone.
  std::optional<Waiting> take();
  // The decision of that case is over (committed, put back or buried): its next wake may go.
  void release(CaseId case_id);
  // A wake that was taken and is not to be decided yet.
  void put_back(Waiting wake, TimePoint now);
  // Wakes whose time has come, taken out: gathering ones must be closed before they are put again.
  std::vector<Waiting> take_due(TimePoint now);
  std::optional<TimePoint> next_due() const;
  // Wakes on events of that source that wait for their time or their turn, taken out. What is being
  // decided stays, and what an unclean stop left behind: that is decided with care.
  std::vector<Waiting> take_of(const std::string& source);

  // Holds add up: as many resumes set the entity free again.
  void hold(const std::string& entity);
  void resume(const std::string& entity);

  std::size_t ready() const { return ready_count_; }
  std::size_t waiting() const { return due_.size(); }
  // Does an entity or a source still have work here? For schedules' overlap rules.
  bool busy_with(const std::string& source) const;

 private:
  struct Box {
    bool deciding = false;
    bool queued = false;
    std::deque<Waiting> ready;
  };
  struct Held {
    int reasons = 0;
    std::vector<CaseId> cases;  // those whose turn came meanwhile
  };
  void queue(CaseId case_id, Box& box);

  std::unordered_map<CaseId, Box> boxes_;
  std::deque<CaseId> order_;
  std::multimap<TimePoint, Waiting> due_;
  std::unordered_map<WakeId, std::multimap<TimePoint, Waiting>::iterator> due_of_;
  std::unordered_map<std::string, Held> held_;
  std::unordered_map<std::string, int> deciding_of_source_;
  std::unordered_map<CaseId, std::string> source_of_deciding_;
  std::size_t ready_count_ = 0;
  std::size_t events_held_ = 0;
};

}  // namespace vigil::runtime
