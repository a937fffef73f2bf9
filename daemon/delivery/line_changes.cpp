#include <algorithm>
#include <vector>

#include "daemon/delivery/foreseen.hpp"

namespace vigil::delivery {
namespace {

constexpr std::size_t lines_max = 1'000;  // of either; beyond, all goes and all comes
constexpr std::size_t context_lines = 2;

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    out.push_back(line);
  }
  return out;
}

struct Change {
  char mark = ' ';
  std::string_view line;
};

// The longest common subsequence by its table.
std::vector<Change> changes_of(const std::vector<std::string_view>& before,
                               const std::vector<std::string_view>& after) {
  const auto rows = before.size();
  const auto columns = after.size();
  std::vector<std::vector<int>> common(rows + 1, std::vector<int>(columns + 1, 0));
  for (auto i = rows; i-- > 0;) {
    for (auto j = columns; j-- > 0;) {
      common[i][j] = before[i] == after[j] ? common[i + 1][j + 1] + 1
                                           : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  std::vector<Change> out;
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && before[i] == after[j]) {
      out.push_back({' ', before[i++]});
      ++j;
    } else if (i < rows && (j == columns || common[i + 1][j] >= common[i][j + 1])) {
      out.push_back({'-', before[i++]});
    } else {
      out.push_back({'+', after[j++]});
    }
  }
  return out;
}

bool near_change(const std::vector<Change>& all, std::size_t at) {
  const auto from = at < context_lines ? 0 : at - context_lines;
  const auto to = std::min(all.size(), at + context_lines + 1);
  return std::any_of(all.begin() + static_cast<std::ptrdiff_t>(from),
                     all.begin() + static_cast<std::ptrdiff_t>(to),
                     [](const Change& change) { return change.mark != ' '; });
}

}  // namespace

std::string line_changes(std::string_view before, std::string_view after) {
  if (before == after) return {};
  const auto old_lines = lines_of(before);
  const auto new_lines = lines_of(after);
  std::vector<Change> all;
  if (old_lines.size() > lines_max || new_lines.size() > lines_max) {
    for (const auto line : old_lines) all.push_back({'-', line});
    for (const auto line : new_lines) all.push_back({'+', line});
  } else {
    all = changes_of(old_lines, new_lines);
  }
  std::string out;
  bool cut = false;
  for (std::size_t at = 0; at < all.size(); ++at) {
    if (!near_change(all, at)) {
      if (!cut) out += "  ...\n";
      cut = true;
      continue;
    }
    cut = false;
    out += all[at].mark;
    out += ' ';
    out += all[at].line;
    out += '\n';
  }
  return out;
}

}  // namespace vigil::delivery
