#pragma once
// Classes of mail, learned from examples: counts of words for each class, and Robinson's
// combination of them by Fisher's method (G. Robinson, "A Statistical Approach to the Spam
// Problem", Linux Journal 107, 2003), each class against all others. Bounded: words that were seen
// once and longest ago go first. Exact to undo, as long as no word was given up. Values; any
// thread.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace vigil::entities::comms {

struct Word {
  std::uint64_t hash;
  std::string_view text;  // into the features; of a pair its first half
  std::string_view second;
};
// The words of features (features.hpp), each once, and pairs of neighbours in running text; sorted
// by hash. The views are valid as long as `features` is.
std::vector<Word> words_in(std::string_view features);

class Triage {
 public:
  static constexpr std::size_t classes_max = 8;

  struct Limits {
    std::size_t words = 400'000;
    std::size_t messages = 50'000;  // that can be moved to another class, or undone
  };
  // Which words of a message are heard, and how far one is believed. The first three as bogofilter
  // (robs) and SpamBayes (minimum_prob_strength, max_discriminators) have them; `vigil-bench mail`
  // prints what comes out when they are chosen on other mails than those that are asked about.
  struct Hearing {
    double doubt = 0.0178;         // messages that an unseen word is worth
    double least_deviation = 0.1;  // words nearer to 0.5 say nothing
    std::size_t words = 150;       // the strongest of a message
    // Words about one side of how a mail is built (its headers, its hops) stand or fall together:
    // so many of each, or a mailing list would vouch for all that goes through it.
    std::size_t of_a_kind = 10;
  };
  struct Told {  // how strongly a word speaks
    std::string word;
    double share = 0.5;  // 1: only in mail of this class; 0: never in it
  };
  struct Verdict {
    std::string of_class;  // the likeliest; empty: nothing was learned yet
    double sure = 0;       // 0 to 1
    std::map<std::string, double> all;
    std::vector<Told> for_it, against_it;  // the strongest, at most 10 of each
  };

  Triage() = default;
  explicit Triage(Limits limits) : limits_(limits) {}

  // A message of that id is of that class. Known to be of another: that is undone first. Known to
  // be of this one: nothing changes. Fails for a ninth class.
  Result<void> learn(std::string_view id, std::string_view features, std::string_view of_class);
  // As if it had never been learned. False when it is not known.
  bool unlearn(std::string_view id, std::string_view features);
  Verdict classify(std::string_view features) const { return classify(features, Hearing{}); }
  Verdict classify(std::string_view features, const Hearing& hearing) const;

  std::string class_of(std::string_view id) const;  // empty: not learned
  std::map<std::string, std::uint32_t> messages() const;
  std::size_t words() const { return hashes_.size(); }

  // The bytes of a file; the same counts give the same bytes.
  std::string write() const;
  static Result<Triage> read(std::string_view bytes, Limits limits);

 private:
  struct Known {
    std::uint64_t id;
    std::uint32_t order;
    std::uint32_t of_class;
  };
  std::size_t class_at(std::string_view name) const;
  void add(const std::vector<Word>& words, std::size_t of_class);
  void take(const std::vector<Word>& words, std::size_t of_class);
  void age();
  std::vector<Told> strengths(const std::vector<Word>& words, std::size_t of_class,
                              const Hearing& hearing) const;

  Limits limits_;
  std::vector<std::string> classes_;
  std::vector<std::uint32_t> messages_;  // of each class
  std::vector<std::uint64_t> hashes_;    // sorted
  std::vector<std::uint32_t> counts_;    // classes_max of each word
  std::vector<std::uint32_t> seen_;      // when a word was last learned
  std::vector<Known> known_;             // sorted by id
  std::uint32_t clock_ = 0;              // counts what was learned
};

}  // namespace vigil::entities::comms
