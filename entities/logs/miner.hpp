#pragma once
// Which statement of a program wrote a line: templates such as "Failed password for <*> from
// <address> port <number> ssh2", learned while lines stream by. A template begins as the masked
// line itself; when several differ in the same few words alone, those words are taken for values
// and the templates become one. Bounded: what was not seen for longest is forgotten.
#include <cstdint>
#include <list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/json.hpp"

namespace vigil::entities::logs {

struct MinerLimits {
  std::size_t templates_max = 4'000;
  std::size_t alike_max = 400;  // compared with, of those that begin the same
};

struct Template {
  std::uint64_t id = 0;
  std::vector<std::string> tokens;  // with marks
  std::uint64_t lines = 0;

  std::string text() const;  // for people
};

json::object to_json(const Template& pattern);

struct Seen {
  std::uint64_t id = 0;
  bool is_new = false;
  std::vector<std::uint64_t> absorbed;   // templates that are now this one
  std::vector<std::uint64_t> forgotten;  // templates that had to go
};

class Miner {
 public:
  explicit Miner(MinerLimits limits = {});

  Seen observe(std::string_view message);
  const Template* find(std::uint64_t id) const;
  std::size_t size() const { return templates_.size(); }
  // The least recently seen first.
  const std::list<std::uint64_t>& by_age() const { return by_age_; }

  json::array to_json() const;
  // Lenient: what is no template is left out. Ids stay the same.
  void load(const json::array& templates);

 private:
  struct Entry {
    Template pattern;
    std::vector<std::uint64_t> words;  // hashes of the tokens; 0 takes any
    std::string key;
    std::uint64_t alike = 0;  // which others begin the same
    std::uint64_t tail = 0;   // which others go on the same
    std::list<std::uint64_t>::iterator age;
  };

  Entry& add(std::vector<std::string> tokens, std::uint64_t id);
  Entry* find_matching(const std::vector<std::uint64_t>& words, std::uint64_t alike);
  Entry* find_open_begin(std::uint64_t tail);
  void merge_begins(Entry& entry, Seen& seen);
  void merge_alike(Entry& entry, Seen& seen);
  void absorb(Entry& into, const Entry& other);
  void remove(std::uint64_t id);
  void remember(const std::string& key, std::uint64_t id);

  MinerLimits limits_;
  std::uint64_t next_id_ = 1;
  std::unordered_map<std::uint64_t, Entry> templates_;
  std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> alike_;
  std::unordered_map<std::uint64_t, std::vector<std::uint64_t>> tails_;
  std::unordered_map<std::string, std::uint64_t> by_key_;  // of lines seen before
  std::list<std::uint64_t> by_age_;
};

}  // namespace vigil::entities::logs
