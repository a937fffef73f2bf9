// OpenMetrics 1.0: one way to write each thing, families in one piece, histograms that add up.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <span>

#include "core/log.hpp"
#include "entities/ops/metrics_histogram.hpp"
#include "entities/ops/metrics_text.hpp"
#include "entities/ops/metrics_words.hpp"

namespace vigil::entities::ops {
namespace {

constexpr std::size_t exemplar_characters_max = 128;

// What may stand behind a family's name in those of its samples.
std::span<const std::string_view> suffixes_of(std::string_view type) {
  static constexpr std::string_view counter[] = {"_total", "_created"};
  static constexpr std::string_view summary[] = {"", "_count", "_sum", "_created"};
  static constexpr std::string_view histogram[] = {"_bucket", "_count", "_sum", "_created"};
  static constexpr std::string_view gauge_histogram[] = {"_bucket", "_gcount", "_gsum"};
  static constexpr std::string_view info[] = {"_info"};
  static constexpr std::string_view plain[] = {""};
  if (type == "counter") return counter;
  if (type == "summary") return summary;
  if (type == "histogram") return histogram;
  if (type == "gaugehistogram") return gauge_histogram;
  if (type == "info") return info;
  return plain;
}

bool is_type(std::string_view word) {
  constexpr std::string_view known =
      ",counter,gauge,histogram,gaugehistogram,summary,info,stateset,unknown,";
  return !word.empty() && word.find(',') == std::string_view::npos &&
         known.find("," + std::string(word) + ",") != std::string_view::npos;
}

std::size_t characters_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80; }));
}

class Reader {
 public:
  Result<std::vector<Family>> read(std::string_view text) {
    bool ended = false;
    while (!text.empty()) {
      ++number_;
      const auto end = text.find('\n');
      line_ = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      if (ended) return refuse("there is something behind # EOF");
      if (line_ == "# EOF") {
        ended = true;
        continue;
      }
      if (end == std::string_view::npos) return refuse("the last line is not # EOF");
      if (auto read = read_line(); !read) return std::unexpected(read.error());
    }
    if (!ended) {
      return fail(ErrorCode::invalid_input, "it does not end with # EOF: the scrape was cut off");
    }
    if (auto kept = keep_family(); !kept) return std::unexpected(kept.error());
    return std::move(families_);
  }

 private:
  std::unexpected<Error> refuse(std::string_view why) const {
    return refuse_line(number_, why, line_);
  }

  Result<void> read_line() {
    if (line_.empty()) return refuse("there are no blank lines in OpenMetrics");
    return line_.starts_with('#') ? read_metadata() : read_sample();
  }

  void begin(std::string name) {
    own_ = Family{std::move(name), "unknown", "", {}};
    open_ = true;
    has_type_ = has_unit_ = has_help_ = false;
    group_.reset();
    seen_groups_.clear();
  }

  Result<void> read_metadata() {
    LineReader line(line_);
    if (!line.take("# ")) return refuse("a line that begins with # is # TYPE, # HELP or # UNIT");
    const auto word = line.until(" ");
    if (!line.take(' ')) return refuse("there is no name behind it");
    const std::string name(line.until(" "));
    if (!is_metric_name(name)) return refuse("this is no name of a metric");
    if (!line.take(' ')) return refuse("there is nothing behind the name");
    if (!open_ || own_.name != name) {
      if (auto kept = keep_family(); !kept) return kept;
      begin(name);
    }
    if (!own_.samples.empty()) return refuse("metadata comes before the samples");
    bool* has = word == "TYPE" ? &has_type_ : word == "UNIT" ? &has_unit_ : &has_help_;
    if (word != "TYPE" && word != "UNIT" && word != "HELP") {
      return refuse("a line that begins with # is # TYPE, # HELP or # UNIT");
    }
    if (*has) return refuse("the same metadata stands twice");
    *has = true;
    if (word == "TYPE") {
      if (!is_type(line.rest())) return refuse("this is no type of OpenMetrics");
      own_.type = line.rest();
    } else if (word == "UNIT") {
      own_.unit = line.rest();
    }
    return {};
  }

  // The family is whole: its names are its own, its histograms add up.
  Result<void> keep_family() {
    if (!open_) return {};
    open_ = false;
    if (!own_.unit.empty()) {
      if (!own_.name.ends_with("_" + own_.unit)) {
        return refuse("before it: the name of a metric ends with its unit");
      }
      if (own_.type == "info" || own_.type == "stateset") {
        return refuse("before it: such a metric has no unit");
      }
    }
    std::vector<std::string> names{own_.name};
    for (const auto suffix : suffixes_of(own_.type)) {
      if (!suffix.empty()) names.push_back(own_.name + std::string(suffix));
    }
    for (const auto& name : names) {
      if (names_.contains(name)) return refuse("before it: two metrics have the name " + name);
    }
    names_.insert(names.begin(), names.end());
    if (own_.type == "histogram" || own_.type == "gaugehistogram") {
      if (const auto why = histogram_mistake(own_); !why.empty()) {
        return refuse("before it: " + std::string(why));
      }
    }
    families_.push_back(std::move(own_));
    return {};
  }

  bool is_own(std::string_view sample) const {
    if (!open_ || !sample.starts_with(own_.name)) return false;
    const auto suffixes = suffixes_of(own_.type);
    return std::ranges::find(suffixes, sample.substr(own_.name.size())) != suffixes.end();
  }

