#pragma once
// SARIF 2.1.0, the form in which analysers of code report. Pure; any thread.
#include <string>
#include <string_view>
#include <vector>

#include "entities/ci/issue.hpp"

namespace vigil::entities::ci {

struct SarifReport {
  std::string version;             // as stated; may be empty
  std::vector<std::string> tools;  // one for each run, empty when it has no name
  // All results that say something is wrong, suppressed ones included and marked.
  std::vector<Issue> issues;
  std::size_t results = 0;  // all of them, those that passed included
  bool cut = false;
};

constexpr std::size_t sarif_bytes_max = 64 * 1024 * 1024;

// Levels come from the result, else from its rule, else they are warnings. Paths have their
// uriBaseId applied when the report says where that is.
Result<SarifReport> read_sarif(std::string_view text);
Result<SarifReport> read_sarif_document(const json::value& root);

}  // namespace vigil::entities::ci
