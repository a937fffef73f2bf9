// A program that is spoken to line by line on its standard input and output:
// https://modelcontextprotocol.io/specification/2025-06-18/basic/transports#stdio
#include <fmt/format.h>

#include <boost/asio/this_coro.hpp>

#include "core/bell.hpp"
#include "core/log.hpp"
#include "core/timeout.hpp"
#include "daemon/mcp/messages.hpp"
#include "daemon/mcp/peer.hpp"
#include "swarm/child.hpp"

namespace vigil::mcp {
namespace asio = boost::asio;
namespace {

constexpr std::size_t unread_bytes_max = 32 * 1024 * 1024;  // the largest result, escaped
constexpr std::size_t errors_bytes_max = 2048;
constexpr Duration patience = std::chrono::seconds{2};  // for it to end by itself
constexpr Duration grace = std::chrono::seconds{2};     // between TERM and KILL

class ProgramPeer final : public Peer {
 public:
  ProgramPeer(asio::any_io_executor executor, Clock& clock, std::shared_ptr<const Entry> entry,
              swarm::Child child)
      : clock_(clock), entry_(std::move(entry)), heard_(executor), child_(std::move(child)) {
    child_.listen(swarm::Voice::output, [this](std::string_view bytes) { take(bytes); });
    child_.listen(swarm::Voice::errors, [this](std::string_view bytes) {
      errors_ += bytes;
      if (errors_.size() > errors_bytes_max) errors_.erase(0, errors_.size() - errors_bytes_max);
    });
  }

  bool has_ended() const override { return over_; }

  asio::awaitable<Result<void>> begin(TimePoint deadline) override {
    auto asking = ask("initialize", introduction(), deadline);
    Result<json::object> said = co_await std::move(asking);
    if (!said) co_return std::unexpected(said.error());
    const std::string version(find_text(json::value(*said), "protocolVersion").value_or(""));
    if (!is_known_protocol(version)) {
      co_return fail(ErrorCode::unavailable,
                     fmt::format("it speaks version {} of the protocol", vigil::quoted(version)));
    }
    auto telling = send(notice_text("notifications/initialized", {}));
    co_await std::move(telling);
    co_return Result<void>();
  }

  asio::awaitable<Result<json::object>> ask(std::string method, json::object parameters,
                                            TimePoint deadline) override {
    auto exchanging = exchange(std::move(method), std::move(parameters));
    auto limited = with_timeout(clock_, deadline - clock_.now(), std::move(exchanging));
    Result<Result<json::object>> answered = co_await std::move(limited);
    if (answered) co_return std::move(*answered);
    co_return fail(ErrorCode::timed_out, "it does not answer in time");
  }

  asio::awaitable<void> end() override {
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    child_.close_input();
    auto ending = ended();
    auto limited = with_timeout(clock_, patience, std::move(ending));
    Result<bool> by_itself = co_await std::move(limited);
    (void)by_itself;  // if not, it is made to
    auto stopping = child_.stop(clock_, grace);
    swarm::ChildExit exit = co_await std::move(stopping);
    (void)exit;
  }

 private:
  void take(std::string_view bytes) {
    if (bytes.empty() || unread_.size() > unread_bytes_max) {
      over_ = true;
    } else {
      unread_ += bytes;
    }
    heard_.ring();
  }

  asio::awaitable<bool> ended() {
    while (!over_) co_await heard_.wait();
    co_return true;
  }

  asio::awaitable<void> send(std::string text) {
    auto writing = child_.write(text + "\n");
    co_await std::move(writing);
  }

  asio::awaitable<Result<json::object>> exchange(std::string method, json::object parameters) {
    const auto id = ++last_id_;
    auto sending = send(request_text(id, method, parameters));
    co_await std::move(sending);
    while (true) {
      auto newline = unread_.find('\n', looked_at_);
      if (newline == std::string::npos) {
        looked_at_ = unread_.size();
        if (over_) co_return fail(ErrorCode::unavailable, epitaph());
        co_await heard_.wait();
        continue;
      }
      const auto line = unread_.substr(0, newline);
      unread_.erase(0, newline + 1);
      looked_at_ = 0;
      if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
      auto heard = hear(line, id);
      if (!heard) co_return std::unexpected(heard.error());
      for (auto& reply : heard->to_send) {
        auto replying = send(std::move(reply));
        co_await std::move(replying);
      }
      if (heard->answer) co_return std::move(*heard->answer);
    }
  }

  std::string epitaph() {
    child_.hear_rest();
    if (unread_.size() > unread_bytes_max) return "it says more than any answer may hold";
    if (errors_.empty()) return "it ended";
    return "it ended; its last words: " +
           vigil::quoted(errors_.substr(errors_.size() > 200 ? errors_.size() - 200 : 0));
  }

  Clock& clock_;
  std::shared_ptr<const Entry> entry_;
  Bell heard_;
  std::string unread_;
  std::size_t looked_at_ = 0;  // of unread_, without a newline
  std::string errors_;         // the last of standard error
  std::int64_t last_id_ = 0;
  bool over_ = false;
  swarm::Child child_;  // the last: it calls until it is gone
};

}  // namespace

Result<std::unique_ptr<Peer>> start_program(asio::any_io_executor executor, Clock& clock,
                                            std::shared_ptr<const Entry> entry,
                                            std::string workdir) {
  swarm::ChildSpec spec;
  spec.argv = entry->settings.argv;
  spec.environment = entry->environment;
  spec.workdir = std::move(workdir);
  const auto& sandbox = entry->settings.sandbox;
  spec.containment = sandbox == "none"  ? swarm::Containment::none
                     : sandbox == "net" ? swarm::Containment::net
                                        : swarm::Containment::strict;
  auto started = swarm::Child::start(executor, spec);
  if (!started) return std::unexpected(started.error());
  return std::make_unique<ProgramPeer>(executor, clock, std::move(entry), std::move(*started));
}

}  // namespace vigil::mcp
