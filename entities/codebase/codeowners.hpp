#pragma once
// Who owns a path, by the rules of GitHub's CODEOWNERS (GitLab's sections are read too): the last
// pattern that matches decides. Pure, but for run_owners.
#include <string>
#include <string_view>
#include <vector>

#include "entities/codebase/look.hpp"

namespace vigil::entities::codebase {

class Codeowners {
 public:
  static Codeowners parse(std::string_view text);

  // Empty: nobody, whether no pattern matches or the last one names no owner.
  std::vector<std::string> owners_of(std::string_view path) const;

  struct Mistake {
    int line = 0;
    std::string what;
  };
  const std::vector<Mistake>& mistakes() const { return mistakes_; }

 private:
  struct Rule {
    std::string pattern;
    std::vector<std::string> owners;
    int section = 0;
  };
  std::vector<Rule> rules_;
  std::vector<Mistake> mistakes_;
};

// The places where a forge looks for the file, first one first.
const std::vector<std::string>& codeowners_places();

Result<json::value> run_owners(const Request& request);

}  // namespace vigil::entities::codebase
