// Streams of JSON lines: `go test -json` and `dart test --reporter json`. Lines that are no JSON
// are what programs printed between; a test without an end is one that took the run down with it.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <map>
#include <unordered_map>

#include "entities/ci/report_parts.hpp"

namespace vigil::entities::ci {
namespace {

constexpr std::size_t running_max = 50'000;
constexpr std::size_t output_bytes_max = 16 * 1024;
constexpr std::size_t all_output_bytes_max = 64 * 1024 * 1024;

template <class Take>
void each_event(std::string_view text, ReportBuilder& into, Take take) {
  while (!text.empty() && !into.full()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const auto body = trimmed(line);
    if (body.empty()) continue;
    const auto event =
        body.starts_with('{') ? parse_json(body) : fail(ErrorCode::invalid_input, "");
    if (event) {
      take(*event);
    } else {
      into.pass_over_line();
    }
  }
  if (!text.empty()) into.cut();
}

class GoStream {
 public:
  explicit GoStream(ReportBuilder& into) : into_(into) {}

  void take(const json::value& event) {
    const auto action = find_text(event, "Action").value_or("");
    Key key{text_at(event, "Package"), text_at(event, "Test")};
    if (key.first.empty()) key.first = text_at(event, "ImportPath");
    if (action == "output" || action == "build-output") {
      hear(key, find_text(event, "Output").value_or(""));
    } else if (action == "run" || action == "start") {
      if (running_.size() >= running_max) return into_.cut();
      running_[key].begun = true;
    } else if (action == "pass" || action == "fail" || action == "skip") {
      end(key, action, find_number(event, "Elapsed"));
    }
  }

  // What still runs when the stream ends had no end. Go loses the ends of sub-tests of a test
  // that passed (golang/go#40771): those passed with it.
  void close() {
    for (auto& [key, running] : running_) {
      if (key.second.empty()) continue;
      TestCase test = named(key);
      const auto root = key.second.substr(0, key.second.find('/'));
      const auto ended = ended_.find({key.first, root});
      const bool sub = key.second != root;
      if (!running.begun && running.output.empty()) continue;
      if (sub && ended != ended_.end() && ended->second == Outcome::passed) {
        test.outcome = Outcome::passed;
      } else {
        test.outcome = Outcome::failed;
        test.stack = std::move(running.output);
        test.message = panic_in(test.stack);
        if (test.message.empty()) test.message = "it did not end: the run broke off in it";
        failed_packages_.insert_or_assign(key.first, true);
      }
      into_.add(std::move(test));
    }
    for (auto& broken : broken_) {
      if (!failed_packages_.contains(broken.suite)) into_.add_outside(std::move(broken));
    }
  }

 private:
  using Key = std::pair<std::string, std::string>;
  struct Running {
    bool begun = false;
    std::string output;
  };

  static TestCase named(const Key& key) {
    TestCase test;
    test.suite = key.first;
    test.name = key.second;
    return test;
  }

  static std::string panic_in(std::string_view output) {
    const auto at = output.find("panic: ");
    return at == std::string_view::npos ? "" : std::string(first_line_of(output.substr(at)));
  }

  // The lines Go writes about a test are no part of what the test said.
  static bool is_frame(std::string_view line) {
    const auto text = trimmed(line);
    return text.starts_with("=== ") || text.starts_with("--- ");
  }

  void hear(const Key& key, std::string_view text) {
    if (is_frame(text)) return;
    const auto found = running_.find(key);
    if (found == running_.end() && running_.size() >= running_max) return into_.cut();
    auto& output = found == running_.end() ? running_[key].output : found->second.output;
    const auto room = std::min(output_bytes_max - std::min(output.size(), output_bytes_max),
                               all_output_bytes_max - std::min(heard_, all_output_bytes_max));
    output += text.substr(0, room);
    heard_ += std::min(room, text.size());
  }

  void end(const Key& key, std::string_view action, std::optional<double> elapsed) {
    Running running;
    if (const auto found = running_.find(key); found != running_.end()) {
      running = std::move(found->second);
      running_.erase(found);
      heard_ -= std::min(heard_, running.output.size());
    }
    TestCase test = named(key);
    test.outcome = action == "pass"   ? Outcome::passed
                   : action == "fail" ? Outcome::failed
                                      : Outcome::skipped;
    if (elapsed) test.duration = seconds_from(*elapsed);
    if (test.outcome != Outcome::passed) test.stack = std::move(running.output);
    if (key.second.empty()) {
      if (action == "fail" && broken_.size() < running_max) broken_.push_back(std::move(test));
      return;
    }
    if (test.outcome == Outcome::failed) {
      failed_packages_.insert_or_assign(key.first, true);
      test.message = panic_in(test.stack);
    }
    if (ended_.size() < cases_max) ended_.insert_or_assign(key, test.outcome);
    into_.add(std::move(test));
  }