  Result<void> read_sample() {
    LineReader line(line_);
    Sample sample;
    sample.name = line.until(" {");
    if (!is_metric_name(sample.name)) return refuse("this is no name of a metric");
    std::string why;
    if (line.take('{')) {
      auto labels = labels_in(line, LabelRules::strict, why);
      if (!labels) return refuse(why);
      sample.labels = std::move(*labels);
    }
    if (!line.take(' ')) return refuse("one blank stands before the value");
    const auto value = metric_number(line.until(" "));
    if (!value) return refuse("the value is no number");
    sample.value = *value;
    bool exemplar = false;
    if (line.take(' ')) {
      if (line.next() != '#') {
        const auto at = metric_number(line.until(" "));
        if (!at || !std::isfinite(*at)) return refuse("the time is no number of seconds");
        sample.at = at;
        if (!line.done() && !line.take(' ')) return refuse("one blank stands behind the time");
        if (line.done() && line_.ends_with(' ')) return refuse("there is a blank at the end");
      }
      if (!line.done()) {
        exemplar = true;
        if (!is_exemplar(line)) return refuse("this is no exemplar");
      } else if (line_.ends_with(' ')) {
        return refuse("there is a blank at the end");
      }
    }
    if (!is_own(sample.name)) {
      if (auto kept = keep_family(); !kept) return kept;
      begin(sample.name);
    }
    if (auto fits = check(sample, exemplar); !fits) return fits;
    return keep(std::move(sample));
  }

  static bool is_exemplar(LineReader& line) {
    std::string why;
    if (!line.take("# {")) return false;
    const auto labels = labels_in(line, LabelRules::strict, why);
    if (!labels || !line.take(' ')) return false;
    std::size_t characters = 0;
    for (const auto& [name, value] : *labels) characters += name.size() + characters_of(value);
    if (characters > exemplar_characters_max || !metric_number(line.until(" "))) return false;
    if (line.done()) return true;
    if (!line.take(' ')) return false;
    const auto at = metric_number(line.until(" "));
    return at && std::isfinite(*at) && line.done();
  }

  Result<void> check(const Sample& sample, bool exemplar) const {
    const auto suffix = std::string_view(sample.name).substr(own_.name.size());
    const auto& type = own_.type;
    const auto number_in = [&](const char* label) {
      const auto found = sample.labels.find(label);
      auto number = found == sample.labels.end() ? std::nullopt : metric_number(found->second);
      // The one number whose spelling decides which series it is.
      if (number && std::isinf(*number) && found->second != "+Inf") number.reset();
      return number.value_or(std::numeric_limits<double>::quiet_NaN());
    };
    if (suffix == "_bucket" && std::isnan(number_in("le"))) {
      return refuse("a bucket needs the label le with a number");
    }
    if (type == "summary" && suffix.empty()) {
      const auto quantile = number_in("quantile");
      if (!(quantile >= 0 && quantile <= 1)) return refuse("a quantile is between 0 and 1");
      if (sample.value < 0) return refuse("the value of a quantile is not negative");
    }
    if (type == "stateset") {
      if (!sample.labels.contains(own_.name)) return refuse("a state needs the label of its name");
      if (sample.value != 0 && sample.value != 1) return refuse("a state is 0 or 1");
    }
    if (type == "info" && sample.value != 1) return refuse("the value of an info is 1");
    constexpr std::string_view counts = ",_total,_sum,_count,_bucket,_gcount,";
    const bool counting = !suffix.empty() && type != "unknown" && type != "gauge" &&
                          counts.find("," + std::string(suffix) + ",") != std::string_view::npos;
    if ((counting || suffix == "_gsum") && std::isnan(sample.value)) {
      return refuse("what counts is a number");
    }
    if (counting && sample.value < 0) return refuse("what counts is not negative");
    const bool may = (suffix == "_bucket" && type.ends_with("histogram")) ||
                     (suffix == "_total" && type == "counter");
    if (exemplar && !may) return refuse("only counters and buckets have exemplars");
    return {};
  }

  // Samples of one set of labels stand together, with times that do not go back.
  Result<void> keep(Sample sample) {
    auto group = group_of(own_, sample);
    if (group_ && group != *group_ && seen_groups_.contains(group)) {
      return refuse("the samples of one set of labels stand together");
    }
    if (group_ && group == *group_) {
      if (sample.at.has_value() != group_at_.has_value()) {
        return refuse("some samples of these labels have a time, some have none");
      }
      if (sample.at && *sample.at < *group_at_ && own_.type != "info") {
        return refuse("the times of these labels go back");
      }
    }
    seen_groups_.insert(group);
    group_ = std::move(group);
    group_at_ = sample.at;
    own_.samples.push_back(std::move(sample));
    return {};
  }

  std::size_t number_ = 0;
  std::string_view line_;
  std::vector<Family> families_;
  std::set<std::string> names_;
  Family own_;
  bool open_ = false;
  bool has_type_ = false;
  bool has_unit_ = false;
  bool has_help_ = false;
  std::optional<Labels> group_;
  std::optional<double> group_at_;
  std::set<Labels> seen_groups_;
};

}  // namespace

Result<std::vector<Family>> parse_openmetrics(std::string_view text) { return Reader().read(text); }

Result<std::vector<Family>> parse_metrics(std::string_view text) {
  if (!text.ends_with("# EOF\n") && !text.ends_with("# EOF")) return parse_prometheus_text(text);
  auto open = parse_openmetrics(text);
  if (open) return open;
  auto older = parse_prometheus_text(text);  // to which "# EOF" is a comment
  return older ? std::move(older) : std::move(open);
}

}  // namespace vigil::entities::ops
