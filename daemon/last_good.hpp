#pragma once
// The last configuration that could be used, kept in state_dir: with it the daemon starts when the
// present one cannot be read. One file of TOML with every value written out, its digest in the
// first line. Blocking calls.
#include <optional>
#include <string>

#include "config/load.hpp"
#include "core/time.hpp"

namespace vigil {

struct LastGood {
  std::string path;
  std::string digest;
  TimePoint kept;
  config::Settings settings;
};

// Keeps it, unless it is what is kept already.
Result<void> keep_last_good(const std::string& state_dir, const config::Settings& settings,
                            TimePoint now);
// not_found: there is none. invalid_input: it was changed or damaged, or this version cannot read
// it.
Result<LastGood> read_last_good(const std::string& state_dir);

}  // namespace vigil
