#include "daemon/mail/imap.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/log.hpp"
#include "daemon/mail/credentials.hpp"

namespace vigil::mail {
namespace asio = boost::asio;
namespace {

constexpr std::size_t responses_max = 500'000;  // to one command
constexpr int port_tls = 993;
constexpr int port_open = 143;

}  // namespace

Imap::Imap(asio::any_io_executor executor, Clock& clock, const http::Reach& reach)
    : executor_(std::move(executor)), clock_(clock), reach_(reach) {}
Imap::~Imap() = default;

// What was typed by a server is for the eyes of a person, but for our own password in it.
std::string Imap::said(const Response& response) const {
  auto text = response.text;
  if (proving_) cut_credentials_out(text, account_.user, proving_->reveal());
  return quoted(text);
}

bool Imap::can(std::string_view capability) const {
  return std::ranges::any_of(capabilities_,
                             [&](const auto& one) { return equal_words(one, capability); });
}

std::unexpected<Error> Imap::broken(Error error) {
  open_ = false;
  wire_.reset();
  selected_.clear();
  return std::unexpected(std::move(error));
}

std::string Imap::next_tag() { return fmt::format("v{}", ++tags_); }

asio::awaitable<Result<Response>> Imap::next(TimePoint until) {
  while (true) {
    auto ready = reader_.next();
    if (!ready) co_return broken(std::move(ready.error()));
    if (*ready) co_return std::move(**ready);
    if (!wire_) co_return fail(ErrorCode::unavailable, "there is no connection");
    auto reading = wire_->read(until);
    Result<std::string> bytes = co_await std::move(reading);
    if (!bytes) co_return std::unexpected(std::move(bytes.error()));
    if (bytes->empty()) {
      co_return broken({ErrorCode::unavailable, "the server closed the connection"});
    }
    reader_.feed(*bytes);
  }
}

void Imap::notice(const Response& response) {
  if (auto capabilities = capabilities_of(response)) capabilities_ = std::move(*capabilities);
  if (selected_.empty() || response.tag != "*") return;
  const auto exists = number_before(response, "EXISTS");
  const bool gone = number_before(response, "EXPUNGE").has_value();
  // What we ask for names its UID; what somebody else did to a message comes without.
  const auto fetched = fetched_of(response);
  const bool changed = fetched && fetched->uid == 0;
  if (gone || changed || (exists && *exists != exists_)) stale_ = true;
}

asio::awaitable<Result<Answered>> Imap::answer(std::string tag) {
  Answered out;
  const auto until = clock_.now() + account_.timeout;
  while (true) {
    auto waiting = next(until);
    Result<Response> response = co_await std::move(waiting);
    if (!response) co_return broken(std::move(response.error()));
    notice(*response);
    if (response->tag == "+") {  // XOAUTH2 says why not, and wants to be heard out
      auto writing = wire_->write("\r\n", until);
      Result<void> written = co_await std::move(writing);
      if (!written) co_return broken(std::move(written.error()));
    }
    if (response->tag == tag) {
      out.end = std::move(*response);
      break;
    }
    if (response->status == "BYE") {
      co_return broken({ErrorCode::unavailable, "the server ends it: " + said(*response)});
    }
    if (out.data.size() >= responses_max) {
      co_return broken({ErrorCode::unavailable, "the server says more than was asked"});
    }
    out.data.push_back(std::move(*response));
  }
  if (out.end.status == "OK") co_return out;
  if (out.end.status == "NO") co_return fail(ErrorCode::conflict, said(out.end));
  co_return fail(ErrorCode::invalid_input, "the server did not understand: " + said(out.end));
}

asio::awaitable<Result<Answered>> Imap::command(std::string text) {
  if (!wire_) co_return fail(ErrorCode::unavailable, "there is no connection");
  const auto tag = next_tag();
  auto line = tag + " " + text + "\r\n";
  std::ranges::fill(text, '\0');  // it may hold a password
  auto writing = wire_->write(std::move(line), clock_.now() + account_.timeout);
  Result<void> written = co_await std::move(writing);
  if (!written) co_return broken(std::move(written.error()));
  auto answering = answer(tag);
  co_return co_await std::move(answering);
}

asio::awaitable<Result<Answered>> Imap::command(std::string text, std::string literal) {
  if (!wire_) co_return fail(ErrorCode::unavailable, "there is no connection");
  const auto tag = next_tag();
  const auto until = clock_.now() + account_.timeout;
  auto line = fmt::format("{} {} {{{}}}\r\n", tag, text, literal.size());
  auto announcing = wire_->write(std::move(line), until);
  Result<void> announced = co_await std::move(announcing);
  if (!announced) co_return broken(std::move(announced.error()));
  while (true) {
    auto waiting = next(until);
    Result<Response> response = co_await std::move(waiting);
    if (!response) co_return broken(std::move(response.error()));
    if (response->tag == "+") break;
    notice(*response);
    if (response->tag == tag) co_return fail(ErrorCode::conflict, said(*response));
  }
  auto writing = wire_->write(literal + "\r\n", until);
  Result<void> written = co_await std::move(writing);
  if (!written) co_return broken(std::move(written.error()));
  auto answering = answer(tag);
  co_return co_await std::move(answering);
}

asio::awaitable<Result<void>> Imap::greet() {
  auto waiting = next(clock_.now() + account_.timeout);
  Result<Response> greeting = co_await std::move(waiting);
  if (!greeting) co_return broken(std::move(greeting.error()));
  notice(*greeting);
  greeted_in_ = greeting->status == "PREAUTH";
  if (greeting->status == "OK" || greeted_in_) co_return Result<void>();
  co_return broken({ErrorCode::unavailable, "the server does not want us: " + said(*greeting)});
}

asio::awaitable<Result<void>> Imap::learn() {
  if (!capabilities_.empty()) co_return Result<void>();
  auto asking = command("CAPABILITY");
  Result<Answered> answered = co_await std::move(asking);
  if (!answered) co_return std::unexpected(std::move(answered.error()));
  co_return Result<void>();
}

asio::awaitable<Result<void>> Imap::log_in() {
  const auto& with = account_.token ? account_.token : account_.password;
  if (!with) co_return Result<void>();
  auto secret = config::read_secret(*with);
  if (!secret) co_return std::unexpected(std::move(secret.error()));
  const auto user = quoted_string(account_.user);
  const auto password = quoted_string(secret->reveal());
  std::string text;
  if (account_.token) {
    text = "AUTHENTICATE XOAUTH2 " + xoauth2_credentials(account_.user, secret->reveal());
  } else if (can("AUTH=PLAIN") && can("SASL-IR")) {
    text = "AUTHENTICATE PLAIN " + plain_credentials(account_.user, secret->reveal());
  } else if (user && password) {
    text = fmt::format("LOGIN {} {}", *user, *password);
  } else {
    co_return fail(ErrorCode::invalid_input,
                   "the server takes only user names and passwords in ASCII");
  }
  capabilities_.clear();  // those of who is in are others
  proving_ = &*secret;
  auto asking = command(std::move(text));
  Result<Answered> answered = co_await std::move(asking);
  proving_ = nullptr;
  if (answered) co_return Result<void>();
  auto error = std::move(answered.error());
  if (error.code == ErrorCode::conflict || error.code == ErrorCode::invalid_input) {
    error = {ErrorCode::unauthorized,
             fmt::format("the server lets \"{}\" not in: {}; check user and {}", account_.user,
                         error.message, account_.token ? "token" : "password")};
  }
  co_return broken(std::move(error));
}

asio::awaitable<Result<void>> Imap::open(config::MailAccount account) {
  account_ = std::move(account);
  reader_ = ResponseReader();
  capabilities_.clear();
  selected_.clear();
  const bool direct = account_.tls == config::MailTls::implicit;
  const int port = account_.port > 0 ? account_.port : direct ? port_tls : port_open;
  const auto until = clock_.now() + account_.timeout;
  wire_ = std::make_unique<Wire>(executor_, clock_, reach_);
  auto connecting = wire_->connect(account_.host, port, until);
  Result<void> done = co_await std::move(connecting);
  if (!done) co_return broken(std::move(done.error()));
  if (direct) {
    auto securing = wire_->start_tls(account_.host, account_.ca_file, until);
    done = co_await std::move(securing);
    if (!done) co_return broken(std::move(done.error()));
  }
  auto greeting = greet();
  done = co_await std::move(greeting);
  if (!done) co_return done;
  if (account_.tls == config::MailTls::starttls) {
    auto asking = command("STARTTLS");
    Result<Answered> agreed = co_await std::move(asking);
    if (!agreed) co_return broken(std::move(agreed.error()));
    // Whoever could write before TLS must not be heard behind it.
    if (reader_.left() > 0) {
      co_return broken({ErrorCode::forbidden, "somebody spoke in between before TLS began"});
    }
    capabilities_.clear();
    auto securing = wire_->start_tls(account_.host, account_.ca_file, until);
    done = co_await std::move(securing);
    if (!done) co_return broken(std::move(done.error()));
  }
  auto learning = learn();
  done = co_await std::move(learning);
  if (done && !greeted_in_) {
    auto entering = log_in();
    done = co_await std::move(entering);
  }
  if (!done) co_return broken(std::move(done.error()));
  auto relearning = learn();
  done = co_await std::move(relearning);
  if (!done) co_return broken(std::move(done.error()));
  open_ = true;
  co_return Result<void>();
}

asio::awaitable<Result<FolderStatus>> Imap::select(std::string folder, Access access) {
  const auto name = quoted_string(to_wire_name(folder));
  if (!name) co_return fail(ErrorCode::invalid_input, "a folder's name holds a control character");
  selected_.clear();
  const auto* verb = access == Access::write ? "SELECT" : "EXAMINE";
  const auto* more = can("CONDSTORE") ? " (CONDSTORE)" : "";
  auto asking = command(fmt::format("{} {}{}", verb, *name, more));
  Result<Answered> answered = co_await std::move(asking);
  if (!answered && answered.error().code == ErrorCode::conflict) {
    co_return fail(ErrorCode::not_found,
                   fmt::format("there is no folder \"{}\": {}", folder, answered.error().message));
  }
  if (!answered) co_return std::unexpected(std::move(answered.error()));
  FolderStatus out;
  out.folder = folder;
  for (const auto& response : answered->data) {
    if (const auto count = number_before(response, "EXISTS")) out.messages = *count;
    if (const auto value = number_in_code(response, "UIDVALIDITY")) out.uid_validity = *value;
    if (const auto value = number_in_code(response, "UIDNEXT")) out.uid_next = *value;
    if (const auto value = number_in_code(response, "HIGHESTMODSEQ")) out.mod_seq = *value;
  }
  selected_ = std::move(folder);
  exists_ = out.messages;
  stale_ = false;
  co_return out;
}

asio::awaitable<Result<void>> Imap::end_listening(std::string tag) {
  auto writing = wire_->write("DONE\r\n", clock_.now() + account_.timeout);
  Result<void> written = co_await std::move(writing);
  if (!written) co_return broken(std::move(written.error()));
  auto answering = answer(tag);
  Result<Answered> answered = co_await std::move(answering);
  if (!answered) co_return std::unexpected(std::move(answered.error()));
  co_return Result<void>();
}

asio::awaitable<Result<bool>> Imap::listen(TimePoint until) {
  if (!wire_) co_return fail(ErrorCode::unavailable, "there is no connection");
  const auto tag = next_tag();
  auto writing = wire_->write(tag + " IDLE\r\n", clock_.now() + account_.timeout);
  Result<void> written = co_await std::move(writing);
  if (!written) co_return broken(std::move(written.error()));
  bool heard = false;
  while (!heard) {
    auto waiting = next(until);
    Result<Response> response = co_await std::move(waiting);
    if (!response && response.error().code == ErrorCode::timed_out) break;
    if (!response) co_return broken(std::move(response.error()));
    if (response->tag == tag) co_return fail(ErrorCode::conflict, said(*response));
    if (response->status == "BYE") {
      co_return broken({ErrorCode::unavailable, "the server ends it: " + said(*response)});
    }
    notice(*response);
    // "* OK Still here" is no news.
    heard = response->tag == "*" && response->status.empty();
  }
  auto ending = end_listening(tag);
  Result<void> ended = co_await std::move(ending);
  if (!ended) co_return std::unexpected(std::move(ended.error()));
  co_return heard;
}

asio::awaitable<void> Imap::log_out() {
  if (!wire_) co_return;
  auto asking = command("LOGOUT");
  Result<Answered> ignored = co_await std::move(asking);
  (void)ignored;  // it is over either way
  open_ = false;
  wire_.reset();
}

}  // namespace vigil::mail
