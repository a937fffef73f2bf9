#pragma once
// Plain BM25 (k1 1.2, b 0.75) over lower-case words, as the published figures are: what a ranking
// must beat. One thread.
#include <map>
#include <string>
#include <vector>

namespace vigil::bench {

class PlainBm25 {
 public:
  explicit PlainBm25(const std::vector<std::string>& texts);

  // The place of the text with that number, from 1.
  std::size_t rank(const std::string& question, std::size_t right);

 private:
  std::vector<std::map<std::string, double>> counts_;
  std::vector<double> lengths_;
  std::map<std::string, double> holding_;
  double mean_ = 1;
};

}  // namespace vigil::bench
