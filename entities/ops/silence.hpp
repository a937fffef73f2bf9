#pragma once
// Matchers over labels, as Alertmanager writes them, and silences made of them. Pure; any thread.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/json.hpp"
#include "entities/ops/alert.hpp"

namespace vigil::entities::ops {

// severity="critical", service=~"api|web", env!=test, host!~"dev.*"; a regex matches the whole
// value, and a label that is not there is the empty text.
class Matcher {
 public:
  static Result<Matcher> parse(std::string_view text);
  bool matches(const Labels& labels) const;
  const std::string& text() const { return text_; }

 private:
  struct Pattern;  // a compiled regex
  std::string text_;
  std::string label_;
  std::string value_;
  bool negative_ = false;
  std::shared_ptr<const Pattern> pattern_;
};

using Matchers = std::vector<Matcher>;
Result<Matchers> parse_matchers(const std::vector<std::string>& texts);
bool all_match(const Matchers& matchers, const Labels& labels);

struct Silence {
  std::string id;  // empty: of the configuration
  Matchers match;
  std::optional<TimePoint> from;
  std::optional<TimePoint> until;
  std::string why;
  std::string by;
  bool holds(const Labels& labels, TimePoint now) const;
};
json::object to_json(const Silence& silence);
// A silence that was remembered; nothing when it cannot be read.
std::optional<Silence> silence_from_json(const json::value& value);

// What a person says: `ack [NOTE]`, `unack`, `resolve [NOTE]`, `silence MATCHER... for 2h [NOTE]`,
// `unsilence ID`, `note TEXT`. A leading slash does not matter.
struct Command {
  std::string verb;
  std::vector<std::string> matchers;
  std::optional<Duration> lasts;
  std::string note;
};
Result<Command> parse_command(std::string_view text);

}  // namespace vigil::entities::ops
