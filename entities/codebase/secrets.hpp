#pragma once
// Keys, tokens and passwords in added lines. Known formats first, then assignments whose value
// looks random. Never gives out what it found: only its kind, its first characters and its length.
#include <string>
#include <string_view>
#include <vector>

#include "entities/codebase/diff.hpp"
#include "entities/codebase/finding.hpp"

namespace vigil::entities::codebase {

std::vector<Finding> find_secrets(const Diff& diff);

// For one line of a file; what find_secrets does for each. Pure.
struct SecretHit {
  std::string rule;
  std::string secret;  // not for output
  Severity severity = Severity::high;
  std::string title;
};
std::vector<SecretHit> secrets_in_line(std::string_view line, std::string_view path);

double entropy_of(std::string_view text);    // bits per character
bool is_placeholder(std::string_view text);  // "changeme", "xxxx", "<your-key>", "${TOKEN}"
std::string masked(std::string_view secret);

}  // namespace vigil::entities::codebase