  ReportBuilder& into_;
  std::map<Key, Running> running_;
  std::map<Key, Outcome> ended_;
  std::map<std::string, bool> failed_packages_;
  std::vector<TestCase> broken_;  // packages that failed; told when no test of theirs did
  std::size_t heard_ = 0;
};

std::string path_of_url(std::string_view url) {
  constexpr std::string_view scheme = "file://";
  if (url.starts_with(scheme)) url.remove_prefix(scheme.size());
  // file:///C:/x has a slash before the drive.
  if (url.size() > 2 && url[0] == '/' && url[2] == ':') url.remove_prefix(1);
  return std::string(url);
}

class DartStream {
 public:
  explicit DartStream(ReportBuilder& into) : into_(into) {}

  void take(const json::value& event) {
    const auto type = find_text(event, "type").value_or("");
    if (type == "suite") {
      remember(suites_, find_integer(event, "suite.id"), text_at(event, "suite.path"));
    } else if (type == "group") {
      remember(groups_, find_integer(event, "group.id"), text_at(event, "group.name"));
    } else if (type == "testStart") {
      start(event);
    } else if (type == "error" || type == "print") {
      hear(event, type == "error");
    } else if (type == "testDone") {
      end(event);
    }
  }

  void close() {
    for (auto& [id, running] : running_) {
      running.test.outcome = Outcome::failed;
      if (running.test.message.empty()) {
        running.test.message = "it did not end: the run broke off in it";
      }
      into_.add(std::move(running.test));
    }
  }

 private:
  using Names = std::unordered_map<std::int64_t, std::string>;
  struct Running {
    TestCase test;
    double begun_ms = 0;
  };

  void remember(Names& names, std::optional<std::int64_t> id, std::string name) {
    if (id && names.size() < running_max) names.insert_or_assign(*id, std::move(name));
  }

  void start(const json::value& event) {
    const auto id = find_integer(event, "test.id");
    if (!id || running_.size() >= running_max) return into_.cut();
    Running running;
    auto& test = running.test;
    test.name = text_at(event, "test.name");
    running.begun_ms = find_number(event, "time").value_or(0);
    const auto suite = suites_.find(find_integer(event, "test.suiteID").value_or(-1));
    if (suite != suites_.end()) test.file = suite->second;
    test.suite = test.file;
    // A test's name begins with the names of its groups: those are its suite.
    const auto* groups = find_path(event, "test.groupIDs");
    std::string group;
    if (groups != nullptr && groups->is_array() && !groups->get_array().empty()) {
      const auto& last = groups->get_array().back();
      const auto found = groups_.find(last.is_int64() ? last.get_int64() : -1);
      if (found != groups_.end()) group = found->second;
    }
    if (!group.empty() && test.name.starts_with(group) && test.name.size() > group.size()) {
      test.suite = group;
      test.name = trimmed(std::string_view(test.name).substr(group.size()));
    }
    const auto url = text_at(event, "test.root_url").empty() ? text_at(event, "test.url")
                                                             : text_at(event, "test.root_url");
    if (url.starts_with("file:")) test.file = path_of_url(url);
    const auto line = find_integer(event, "test.root_line")
                          .value_or(find_integer(event, "test.line").value_or(0));
    test.line = line > 0 && line < 1'000'000'000 ? static_cast<int>(line) : 0;
    running_.insert_or_assign(*id, std::move(running));
  }

  void hear(const json::value& event, bool is_error) {
    const auto found = running_.find(find_integer(event, "testID").value_or(-1));
    if (found == running_.end()) return;
    auto& test = found->second.test;
    if (!is_error) {
      if (text_at(event, "messageType") == "skip") test.message = text_at(event, "message");
      return;
    }
    if (test.stack.size() > output_bytes_max) return;
    if (test.stack.empty()) test.message = trimmed(text_at(event, "error"));
    test.stack += text_at(event, "error") + "\n" + text_at(event, "stackTrace");
  }

  void end(const json::value& event) {
    const auto found = running_.find(find_integer(event, "testID").value_or(-1));
    if (found == running_.end()) return;
    auto test = std::move(found->second.test);
    const auto begun = found->second.begun_ms;
    running_.erase(found);
    const auto result = text_at(event, "result");
    const bool hidden = find_bool(event, "hidden").value_or(false);
    if (hidden && result == "success") return;  // loading a file, set-up: no tests
    if (const auto now = find_number(event, "time"))
      test.duration = seconds_from((*now - begun) / 1000);
    test.outcome = find_bool(event, "skipped").value_or(false) ? Outcome::skipped
                   : result == "success"                       ? Outcome::passed
                   : result == "failure"                       ? Outcome::failed
                                                               : Outcome::error;
    if (hidden || test.name.starts_with("loading ")) return into_.add_outside(std::move(test));
    into_.add(std::move(test));
  }

  ReportBuilder& into_;
  Names suites_;
  Names groups_;
  std::map<std::int64_t, Running> running_;
};

template <class Stream>
TestReport read_stream(std::string_view format, std::string_view text) {
  ReportBuilder into(format);
  Stream stream(into);
  each_event(text, into, [&](const json::value& event) { stream.take(event); });
  stream.close();
  return into.take();
}

}  // namespace

Result<TestReport> read_go_report(std::string_view text) {
  return read_stream<GoStream>("go", text);
}

Result<TestReport> read_dart_report(std::string_view text) {
  return read_stream<DartStream>("dart", text);
}

}  // namespace vigil::entities::ci
