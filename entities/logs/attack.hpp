#pragma once
// Which lines of a log tell of somebody who tries to get in, and from where. A line names a host
// only where the service itself wrote it; when it is not certain, the line is left. Bounded.
#include <deque>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "entities/logs/attack_rules.hpp"
#include "entities/logs/line.hpp"
#include "entities/logs/record.hpp"

namespace vigil::entities::logs {

struct Attack {
  std::string_view service;
  std::string_view kind;
  std::string host;  // an address or a name
  std::optional<LineTime> time;
};

class AttackFinder {
 public:
  // Looks for one service alone, or for all of them when it is empty.
  explicit AttackFinder(std::string_view service = {}) : service_(service) {}

  // Lines in their order, since a later one may say what an earlier one was.
  std::optional<Attack> observe(std::string_view line, TimePoint now);

 private:
  struct Session {
    std::string host;
    bool is_suspect = false;
  };
  std::optional<Attack> in_record(const Record& record, TimePoint now);
  std::optional<Attack> find_in(std::string_view text, const Line& parts,
                                const std::string& session);
  std::optional<Attack> by_rules(std::string_view text, const Line& line,
                                 const std::string& session);
  std::optional<Attack> judge(const AttackRule& rule, std::string host, std::string session);
  bool is_asked(std::string_view service) const { return service_.empty() || service_ == service; }
  Session& session_of(const std::string& key);

  std::string service_;
  std::optional<LineTime> last_time_;
  bool is_over_ = false;  // this line: a rule said what it is
  std::unordered_map<std::string, Session> sessions_;
  std::deque<std::string> session_order_;
};

// Every service there are rules for.
std::vector<std::string_view> attack_services();

// Hosts with at least `attacks_min` attacks within `window`.
class AttackWindows {
 public:
  struct Limits {
    std::size_t attacks_min = 5;
    Duration window = std::chrono::minutes{10};
    std::size_t hosts_max = 10'000;  // those quiet for longest are forgotten
  };
  struct Host {
    std::string host;
    std::uint64_t attacks = 0;
    std::size_t most = 0;  // within one window
    TimePoint first;
    TimePoint last;
    std::map<std::string, std::uint64_t, std::less<>> kinds;  // "sshd login"
  };
  explicit AttackWindows(Limits limits) : limits_(limits) {}

  void add(const Attack& attack, TimePoint at);
  // The busiest first.
  std::vector<Host> over_limit() const;
  std::size_t hosts() const { return hosts_.size(); }

 private:
  struct Entry {
    Host host;
    std::deque<TimePoint> recent;
    std::uint64_t touched = 0;
  };
  void forget_some();

  Limits limits_;
  std::uint64_t touches_ = 0;
  std::unordered_map<std::string, Entry> hosts_;
};

}  // namespace vigil::entities::logs
