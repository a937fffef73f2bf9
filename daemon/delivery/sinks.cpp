#include "daemon/delivery/sinks.hpp"

#include <fmt/format.h>

#include "core/log.hpp"
#include "storage/descent.hpp"

namespace vigil::delivery {
namespace asio = boost::asio;
namespace {

class LogSink final : public Sink {
 public:
  explicit LogSink(std::string name) : name_(std::move(name)) {}

  Repeat repeat(const storage::Action&) const override { return Repeat::harmless; }

  asio::awaitable<Outcome> attempt(Attempt attempt) override {
    const auto& action = attempt.action;
    const json::value payload(action.payload);
    const auto text = find_text(payload, "text");
    log_info("action: sink={} kind={} entity={} case={} text={}", name_, quoted(action.kind),
             quoted(action.entity), quoted(action.case_key),
             quoted(text ? std::string(*text) : to_text(payload)));
    co_return delivered(json::object{{"logged", true}});
  }

 private:
  std::string name_;
};

}  // namespace

Attempt attempt_at(storage::Stores& stores, storage::Action action) {
  Attempt out;
  out.descent = storage::descent_of(stores.ledger.find(action.decision));
  out.last_result =
      stores.outbox.last_result(action.entity, action.case_id, action.sink, action.sticky_key);
  out.action = std::move(action);
  return out;
}

Outcome delivered(json::value result) {
  Outcome out;
  out.fate = Outcome::Fate::delivered;
  out.result = std::move(result);
  return out;
}

Outcome failed(std::string error) {
  Outcome out;
  out.fate = Outcome::Fate::failed;
  out.error = std::move(error);
  return out;
}

Outcome retry_later(std::string error, std::optional<Duration> not_for) {
  Outcome out;
  out.fate = Outcome::Fate::retry;
  out.error = std::move(error);
  out.not_for = not_for;
  return out;
}

Outcome unanswered(std::string error) {
  Outcome out;
  out.fate = Outcome::Fate::unanswered;
  out.error = std::move(error);
  return out;
}

std::shared_ptr<Sink> make_log_sink(const std::string& name) {
  return std::make_shared<LogSink>(name);
}

Result<std::shared_ptr<Sink>> make_sink(const config::Sink& sink, const SinkGround& ground) {
  if (const auto* http = std::get_if<config::HttpSink>(&sink.of)) {
    return make_http_sink(sink.name, *http, ground);
  }
  if (const auto* github = std::get_if<config::GithubSink>(&sink.of)) {
    return make_github_sink(sink.name, *github, ground);
  }
  if (const auto* command = std::get_if<config::CommandSink>(&sink.of)) {
    return make_command_sink(*command, ground);
  }
  if (const auto* file = std::get_if<config::FileSink>(&sink.of)) {
    return make_file_sink(*file, ground);
  }
  if (const auto* git = std::get_if<config::GitSink>(&sink.of)) {
    return make_git_sink(*git, ground);
  }
  if (const auto* imap = std::get_if<config::ImapSink>(&sink.of)) {
    return make_imap_sink(sink.name, *imap, ground);
  }
  if (const auto* maildir = std::get_if<config::MaildirSink>(&sink.of)) {
    return make_maildir_sink(*maildir, ground);
  }
  if (const auto* smtp = std::get_if<config::SmtpSink>(&sink.of)) {
    return make_smtp_sink(sink.name, *smtp, ground);
  }
  if (const auto* slack = std::get_if<config::SlackSink>(&sink.of)) {
    return make_slack_sink(sink.name, *slack, ground);
  }
  if (const auto* telegram = std::get_if<config::TelegramSink>(&sink.of)) {
    return make_telegram_sink(sink.name, *telegram, ground);
  }
  return make_log_sink(sink.name);
}

}  // namespace vigil::delivery
