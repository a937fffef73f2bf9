#include "daemon/mail/smtp.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <optional>

#include "core/digest.hpp"
#include "core/json.hpp"
#include "core/log.hpp"
#include "daemon/mail/compose.hpp"
#include "daemon/mail/credentials.hpp"
#include "daemon/mail/imap_response.hpp"
#include "daemon/mail/wire.hpp"

namespace vigil::mail {
namespace asio = boost::asio;
namespace {

constexpr std::size_t answer_bytes_max = 64 * 1024;
constexpr int port_tls = 465;
constexpr int port_starttls = 587;
constexpr int port_open = 25;

struct Answer {
  int code = 0;
  std::vector<std::string> lines;  // without the code
};

Handed handed(Handed::Fate fate, std::string text) { return {fate, std::move(text)}; }

int port_of(const config::SmtpSink& settings) {
  if (settings.port > 0) return settings.port;
  if (settings.tls == config::MailTls::implicit) return port_tls;
  return settings.tls == config::MailTls::starttls ? port_starttls : port_open;
}

std::string host_name() {
  char name[256] = {};
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == '\0') return "localhost";
  return name;
}

class Conversation {
 public:
  Conversation(asio::any_io_executor executor, Clock& clock, const http::Reach& reach,
               const config::SmtpSink& settings)
      : settings_(settings), clock_(clock), wire_(std::move(executor), clock, reach) {}

  asio::awaitable<Handed> run(std::vector<std::string> recipients, std::string message);

 private:
  asio::awaitable<Result<Answer>> hear();
  asio::awaitable<Result<Answer>> say(std::string line);
  // Says it and wants that class of answer. Nothing: it is so.
  asio::awaitable<std::optional<Handed>> ask(std::string line, int wanted);
  asio::awaitable<std::optional<Handed>> enter();
  asio::awaitable<std::optional<Handed>> greet();
  asio::awaitable<std::optional<Handed>> log_in();
  TimePoint soon() const { return clock_.now() + settings_.timeout; }

  const config::SmtpSink& settings_;
  Clock& clock_;
  Wire wire_;
  std::string buffer_;
};

asio::awaitable<Result<Answer>> Conversation::hear() {
  Answer out;
  const auto until = soon();
  while (true) {
    const auto end = buffer_.find('\n');
    if (end == std::string::npos) {
      if (buffer_.size() > answer_bytes_max) {
        co_return fail(ErrorCode::unavailable, "the server speaks no SMTP");
      }
      auto reading = wire_.read(until);
      Result<std::string> bytes = co_await std::move(reading);
      if (!bytes) co_return std::unexpected(std::move(bytes.error()));
      if (bytes->empty()) {
        co_return fail(ErrorCode::unavailable, "the server closed the connection");
      }
      buffer_ += *bytes;
      continue;
    }
    auto line = buffer_.substr(0, end);
    buffer_.erase(0, end + 1);
    if (line.ends_with('\r')) line.pop_back();
    const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), out.code);
    const bool more = line.size() > 3 && line[3] == '-';
    if (error != std::errc{} || stop != line.data() + 3 || out.lines.size() > 200) {
      co_return fail(ErrorCode::unavailable, "the server speaks no SMTP");
    }
    out.lines.push_back(line.size() > 4 ? line.substr(4) : "");
    if (!more) co_return out;
  }
}

asio::awaitable<Result<Answer>> Conversation::say(std::string line) {
  auto writing = wire_.write(line + "\r\n", soon());
  Result<void> written = co_await std::move(writing);
  if (!written) co_return std::unexpected(std::move(written.error()));
  auto hearing = hear();
  co_return co_await std::move(hearing);
}

std::optional<Handed> judge(const Result<Answer>& answer, int wanted) {
  if (!answer) return handed(Handed::Fate::not_now, answer.error().message);
  if (answer->code / 100 == wanted) return std::nullopt;
  const auto text = fmt::format("the server says {} {}", answer->code,
                                vigil::quoted(answer->lines.empty() ? "" : answer->lines.back()));
  return handed(answer->code / 100 == 5 ? Handed::Fate::refused : Handed::Fate::not_now, text);
}

asio::awaitable<std::optional<Handed>> Conversation::ask(std::string line, int wanted) {
  auto saying = say(std::move(line));
  Result<Answer> answer = co_await std::move(saying);
  co_return judge(answer, wanted);
}

asio::awaitable<std::optional<Handed>> Conversation::greet() {
  auto greeting = ask("EHLO " + host_name(), 2);
  co_return co_await std::move(greeting);
}

