#include "ctl/hook.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <boost/json/object.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/log.hpp"

namespace vigil::ctl {
namespace {

namespace fs = std::filesystem;

// For a shell: whatever it holds is one word.
std::string shell_word(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

bool is_ours(const fs::path& hook) { return read_file(hook).find(hook_mark) != std::string::npos; }

// Whole or not at all: a push may come at any moment.
Result<void> write_hook(const fs::path& hook, const std::string& text) {
  const fs::path fresh = hook.string() + ".new";
  {
    std::ofstream file(fresh, std::ios::binary | std::ios::trunc);
    file << text;
    file.close();
    if (!file) {
      return fail(
          ErrorCode::unavailable,
          fmt::format("cannot write {}: {}", vigil::quoted(fresh.string()), std::strerror(errno)));
    }
  }
  std::error_code error;
  if (::chmod(fresh.c_str(), 0755) == 0) fs::rename(fresh, hook, error);
  if (error || !fs::exists(hook)) {
    return fail(ErrorCode::unavailable,
                fmt::format("cannot make {}", vigil::quoted(hook.string())));
  }
  return {};
}

int told(const Session& session, std::string what, const fs::path& hook) {
  const json::value answer(json::object{{"done", what}, {"hook", hook.string()}});
  if (session.output == Output::json) {
    print(session.json_text(answer));
  } else {
    print(fmt::format("{}: {}\n", what, hook.string()));
  }
  return exit_ok;
}

std::string own_path() {
  std::error_code error;
  const auto path = fs::read_symlink("/proc/self/exe", error);
  return error ? "vigilctl" : path.string();
}

}  // namespace

std::string hook_text(const std::string& program, const std::string& socket,
                      const std::string& source) {
  return fmt::format(
      "#!/bin/sh\n"
      "{}\n"
      "# Made by `vigilctl hook install`; `vigilctl hook remove` takes it away.\n"
      "status=0\n"
      "if [ -x \"$0{}\" ]; then \"$0{}\" \"$@\"; status=$?; fi\n"
      "timeout 1 {} --socket {} sources poke {} </dev/null >/dev/null 2>&1\n"
      "exit $status\n",
      hook_mark, chained_suffix, chained_suffix, shell_word(program), shell_word(socket),
      shell_word(source));
}

Result<std::string> hooks_folder(const std::string& repository) {
  std::error_code error;
  auto folder = fs::absolute(repository, error).lexically_normal();
  if (fs::is_directory(folder / ".git", error)) folder /= ".git";
  if (!fs::is_regular_file(folder / "HEAD", error) ||
      !fs::is_directory(folder / "objects", error)) {
    return fail(ErrorCode::not_found,
                fmt::format("{} is neither a bare repository nor a clone: name the folder that "
                            "holds HEAD or .git",
                            vigil::quoted(repository)));
  }
  auto config = read_file(folder / "config");
  for (char& c : config) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  if (config.find("hookspath") != std::string::npos) {
    return fail(ErrorCode::invalid_input,
                fmt::format("{} has its hooks elsewhere (core.hooksPath): let the post-receive "
                            "there run `vigilctl sources poke NAME`",
                            vigil::quoted(repository)));
  }
  return (folder / "hooks").string();
}

int install_hook(const Session& session, const HookArgs& args) {
  const auto folder = hooks_folder(args.repository);
  if (!folder) return tell(folder.error());
  std::error_code error;
  fs::create_directories(*folder, error);
  const fs::path hook = fs::path(*folder) / "post-receive";
  const fs::path before = hook.string() + std::string(chained_suffix);
  const bool foreign = fs::exists(fs::symlink_status(hook, error)) && !is_ours(hook);
  if (foreign && !args.chain) {
    return tell({ErrorCode::conflict,
                 fmt::format("{} is there already and not ours: with --chain it is kept, and runs "
                             "first",
                             vigil::quoted(hook.string()))});
  }
  if (foreign && fs::exists(fs::symlink_status(before, error))) {
    return tell({ErrorCode::conflict, fmt::format("{} is there already: move it away first",
                                                  vigil::quoted(before.string()))});
  }
  if (foreign) {
    fs::rename(hook, before, error);
    if (error) {
      return tell(
          {ErrorCode::unavailable,
           fmt::format("cannot rename {}: {}", vigil::quoted(hook.string()), error.message())});
    }
  }
  const auto socket = fs::absolute(session.client.socket(), error).string();
  if (auto written = write_hook(hook, hook_text(own_path(), socket, args.source)); !written) {
    if (foreign) fs::rename(before, hook, error);
    return tell(written.error());
  }
  return told(session, foreign ? "installed; what was there runs first" : "installed", hook);
}

int remove_hook(const Session& session, const std::string& repository) {
  const auto folder = hooks_folder(repository);
  if (!folder) return tell(folder.error());
  std::error_code error;
  const fs::path hook = fs::path(*folder) / "post-receive";
  const fs::path before = hook.string() + std::string(chained_suffix);
  if (!is_ours(hook)) {
    return tell({ErrorCode::not_found, fmt::format("{} is not ours, or not there: nothing was "
                                                   "removed",
                                                   vigil::quoted(hook.string()))});
  }
  const bool chained = fs::exists(fs::symlink_status(before, error));
  if (chained) {
    fs::rename(before, hook, error);
  } else {
    fs::remove(hook, error);
  }
  if (error) {
    return tell(
        {ErrorCode::unavailable,
         fmt::format("cannot remove {}: {}", vigil::quoted(hook.string()), error.message())});
  }
  return told(session, chained ? "removed; what was there before is back" : "removed", hook);
}

int poke_source(const Session& session, const std::string& source) {
  return session.act("POST", path_of("/v1/sources/", source, "/poke"), json::object{},
                     fmt::format("{} is looked at now", source));
}

}  // namespace vigil::ctl
