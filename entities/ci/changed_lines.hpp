#pragma once
// Which issues a change is to blame for: those on the lines it added, those in files it touched,
// and the others. Tools name files in many ways; a repository knows them in one. Pure; any thread.
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "entities/ci/issue.hpp"
#include "entities/codebase/diff.hpp"

namespace vigil::entities::ci {

enum class Where { added_line, changed_file, elsewhere };
std::string_view to_text(Where where);

struct Placed {
  Where where = Where::elsewhere;
  std::string path;      // from the root of the repository, where that is known
  bool certain = false;  // false: told by the end of the path alone
};

class ChangedLines {
 public:
  // `files`: all files of the repository, if known; then a path that ends like a changed file but
  // better like another is not mistaken for it.
  explicit ChangedLines(const codebase::Diff& diff, std::vector<std::string> files = {});

  // A folder where the repository stands or stood when it was built.
  void add_root(std::string_view folder);
  // Learns such folders from paths that end in several steps like files of the repository.
  void learn_roots(const std::vector<Issue>& issues);

  // Absolute paths of builds, ../, backslashes and URIs are all seen through.
  Placed place(std::string_view path, int line) const;

 private:
  bool knows(const std::string& path) const;
  Placed told(const std::string& path, int line, bool certain) const;
  std::string ending_in(std::string_view path) const;
  std::string continued(std::string_view path) const;

  std::map<std::string, std::set<int>, std::less<>> added_;  // of each changed file
  std::set<std::string, std::less<>> files_;
  std::set<std::string> roots_;
};

}  // namespace vigil::entities::ci
