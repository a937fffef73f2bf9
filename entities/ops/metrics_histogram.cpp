#include "entities/ops/metrics_histogram.hpp"

#include <cmath>

#include "entities/ops/metrics_words.hpp"

namespace vigil::entities::ops {
namespace {

struct Tally {
  std::optional<double> bound;  // of the last bucket
  double value = 0;             // of the last bucket
  std::optional<double> count;
  bool has_sum = false;
  bool has_negative_bound = false;
  bool has_negative_gauge_sum = false;
  bool is_gauge = false;

  std::string_view mistake() const {
    if (!bound || !std::isinf(*bound)) return "a histogram needs the bucket le=\"+Inf\"";
    if (count && *count != value) return "the count is not that of the bucket +Inf";
    if (has_sum && !count) return "a histogram with a sum needs a count";
    if (count && !has_sum) return "a histogram with a count needs a sum";
    if (has_negative_bound && has_sum && !is_gauge) return "a sum of negative values may go down";
    if (!has_negative_bound && has_negative_gauge_sum) {
      return "a sum cannot be negative without negative buckets";
    }
    return {};
  }

  std::string_view take(std::string_view suffix, const Sample& sample) {
    if (suffix == "_bucket") {
      const double next = metric_number(sample.labels.at("le")).value_or(0);
      if (next < 0) has_negative_bound = true;
      if (bound && next <= *bound) return "the buckets are not in order";
      if (bound && sample.value < value) return "a bucket counts less than the one before it";
      bound = next;
      value = sample.value;
    } else if (suffix == "_count" || suffix == "_gcount") {
      count = sample.value;
    } else if (suffix == "_sum" || suffix == "_gsum") {
      has_sum = true;
      is_gauge = suffix == "_gsum";
      has_negative_gauge_sum = is_gauge && sample.value < 0;
    }
    return {};
  }
};

}  // namespace

Labels group_of(const Family& family, const Sample& sample) {
  if (family.type == "info") return {};  // its labels are its value
  auto labels = sample.labels;
  const auto suffix = std::string_view(sample.name).substr(family.name.size());
  if (family.type == "summary" && suffix.empty()) labels.erase("quantile");
  if (family.type == "stateset") labels.erase(family.name);
  if (suffix == "_bucket") labels.erase("le");
  return labels;
}

std::string_view histogram_mistake(const Family& family) {
  std::optional<Labels> group;
  std::optional<double> at;
  Tally tally;
  for (const auto& sample : family.samples) {
    auto own = group_of(family, sample);
    if (!group || own != *group || sample.at != at) {
      if (group) {
        if (const auto why = tally.mistake(); !why.empty()) return why;
      }
      tally = {};
      group = std::move(own);
      at = sample.at;
    }
    const auto suffix = std::string_view(sample.name).substr(family.name.size());
    if (const auto why = tally.take(suffix, sample); !why.empty()) return why;
  }
  return group ? tally.mistake() : std::string_view{};
}

}  // namespace vigil::entities::ops
