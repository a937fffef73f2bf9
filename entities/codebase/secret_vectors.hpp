#pragma once
// A labelled set to measure the search for secrets with: lines that hold a credential and lines
// that only look like one. The credentials are made up when asked for, from descriptions of their
// form, so that no file holds anything that another scanner would have to refuse. Pure; any thread.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace vigil::entities::codebase {

enum class Label { secret, harmless };
// The set is split by a digest of kind and surroundings: rules are written with a look at `seen`,
// and judged by `held_out`.
enum class Part { seen, held_out };

struct SecretVector {
  std::string kind;  // github-token; uuid
  std::string path;  // of the file the line stands in
  std::string line;
  Label label = Label::harmless;
  Part part = Part::seen;
};

// `rounds` made-up texts for each kind and surroundings. The same seed gives the same lines.
std::vector<SecretVector> secret_vectors(std::uint64_t seed, int rounds);

// A text of the form: letters as they are, [A-Za-z0-9_-] one of a class, {12} and {3,8} how often
// what stands before it; a backslash takes the next character as it is.
std::string made_up(std::string_view form, std::uint64_t& state);

}  // namespace vigil::entities::codebase
