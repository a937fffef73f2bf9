#pragma once
// Runs programs for analysers: git above all, never a shell. Blocking: for vigil-task, which has
// nothing else to do; the daemon never calls it.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/time.hpp"

namespace vigil::entities::codebase {

struct Errand {
  std::vector<std::string> argv;  // argv[0] is looked up in PATH
  std::string folder;             // where it runs; empty: here
  std::vector<std::string> environment;
  std::string input;
  std::size_t output_bytes_max = 64 * 1024 * 1024;
  std::optional<Duration> timeout;  // stopped after it
  bool join_errors = false;         // standard error into the same text, as a terminal shows it
};

struct ErrandEnd {
  int exit_code = -1;  // -1: by a signal
  int signal = 0;
  bool in_time = true;
  std::string output;
  std::string errors;  // the end of standard error
  std::size_t output_cut_bytes = 0;
};

// Fails when it cannot be started: not_found when there is no such program.
Result<ErrandEnd> run_errand(const Errand& errand);

// Letters, digits and ._/~^+#=,%- as in commits, branches and HEAD~3; no range, no path, no option.
bool is_safe_revision(std::string_view text);
bool is_hash(std::string_view text);       // 7 to 64 hex digits
bool is_null_hash(std::string_view text);  // all zeros: "there is none"

// Fields between NUL bytes, as git writes them with -z.
std::vector<std::string> split_fields(std::string_view text);

class Git {
 public:
  static constexpr std::size_t output_bytes_max = 64 * 1024 * 1024;  // the rest is not read

  // `repository` is the folder of a clone, with or without a work tree.
  explicit Git(std::string repository) : repository_(std::move(repository)) {}

  // Standard output of `git ARGUMENTS`. Reads only: nothing of the clone's configuration or
  // attributes may start another program, and no lock is taken.
  Result<std::string> run(std::vector<std::string> arguments, std::string input = {}) const;
  // The same with variables of its own, such as GIT_INDEX_FILE.
  Result<std::string> run_with(std::vector<std::string> environment,
                               std::vector<std::string> arguments, std::string input = {}) const;
  // The full hash of the commit it names, if the clone has it.
  std::optional<std::string> commit_of(std::string_view revision) const;
  // What a file holds at a commit; nothing if it is not there.
  std::optional<std::string> file_at(const std::string& commit, const std::string& path) const;
  Result<void> check() const;  // fails, with what to do, if there is no clone

  const std::string& repository() const { return repository_; }

 private:
  std::string repository_;
};

}  // namespace vigil::entities::codebase
