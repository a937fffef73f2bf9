#pragma once
// The post-receive hook that tells the daemon at once that something was pushed: `vigilctl hook
// install|remove`. The text is pure; the verbs write one file of the repository and need no daemon.
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "ctl/session.hpp"

namespace vigil::ctl {

// A line of ours by which such a hook is known again.
inline constexpr std::string_view hook_mark = "# Tells vigild that something was pushed.";
// What stood there before is kept under this name beside it, and runs first.
inline constexpr std::string_view chained_suffix = ".before-vigild";

// `program` is vigilctl's own path. Whatever the daemon does, the hook ends within a second, and
// its exit code is that of the hook it is chained to.
std::string hook_text(const std::string& program, const std::string& socket,
                      const std::string& source);

// Where git looks for hooks: of a bare repository or a clone. Fails, with what to do, when there is
// none, or when its configuration names another place (core.hooksPath).
Result<std::string> hooks_folder(const std::string& repository);

struct HookArgs {
  std::string repository;
  std::string source;
  bool chain = false;
};
int install_hook(const Session& session, const HookArgs& args);
int remove_hook(const Session& session, const std::string& repository);
int poke_source(const Session& session, const std::string& source);

}  // namespace vigil::ctl