asio::awaitable<std::optional<Handed>> Conversation::log_in() {
  const auto& with = settings_.token ? settings_.token : settings_.password;
  if (!with) co_return std::nullopt;
  auto secret = config::read_secret(*with);
  if (!secret) co_return handed(Handed::Fate::not_now, secret.error().message);
  auto line = settings_.token
                  ? "AUTH XOAUTH2 " + xoauth2_credentials(settings_.user, secret->reveal())
                  : "AUTH PLAIN " + plain_credentials(settings_.user, secret->reveal());
  auto saying = say(std::move(line));
  Result<Answer> answer = co_await std::move(saying);
  if (answer) {
    for (auto& said : answer->lines) cut_credentials_out(said, settings_.user, secret->reveal());
  }
  auto trouble = judge(answer, 2);
  if (trouble) trouble->text += "; check user and password";
  co_return trouble;
}

asio::awaitable<std::optional<Handed>> Conversation::enter() {
  const auto failed = [](const Result<void>& done) {
    return handed(Handed::Fate::not_now, done.error().message);
  };
  auto connecting = wire_.connect(settings_.host, port_of(settings_), soon());
  Result<void> done = co_await std::move(connecting);
  if (!done) co_return failed(done);
  if (settings_.tls == config::MailTls::implicit) {
    auto securing = wire_.start_tls(settings_.host, settings_.ca_file, soon());
    done = co_await std::move(securing);
    if (!done) co_return failed(done);
  }
  auto hearing = hear();
  Result<Answer> hello = co_await std::move(hearing);
  if (auto trouble = judge(hello, 2)) co_return trouble;
  auto greeting = greet();
  std::optional<Handed> trouble = co_await std::move(greeting);
  if (trouble) co_return trouble;
  if (settings_.tls == config::MailTls::starttls) {
    auto asking = ask("STARTTLS", 2);
    trouble = co_await std::move(asking);
    if (trouble) co_return trouble;
    // Whoever could write before TLS must not be heard behind it.
    if (!buffer_.empty()) {
      co_return handed(Handed::Fate::not_now, "somebody spoke in between before TLS began");
    }
    auto securing = wire_.start_tls(settings_.host, settings_.ca_file, soon());
    done = co_await std::move(securing);
    if (!done) co_return failed(done);
    auto again = greet();
    trouble = co_await std::move(again);
    if (trouble) co_return trouble;
  }
  auto entering = log_in();
  co_return co_await std::move(entering);
}

asio::awaitable<Handed> Conversation::run(std::vector<std::string> recipients,
                                          std::string message) {
  auto entering = enter();
  std::optional<Handed> trouble = co_await std::move(entering);
  if (trouble) co_return std::move(*trouble);
  const auto from = parse_address(settings_.from);
  auto beginning = ask(fmt::format("MAIL FROM:<{}>", from ? from->address : settings_.from), 2);
  trouble = co_await std::move(beginning);
  if (trouble) co_return std::move(*trouble);
  for (const auto& recipient : recipients) {
    auto naming = ask(fmt::format("RCPT TO:<{}>", recipient), 2);
    trouble = co_await std::move(naming);
    if (trouble) co_return std::move(*trouble);
  }
  auto announcing = ask("DATA", 3);
  trouble = co_await std::move(announcing);
  if (trouble) co_return std::move(*trouble);
  auto text = dot_stuffed(message);
  text.resize(text.size() - 2);  // say() ends the line
  auto sending = say(std::move(text));
  Result<Answer> answer = co_await std::move(sending);
  if (!answer) {
    co_return handed(Handed::Fate::unanswered,
                     "the message was handed over and not answered: " + answer.error().message);
  }
  if (auto refused = judge(answer, 2)) co_return std::move(*refused);
  auto leaving = say("QUIT");
  Result<Answer> ignored = co_await std::move(leaving);
  (void)ignored;  // it is taken
  co_return handed(Handed::Fate::taken, to_valid_utf8(answer->lines.back().substr(0, 200)));
}

}  // namespace

std::string dot_stuffed(std::string_view message) {
  std::string out;
  out.reserve(message.size() + 8);
  bool begins = true;
  for (const char c : message) {
    if (begins && c == '.') out += '.';
    out += c;
    begins = c == '\n';
  }
  if (!out.ends_with("\r\n")) out += "\r\n";
  return out + ".\r\n";
}

asio::awaitable<Handed> hand_over(asio::any_io_executor executor, Clock& clock,
                                  const http::Reach& reach, const config::SmtpSink& settings,
                                  std::vector<std::string> recipients, std::string message) {
  Conversation conversation(std::move(executor), clock, reach, settings);
  auto running = conversation.run(std::move(recipients), std::move(message));
  co_return co_await std::move(running);
}

}  // namespace vigil::mail
