#pragma once
// What compilers, linkers, linters and scanners printed: the issues in it. Reads text line by line
// with a table of formats, and the JSON and XML documents of scanners by their shape. Tools may be
// mixed; colours, time stamps of CI systems and changes of directory are seen through. Pure.
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "entities/ci/issue.hpp"

namespace vigil::entities::ci {

struct ToolOutput {
  std::vector<Issue> issues;  // each place and text once, in the order of the text
  std::size_t lines = 0;
  bool cut = false;  // more issues, or longer lines, than are read
};

// Takes any bytes: what is no issue is passed over. A document that is broken is read as lines.
ToolOutput read_tool_output(std::string_view text);

// The table of formats of lines, as a person reads it.
struct LineFormat {
  std::string_view tool;
  std::string_view needle;  // stands in every such line: a quick look before the pattern
  // One letter for each group of the pattern: p path, l line, c column, s the word for how bad it
  // is, r rule, m message.
  std::string_view groups;
  Level level;                                         // when no word says it
  enum class After { nothing, message, place } after;  // what the next lines tell
  std::string_view pattern;                            // RE2, of the whole line
};
std::span<const LineFormat> line_formats();

}  // namespace vigil::entities::ci
