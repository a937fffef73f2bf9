#pragma once
// The tree of a commit in a private folder, to change and to look at what changed. Nothing of the
// clone is written: index and new objects are private too. Blocking: for vigil-task.
#include <optional>
#include <string>
#include <vector>

#include "entities/codebase/git.hpp"

namespace vigil::entities::codebase {

class PrivateTree {
 public:
  // In a new folder below the temporary one, removed with the object.
  static Result<PrivateTree> at(const Git& git, const std::string& commit);
  PrivateTree(PrivateTree&& other) noexcept;
  PrivateTree& operator=(PrivateTree&&) = delete;
  ~PrivateTree();

  const std::string& folder() const { return folder_; }
  // Nothing when it is no regular file inside the tree.
  std::optional<std::string> read(const std::string& path) const;
  Result<void> write(const std::string& path, const std::string& text) const;
  // Files of the commit that are different now; files it does not know play no part.
  Result<std::vector<std::string>> changed() const;
  Result<std::string> patch() const;  // as `git apply` takes it

 private:
  PrivateTree(const Git& git, std::string commit, std::string folder);
  std::vector<std::string> environment() const;
  Git git_;
  std::string commit_;
  std::string folder_;
};

}  // namespace vigil::entities::codebase
