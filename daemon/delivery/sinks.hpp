#pragma once
// Where actions go, one implementation for each kind of sink. A sink makes one attempt and says
// what came of it; when to try again and what to remember is the courier's business. Loop thread
// only. docs/actions.md lists the payload fields of each.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <optional>
#include <string>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "storage/outbox.hpp"
#include "storage/stores.hpp"

namespace vigil::http {
class Client;
class Reach;
}  // namespace vigil::http

namespace vigil::delivery {

// Must it not happen twice, or is a second time the same as the first?
enum class Repeat { harmless, dangerous };

struct Outcome {
  enum class Fate {
    delivered,
    failed,      // and would fail again
    retry,       // it did not happen; later it may
    unanswered,  // it may have happened: again only when that is harmless
  };
  Fate fate = Fate::failed;
  json::value result;
  std::string error;                // one sentence, unless delivered
  std::optional<Duration> not_for;  // the other side asked to be left alone that long
};

Outcome delivered(json::value result);
Outcome failed(std::string error);
Outcome retry_later(std::string error, std::optional<Duration> not_for = std::nullopt);
Outcome unanswered(std::string error);

struct Attempt {
  storage::Action action;  // `attempts` counts this one
  int descent = 0;         // of the decision that asked for it: storage/descent.hpp
  // What the sink answered to the last delivered action with the same sticky key.
  std::optional<json::value> last_result;
};
// What is known beside its row now.
Attempt attempt_at(storage::Stores& stores, storage::Action action);

class Sink {
 public:
  virtual ~Sink() = default;
  virtual Repeat repeat(const storage::Action& action) const = 0;
  virtual boost::asio::awaitable<Outcome> attempt(Attempt attempt) = 0;
  // Attempts within any hour; 0: no limit.
  virtual int per_hour_max() const { return 0; }
};

// What sinks stand on; all of it must outlive them.
struct SinkGround {
  boost::asio::any_io_executor executor;
  Clock& clock;
  http::Client& http;
  const http::Reach& reach;
};

// Reads the credentials it needs. The error names the sink and its key.
Result<std::shared_ptr<Sink>> make_sink(const config::Sink& sink, const SinkGround& ground);

// The makers behind it, one file each.
Result<std::shared_ptr<Sink>> make_http_sink(const std::string& name,
                                             const config::HttpSink& settings,
                                             const SinkGround& ground);
Result<std::shared_ptr<Sink>> make_github_sink(const std::string& name,
                                               const config::GithubSink& settings,
                                               const SinkGround& ground);
std::shared_ptr<Sink> make_command_sink(const config::CommandSink& settings,
                                        const SinkGround& ground);
std::shared_ptr<Sink> make_file_sink(const config::FileSink& settings, const SinkGround& ground);
std::shared_ptr<Sink> make_git_sink(const config::GitSink& settings, const SinkGround& ground);
Result<std::shared_ptr<Sink>> make_imap_sink(const std::string& name,
                                             const config::ImapSink& settings,
                                             const SinkGround& ground);
std::shared_ptr<Sink> make_maildir_sink(const config::MaildirSink& settings,
                                        const SinkGround& ground);
Result<std::shared_ptr<Sink>> make_smtp_sink(const std::string& name,
                                             const config::SmtpSink& settings,
                                             const SinkGround& ground);
Result<std::shared_ptr<Sink>> make_slack_sink(const std::string& name,
                                              const config::SlackSink& settings,
                                              const SinkGround& ground);
Result<std::shared_ptr<Sink>> make_telegram_sink(const std::string& name,
                                                 const config::TelegramSink& settings,
                                                 const SinkGround& ground);
std::shared_ptr<Sink> make_log_sink(const std::string& name);

}  // namespace vigil::delivery
