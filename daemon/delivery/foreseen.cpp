#include "daemon/delivery/foreseen.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>

namespace vigil::delivery {
namespace {

// What people read in a payload, in the order in which sinks look for it.
constexpr std::array<std::string_view, 3> words{"body", "text", "description"};

std::string at(const json::value& payload, std::string_view path, std::string_view otherwise = "") {
  auto found = find_scalar_text(payload, path);
  return found && !found->empty() ? std::move(*found) : std::string(otherwise);
}

std::string says(const json::object& members) {
  const json::value payload(members);
  for (const auto word : words) {
    if (const auto found = find_text(payload, word); found && !found->empty()) {
      return std::string(*found);
    }
  }
  return {};
}

std::string does_github(const config::GithubSink& sink, const json::value& payload, bool edits) {
  const auto repository = at(payload, "repository", "a repository that is not named");
  if (find_path(payload, "head") != nullptr) {
    return fmt::format("open or edit a draft pull request of {} in {}, from {} into {}: {}",
                       sink.base_url, repository, at(payload, "head"), at(payload, "base"),
                       at(payload, "title"));
  }
  if (find_path(payload, "sha") != nullptr && find_path(payload, "number") == nullptr) {
    return fmt::format("set the status {} of commit {} in {} to {}, at {}",
                       at(payload, "context", sink.context), at(payload, "sha").substr(0, 12),
                       repository, at(payload, "state"), sink.base_url);
  }
  return fmt::format("{} {}#{}, at {}", edits ? "edit our comment on" : "comment on", repository,
                     at(payload, "number", "?"), sink.base_url);
}

std::string does_mailbox(std::string_view where, const json::value& payload) {
  const auto verb = at(payload, "do", at(payload, "verb", "change"));
  const auto folder = at(payload, "folder", at(payload, "to"));
  return fmt::format("{} a message in {}{}", verb, where, folder.empty() ? "" : ": " + folder);
}

struct Does {
  const json::value& payload;
  bool edits;

  std::string operator()(const config::HttpSink& sink) const {
    return fmt::format("post the payload to {}", sink.url);
  }
  std::string operator()(const config::GithubSink& sink) const {
    return does_github(sink, payload, edits);
  }
  std::string operator()(const config::CommandSink& sink) const {
    return fmt::format("run `{}` as the daemon's user, with the payload on its standard input",
                       fmt::join(sink.argv, " "));
  }
  std::string operator()(const config::FileSink& sink) const {
    return fmt::format("append a line to {}", sink.path);
  }
  std::string operator()(const config::LogSink&) const { return "write a line to the log"; }
  std::string operator()(const config::GitSink& sink) const {
    return fmt::format("push commit {} of {} to the branch {} of {}",
                       at(payload, "commit").substr(0, 12), sink.repository,
                       at(payload, "branch", "?"), sink.remote);
  }
  std::string operator()(const config::ImapSink& sink) const {
    return does_mailbox(sink.host, payload);
  }
  std::string operator()(const config::MaildirSink& sink) const {
    return does_mailbox(sink.path, payload);
  }
  std::string operator()(const config::SmtpSink& sink) const {
    return fmt::format("send a mail from {} to {}: {}", sink.from, at(payload, "to", "?"),
                       at(payload, "subject"));
  }
  std::string operator()(const config::SlackSink& sink) const {
    return fmt::format("{} {} on Slack", edits ? "edit our message in" : "write to",
                       at(payload, "channel", sink.channel));
  }
  std::string operator()(const config::TelegramSink& sink) const {
    return fmt::format("{} {} on Telegram", edits ? "edit our message in" : "write to",
                       at(payload, "chat", sink.chat));
  }
};

}  // namespace

Foreseen foresee(const storage::Action& action, const config::Sink* sink,
                 const std::optional<storage::Action>& before) {
  const json::value payload(action.payload);
  Foreseen out;
  if (sink == nullptr) {
    out.does = action.sink == "vigil"
                   ? "set a preference of the entity"
                   : fmt::format("fail: the sink '{}' is not in the configuration", action.sink);
  } else {
    out.does = std::visit(Does{payload, before.has_value()}, sink->of);
  }
  out.says = says(action.payload);
  if (!before) return out;
  const auto was = says(before->payload);
  if (!was.empty() && was != out.says) out.says = line_changes(was, out.says);
  return out;
}

}  // namespace vigil::delivery
