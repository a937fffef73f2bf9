// [sink.NAME] kind = "git": pushes one commit of a local clone to one branch of its remote. Only
// branches that begin with "vigil/" are ever written, and only where the remote holds nothing else
// than what was pushed before: what people added to such a branch is not lost.
#include <fmt/format.h>

#include <algorithm>

#include "daemon/delivery/program.hpp"
#include "daemon/delivery/sinks.hpp"

namespace vigil::delivery {
namespace asio = boost::asio;
namespace {

bool is_ours(std::string_view branch) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.' || c == '/';
  };
  return branch.starts_with("vigil/") && branch.size() > 6 && branch.size() <= 200 &&
         std::ranges::all_of(branch, fits) && branch.find("..") == std::string_view::npos &&
         branch.find("//") == std::string_view::npos && !branch.ends_with('/') &&
         !branch.ends_with(".lock");
}

bool is_commit(std::string_view text) {
  return (text.size() == 40 || text.size() == 64) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Git gives the command to a shell.
std::string quoted_for_git(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
    } else {
      out += c;
    }
  }
  return out + "'";
}

class GitSink final : public Sink {
 public:
  GitSink(config::GitSink settings, const SinkGround& ground)
      : settings_(std::move(settings)), executor_(ground.executor), clock_(ground.clock) {}

  // What is there already is not pushed again.
  Repeat repeat(const storage::Action&) const override { return Repeat::harmless; }

  asio::awaitable<Outcome> attempt(Attempt attempt) override {
    const json::value payload(attempt.action.payload);
    const std::string branch(find_text(payload, "branch").value_or(""));
    const std::string commit(find_text(payload, "commit").value_or(""));
    if (!is_ours(branch) || !is_commit(commit)) {
      co_return failed(
          "the payload needs \"branch\", which begins with \"vigil/\", and \"commit\", a whole id");
    }
    std::string before;
    if (attempt.last_result) before = find_text(*attempt.last_result, "commit").value_or("");
    if (!is_commit(before)) before.clear();
    auto running = run_program(executor_, clock_, spec_of(branch, commit, before), std::string(),
                               settings_.timeout);
    ProgramEnd end = co_await std::move(running);
    co_return outcome_of(end, branch, commit);
  }

 private:
  swarm::ChildSpec spec_of(const std::string& branch, const std::string& commit,
                           const std::string& before) const {
    swarm::ChildSpec spec;
    // It asks the remote that stands in the configuration and nobody else: a server does not lead
    // it to another place, and no transport runs a program that the address names (git-config(1)).
    spec.argv = {"git", "-C", settings_.repository};
    for (const char* setting :
         {"core.hooksPath=/dev/null", "http.followRedirects=false", "protocol.ext.allow=never"}) {
      spec.argv.insert(spec.argv.end(), {"-c", setting});
    }
    if (!settings_.credentials.empty()) {
      spec.argv.insert(spec.argv.end(),
                       {"-c", "credential.helper=", "-c",
                        fmt::format("credential.helper=store --file={}", settings_.credentials)});
    }
    spec.argv.insert(spec.argv.end(),
                     {"push", "--porcelain", "--no-follow-tags", "--recurse-submodules=no",
                      fmt::format("--force-with-lease=refs/heads/{}:{}", branch, before),
                      settings_.remote, fmt::format("{}:refs/heads/{}", commit, branch)});
    spec.workdir = "/";
    spec.containment = swarm::Containment::none;  // it needs the network and its credentials
    spec.environment = {{"TMPDIR", "/tmp"}, {"GIT_TERMINAL_PROMPT", "0"}, {"LC_ALL", "C"}};
    auto ssh = std::string("ssh -o BatchMode=yes");
    if (!settings_.ssh_key.empty()) {
      ssh += " -o IdentitiesOnly=yes -i " + quoted_for_git(settings_.ssh_key);
    }
    spec.environment.emplace_back("GIT_SSH_COMMAND", std::move(ssh));
    return spec;
  }

  Outcome outcome_of(const ProgramEnd& end, const std::string& branch,
                     const std::string& commit) const {
    if (end.not_started) return retry_later(end.not_started->message);
    if (!end.in_time) {
      return unanswered(fmt::format("git push was stopped after its timeout of {}",
                                    vigil::to_text(settings_.timeout)));
    }
    if (end.exit.ok()) {
      return delivered(json::object{{"branch", branch}, {"commit", commit}});
    }
    if (end.exit.signal != 0) {
      return unanswered(fmt::format("git push was ended by signal {}", end.exit.signal));
    }
    std::string_view errors = end.errors;
    while (errors.ends_with('\n')) errors.remove_suffix(1);
    if (end.output.find("stale info") != std::string::npos) {
      return failed(
          fmt::format("branch {} of {} holds commits that were not pushed from here: "
                      "merge or delete it",
                      branch, settings_.remote));
    }
    if (end.output.find("\n!") != std::string::npos || end.output.starts_with('!')) {
      return failed("git push was rejected: " + to_valid_utf8(end.output.substr(0, 500)));
    }
    // The remote could not be reached, or would not let us in: later it may.
    return retry_later("git push failed: " + to_valid_utf8(errors));
  }

  config::GitSink settings_;
  asio::any_io_executor executor_;
  Clock& clock_;
};

}  // namespace

std::shared_ptr<Sink> make_git_sink(const config::GitSink& settings, const SinkGround& ground) {
  return std::make_shared<GitSink>(settings, ground);
}

}  // namespace vigil::delivery
