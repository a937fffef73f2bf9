#include "daemon/ingress/lmtp_source.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <list>
#include <map>

#include "core/log.hpp"
#include "core/task_group.hpp"
#include "core/timeout.hpp"
#include "daemon/ingress/listener.hpp"
#include "daemon/ingress/lmtp_session.hpp"
#include "daemon/mail/pattern.hpp"

namespace vigil::ingress {
namespace asio = boost::asio;
namespace {

using Protocol = asio::generic::stream_protocol;
using Acceptor = asio::basic_socket_acceptor<Protocol>;
using Socket = Protocol::socket;

constexpr auto answered = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t read_bytes = 32 * 1024;
constexpr Duration accept_pause = std::chrono::milliseconds{100};  // after "too many open files"

struct Slot {
  std::string name;
  Taint taint = Taint::untrusted;
  config::LmtpSource settings;
  int connections = 0;
};
using SlotPtr = std::shared_ptr<Slot>;

// Counts the connection while it lives.
struct Seat {
  explicit Seat(SlotPtr of) : door(std::move(of)) { ++door->connections; }
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  ~Seat() { --door->connections; }
  SlotPtr door;
};

asio::awaitable<std::size_t> receive(Socket& socket, std::string& into) {
  const auto room = asio::buffer(into);
  auto [error, count] = co_await socket.async_read_some(room, answered);
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  co_return error ? 0 : count;
}

asio::awaitable<bool> send(Socket& socket, std::string bytes) {
  const auto all = asio::buffer(bytes);
  auto [error, count] = co_await asio::async_write(socket, all, answered);
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  co_return !error;
}

}  // namespace

struct LmtpServer::State {
  State(asio::any_io_executor on, Clock& time, MailIntake& to)
      : executor(std::move(on)), clock(time), intake(to), group(executor) {}

  asio::awaitable<void> accept(SlotPtr door, Acceptor& acceptor);
  asio::awaitable<void> serve(SlotPtr door, std::shared_ptr<Socket> socket);
  asio::awaitable<Result<void>> take(SlotPtr door, LmtpMessage message);
  asio::awaitable<bool> say(SlotPtr door, std::shared_ptr<Socket> socket, std::string text);

  asio::any_io_executor executor;
  Clock& clock;
  MailIntake& intake;
  std::map<std::string, SlotPtr> doors;
  std::list<Acceptor> acceptors;
  std::vector<std::string> unix_paths;
  bool stopping = false;  // a cancellation while something is stored would go unheard
  TaskGroup group;
};

LmtpServer::LmtpServer(asio::any_io_executor executor, Clock& clock, MailIntake& intake)
    : state_(std::make_unique<State>(std::move(executor), clock, intake)) {}
LmtpServer::~LmtpServer() = default;

// Where a source listens takes a restart; whose mail it takes does not.
void LmtpServer::apply(const config::Settings& settings) {
  for (const auto& [name, source] : settings.sources) {
    const auto* lmtp = std::get_if<config::LmtpSource>(&source.of);
    if (lmtp == nullptr) continue;
    auto& door = state_->doors[name];
    if (!door) door = std::make_shared<Slot>();
    door->name = name;
    door->taint = source.trusted ? Taint::trusted : Taint::untrusted;
    door->settings = *lmtp;
  }
}

Result<void> LmtpServer::start() {
  auto& state = *state_;
  for (const auto& [name, door] : state.doors) {
    const auto& where = door->settings.listen;
    const bool is_path = where.starts_with('/');
    auto listener = is_path ? open_unix(where) : open_tcp(where);
    if (!listener) {
      return fail(listener.error().code,
                  fmt::format("source.{}.listen: {}", name, listener.error().message));
    }
    auto& acceptor = state.acceptors.emplace_back(state.executor);
    acceptor.assign(Protocol(listener->family, 0), listener->fd);
    if (is_path) state.unix_paths.push_back(where);
    log_info("mail is taken by LMTP: source={} address={} port={}", name, where, listener->port);
    state.group.spawn("LMTP " + name,
                      [&state, door, &acceptor] { return state.accept(door, acceptor); });
  }
  return {};
}

asio::awaitable<void> LmtpServer::State::accept(SlotPtr door, Acceptor& acceptor) {
  while (true) {
    auto socket = std::make_shared<Socket>(executor);
    auto [error] = co_await acceptor.async_accept(*socket, answered);
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      co_await clock.sleep_for(accept_pause);
      continue;
    }
    if (door->connections >= door->settings.connections_max) continue;  // closed: the MTA waits
    group.spawn("LMTP client", [this, door, socket] { return serve(door, socket); });
  }
}

asio::awaitable<bool> LmtpServer::State::say(SlotPtr door, std::shared_ptr<Socket> socket,
                                             std::string text) {
  if (text.empty()) co_return true;
  auto sending = send(*socket, std::move(text));
  auto limited = with_timeout(clock, door->settings.timeout, std::move(sending));
  Result<bool> sent = co_await std::move(limited);
  co_return sent.value_or(false);
}

// Once it is being stored it is stored, and answered.
asio::awaitable<Result<void>> LmtpServer::State::take(SlotPtr door, LmtpMessage message) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  Delivery delivery{.source = door->name,
                    .taint = door->taint,
                    .from = std::move(message.from),
                    .recipients = std::move(message.recipients),
                    .raw = std::move(message.raw)};
  auto taking = intake.take(std::move(delivery));
  Result<storage::Appended> taken = co_await std::move(taking);
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
  if (taken) co_return Result<void>();
  log_warn("mail was not taken, the sender keeps it: source={} error={}", door->name,
           vigil::quoted(taken.error().message));
  co_return std::unexpected(std::move(taken.error()));
}

asio::awaitable<void> LmtpServer::State::serve(SlotPtr door, std::shared_ptr<Socket> socket) {
  const Seat seat(door);
  const auto takes = [door](std::string_view recipient) {
    const auto& wanted = door->settings.recipients;
    return wanted.empty() || mail::fits_any(wanted, recipient);
  };
  LmtpSession session({.message_bytes_max = door->settings.message_bytes_max}, takes);
  auto greeting = say(door, socket, session.greeting());
  bool open = co_await std::move(greeting);
  std::string bytes;
  while (open) {
    auto turn = session.take(bytes);
    bytes.clear();
    auto replying = say(door, socket, std::move(turn.say));
    open = co_await std::move(replying);
    if (turn.over) break;
    if (turn.message) {
      auto taking = take(door, std::move(*turn.message));
      Result<void> taken = co_await std::move(taking);
      auto answering = say(door, socket, session.answer(taken));
      const bool heard = co_await std::move(answering);
      open = open && heard && !stopping;
      continue;
    }
    bytes.resize(read_bytes);
    auto receiving = receive(*socket, bytes);
    auto limited = with_timeout(clock, door->settings.timeout, std::move(receiving));
    Result<std::size_t> count = co_await std::move(limited);
    if (!count || *count == 0) break;
    bytes.resize(*count);
  }
}

asio::awaitable<void> LmtpServer::stop() {
  auto& state = *state_;
  state.stopping = true;
  state.acceptors.clear();
  state.group.cancel();
  co_await state.group.join();
  for (const auto& path : state.unix_paths) ::unlink(path.c_str());
}

}  // namespace vigil::ingress
