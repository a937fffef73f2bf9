#include "bench/plain_bm25.hpp"

#include <cctype>
#include <cmath>

namespace vigil::bench {
namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> out;
  bool open = false;
  for (const char c : text) {
    const bool letter = std::isalnum(static_cast<unsigned char>(c)) != 0 || (c & 0x80) != 0;
    if (letter && !open) out.emplace_back();
    if (letter) out.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    open = letter;
  }
  return out;
}

}  // namespace

PlainBm25::PlainBm25(const std::vector<std::string>& texts) {
  double words = 0;
  for (const auto& text : texts) {
    auto& counts = counts_.emplace_back();
    for (const auto& word : words_of(text)) ++counts[word];
    lengths_.push_back(0);
    for (const auto& [word, count] : counts) {
      words += count;
      lengths_.back() += count;
      ++holding_[word];
    }
  }
  mean_ = words / static_cast<double>(texts.size());
}

std::size_t PlainBm25::rank(const std::string& question, std::size_t right) {
  std::vector<double> scores(counts_.size());
  const auto all = static_cast<double>(counts_.size());
  for (const auto& word : words_of(question)) {
    const auto holding = holding_.contains(word) ? holding_[word] : 0;
    const double weight = std::log(1 + (all - holding + 0.5) / (holding + 0.5));
    for (std::size_t at = 0; at < counts_.size(); ++at) {
      const auto found = counts_[at].find(word);
      if (found == counts_[at].end()) continue;
      const double norm = 1.2 * (0.25 + 0.75 * lengths_[at] / mean_);
      scores[at] += weight * found->second * 2.2 / (found->second + norm);
    }
  }
  std::size_t rank = 1;
  for (std::size_t at = 0; at < scores.size(); ++at) {
    if (scores[at] > scores[right] || (scores[at] == scores[right] && at < right)) ++rank;
  }
  return rank;
}

}  // namespace vigil::bench
