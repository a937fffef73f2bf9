// Where in the code a failure's text points: frames of a dozen languages.
#include <re2/re2.h>

#include <array>

#include "entities/ci/report_parts.hpp"

namespace vigil::entities::ci {
namespace {

constexpr std::size_t lines_max = 400;
constexpr std::size_t line_bytes_max = 2000;

// Frames of a runtime or a test library are never what a person looks for.
bool is_foreign(std::string_view path) {
  constexpr std::array<std::string_view, 14> marks{
      "node_modules", "node:",         "internal/", "site-packages", "/gems/",
      "/usr/lib/",    "dist-packages", "vendor/",   "/rustc/",       "package:test",
      "<frozen",      "libstdc++",     "/go/src/",  "webpack:"};
  for (const auto mark : marks) {
    if (path.find(mark) != std::string_view::npos) return true;
  }
  return false;
}

bool is_foreign_class(std::string_view name) {
  constexpr std::array<std::string_view, 14> roots{"java.",
                                                   "javax.",
                                                   "jdk.",
                                                   "sun.",
                                                   "com.sun.",
                                                   "org.junit.",
                                                   "junit.",
                                                   "org.testng.",
                                                   "kotlin.",
                                                   "org.assertj.",
                                                   "scala.",
                                                   "org.hamcrest.",
                                                   "org.apache.maven.",
                                                   "org.mockito."};
  for (const auto root : roots) {
    if (name.starts_with(root)) return true;
  }
  return false;
}

struct JavaFrame {
  std::string method;  // org.example.ATest.works
  CodePlace place;
};

std::optional<JavaFrame> java_frame(const re2::StringPiece& line) {
  static const RE2 pattern(
      R"(^\s*at (?:[\w.\-@]+/)?([\w.$<>]+)\((\w+\.(?:java|kt|kts|scala|groovy)):(\d{1,8})\))");
  JavaFrame frame;
  std::string file;
  if (!RE2::PartialMatch(line, pattern, &frame.method, &file, &frame.place.line)) {
    return std::nullopt;
  }
  // org.example.ATest.works: all but the class and the method are folders.
  std::string folders;
  std::string_view rest = frame.method;
  for (auto dot = rest.find('.'); dot != std::string_view::npos; dot = rest.find('.')) {
    const auto step = rest.substr(0, dot);
    if (step.empty() || (step[0] >= 'A' && step[0] <= 'Z')) break;
    folders += step;
    folders += '/';
    rest.remove_prefix(dot + 1);
  }
  frame.place.file = folders + file;
  return frame;
}

std::optional<CodePlace> place_in_line(const re2::StringPiece& line) {
  static const RE2 python(R"re(File "([^"]+)", line (\d{1,8}))re");
  static const RE2 dotnet(R"( in (.+):line (\d{1,8}))");
  static const RE2 brackets(R"(((?:[A-Za-z]:)?[\w.\-+@/\\]+\.\w{1,6})\((\d{1,8})\))");
  static const RE2 colon(R"(((?:file://)?(?:[A-Za-z]:[\\/])?[\w.\-+@/\\]*[\w\-+]\.[A-Za-z]\w{0,6}))"
                         R"(:(\d{1,8})(?:\b|$))");
  static const RE2 dart(R"(^([\w./\\:\-]+\.dart) (\d{1,8}):\d+)");
  CodePlace place;
  for (const auto* pattern : {&python, &dotnet, &colon, &brackets, &dart}) {
    if (RE2::PartialMatch(line, *pattern, &place.file, &place.line)) return place;
  }
  return std::nullopt;
}

}  // namespace

std::optional<CodePlace> place_in_stack(std::string_view stack, std::string_view suite) {
  std::optional<CodePlace> first;
  std::optional<CodePlace> last_python;
  std::optional<CodePlace> fallback;
  for (std::size_t number = 0; number < lines_max && !stack.empty(); ++number) {
    const auto line = take_stack_line(stack);
    const re2::StringPiece text(line.data(), std::min(line.size(), line_bytes_max));
    if (auto frame = java_frame(text)) {
      if (!suite.empty() && frame->method.starts_with(suite)) return frame->place;
      if (!first && !is_foreign_class(frame->method)) first = std::move(frame->place);
      continue;
    }
    auto place = place_in_line(text);
    if (!place) continue;
    if (is_foreign(place->file)) {
      if (!fallback) fallback = std::move(place);
    } else if (line.find("File \"") != std::string_view::npos) {
      last_python = std::move(place);  // Python's innermost call comes last
    } else if (!first) {
      first = std::move(place);
    }
  }
  if (last_python) return last_python;
  return first ? first : fallback;
}

}  // namespace vigil::entities::ci
