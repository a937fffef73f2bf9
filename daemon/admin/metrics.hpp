#pragma once
// Numbers in the text format of Prometheus (version 0.0.4), and those of this process.
#include <cstdint>
#include <string>
#include <string_view>

namespace vigil::admin {

// Builds the text: each family with its HELP and TYPE, then its samples.
class Exposition {
 public:
  enum class Type { counter, gauge };
  void family(std::string_view name, Type type, std::string_view help);
  // A sample of the family begun last; `labels` as they stand between the braces, escaped already.
  void sample(double value, std::string_view labels = {});
  void counter(std::string_view name, std::string_view help, double value);
  void gauge(std::string_view name, std::string_view help, double value);
  std::string take() { return std::move(text_); }

 private:
  std::string name_;
  std::string text_;
};
// name="value", with what the format wants escaped.
std::string label(std::string_view name, std::string_view value);

struct ProcessNumbers {
  std::int64_t rss_bytes = 0;
  std::int64_t open_fds = 0;
  double cpu_seconds = 0;
};
ProcessNumbers read_process_numbers();

}  // namespace vigil::admin
