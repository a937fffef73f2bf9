// The Prometheus text format 0.0.4: blanks where they please, metadata where it pleases.
#include <algorithm>
#include <map>
#include <set>

#include "core/log.hpp"
#include "entities/ops/metrics_text.hpp"
#include "entities/ops/metrics_words.hpp"

namespace vigil::entities::ops {
namespace {

class Reader {
 public:
  Result<std::vector<Family>> read(std::string_view text) {
    while (!text.empty()) {
      ++number_;
      const auto end = text.find('\n');
      if (end == std::string_view::npos) {
        return refuse_line(number_, "the last line does not end: the scrape was cut off", text);
      }
      line_ = text.substr(0, end);
      text.remove_prefix(end + 1);
      if (line_.ends_with('\r')) line_.remove_suffix(1);
      if (auto read = read_line(); !read) return std::unexpected(read.error());
    }
    return std::move(families_);
  }

 private:
  std::unexpected<Error> refuse(std::string_view why) const {
    return refuse_line(number_, why, line_);
  }

  Family& family(const std::string& name) {
    const auto [found, is_new] = places_.try_emplace(name, families_.size());
    if (is_new) families_.push_back({name, "unknown", "", {}});
    return families_[found->second];
  }

  // The family that a sample belongs to: a_bucket to the histogram a.
  Family& family_of_sample(const std::string& name) {
    for (const std::string_view suffix : {"_bucket", "_count", "_sum"}) {
      if (!name.ends_with(suffix)) continue;
      const auto stem = name.substr(0, name.size() - suffix.size());
      const auto found = places_.find(stem);
      if (found == places_.end()) continue;
      auto& owner = families_[found->second];
      const bool histogram = owner.type == "histogram";
      if (histogram || (owner.type == "summary" && suffix != "_bucket")) return owner;
    }
    return family(name);
  }

  Result<void> read_line() {
    LineReader line(line_);
    line.skip_blanks();
    if (line.done()) return {};
    if (line.take('#')) return read_comment(line);
    return read_sample(line);
  }

  Result<void> read_comment(LineReader& line) {
    line.skip_blanks();
    const auto word = line.until(" \t");
    if (word != "HELP" && word != "TYPE") return {};
    line.skip_blanks();
    if (line.done()) return {};  // a comment as any other
    const std::string name(line.until(" \t"));
    if (!is_metric_name(name)) return refuse("this is no name of a metric");
    line.skip_blanks();
    if (line.done()) return {};
    if (word == "HELP") {
      if (!helped_.insert(name).second) return refuse("a second HELP of the same metric");
      family(name);
      return {};
    }
    std::string type(line.rest());
    while (type.ends_with(' ') || type.ends_with('\t')) type.pop_back();
    std::ranges::transform(type, type.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    constexpr std::string_view known = ",counter,gauge,histogram,summary,untyped,";
    if (type.empty() || known.find("," + type + ",") == std::string_view::npos) {
      return refuse("TYPE is counter, gauge, histogram, summary or untyped");
    }
    if (!typed_.insert(name).second) return refuse("a second TYPE of the same metric");
    auto& own = family(name);
    if (!own.samples.empty()) return refuse("TYPE comes before the samples");
    own.type = type == "untyped" ? "unknown" : type;
    return {};
  }

  Result<void> read_sample(LineReader& line) {
    Sample sample;
    sample.name = line.until(" \t{");
    if (!is_metric_name(sample.name)) return refuse("this is no name of a metric");
    line.skip_blanks();
    if (line.take('{')) {
      std::string why;
      auto labels = labels_in(line, LabelRules::lenient, why);
      if (!labels) return refuse(why);
      sample.labels = std::move(*labels);
    }
    line.skip_blanks();
    const auto value = metric_number(line.until(" \t"));
    if (!value) return refuse("the value is no number");
    sample.value = *value;
    line.skip_blanks();
    if (!line.done()) {
      const auto text = line.until(" \t");
      const auto digits = text.starts_with('-') ? text.substr(1) : text;
      const auto at = metric_number(text);
      if (!at || digits.find_first_not_of("0123456789") != std::string_view::npos) {
        return refuse("the time is no whole number of milliseconds");
      }
      sample.at = *at / 1000;
      line.skip_blanks();
      if (!line.done()) return refuse("there is more than a value and a time");
    }
    auto& own = family_of_sample(sample.name);
    for (const std::string name : {"quantile", "le"}) {
      const bool counts =
          (own.type == "summary" && name == "quantile" && sample.name == own.name) ||
          (own.type == "histogram" && name == "le" && sample.name != own.name);
      const auto found = sample.labels.find(name);
      if (counts && found != sample.labels.end() && !metric_number(found->second)) {
        return refuse("the label " + name + " is no number");
      }
    }
    own.samples.push_back(std::move(sample));
    return {};
  }

  std::size_t number_ = 0;
  std::string_view line_;
  std::vector<Family> families_;
  std::map<std::string, std::size_t> places_;
  std::set<std::string> helped_;
  std::set<std::string> typed_;
};

}  // namespace

Result<std::vector<Family>> parse_prometheus_text(std::string_view text) {
  return Reader().read(text);
}

}  // namespace vigil::entities::ops
