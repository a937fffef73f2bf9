#include "entities/process/speaker.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/log.hpp"
#include "core/timeout.hpp"

namespace vigil::entities {
namespace asio = boost::asio;
namespace {

constexpr Duration last_words_patience = std::chrono::milliseconds{500};

}  // namespace

void Complaints::tell_left_out(const std::string& entity, TimePoint now) {
  if (left_out_ == 0 || now - summed_up_ < std::chrono::minutes{1}) return;
  summed_up_ = now;
  log_info("a process entity said more than is logged: entity={} lines_left_out={}", entity,
           std::exchange(left_out_, 0));
}

void Complaints::tell(const std::string& entity, const std::string& line, TimePoint now) {
  if (now - minute_ >= std::chrono::minutes{1}) {
    minute_ = now;
    told_ = 0;
  }
  if (++told_ > lines_a_minute) {
    ++left_out_;
    return;
  }
  tell_left_out(entity, now);
  log_info("a process entity says: entity={} text={}", entity, line);
}

Speaker::Speaker(asio::any_io_executor executor, Clock& clock, Complaints& complaints,
                 swarm::Child started, std::string entity)
    : child(std::move(started)),
      clock_(clock),
      complaints_(complaints),
      entity_(std::move(entity)),
      heard_(executor),
      deafened_(executor),
      quiet_(executor),
      gone_(executor),
      watching_(executor),
      listening_(executor) {}

void Speaker::begin(std::function<void()> ended) {
  listening_.spawn("answers of a process entity", [this] { return hear_answers(); });
  listening_.spawn("complaints of a process entity", [this] { return hear_complaints(); });
  watching_.spawn("end of a process entity",
                  [this, tell = std::move(ended)] { return watch(tell); });
}

asio::awaitable<void> Speaker::hear_answers() {
  // One that talks without end is not read any more: the pipe holds it.
  while (unread_.size() <= line_bytes_max) {
    const std::string bytes = co_await child.read_output();
    if (bytes.empty()) {
      ended_ = true;
      break;
    }
    unread_ += bytes;
    heard_.ring();
  }
  deaf_ = true;
  heard_.ring();
  deafened_.ring();
}

asio::awaitable<void> Speaker::hear_complaints() {
  while (true) {
    const std::string bytes = co_await child.read_errors();
    if (bytes.empty()) break;
    complain(bytes);
  }
  end_complaint();  // a last one without its newline
  complaints_.tell_left_out(entity_, clock_.now());
  complained_ = true;
  quiet_.ring();
}

void Speaker::complain(std::string_view bytes) {
  for (const char c : bytes) {
    if (c == '\n') {
      end_complaint();
    } else if (complaint_.size() < complaint_bytes_max) {
      complaint_ += c;
    }
  }
}

void Speaker::end_complaint() {
  const auto line = std::exchange(complaint_, {});
  if (line.find_first_not_of(" \t\r") == std::string::npos) return;
  last_words_ = quoted(line);
  complaints_.tell(entity_, last_words_, clock_.now());
}

asio::awaitable<bool> Speaker::when(const bool& holds, Bell& bell) {
  while (!holds) co_await bell.wait();
  co_return true;
}

asio::awaitable<void> Speaker::watch(std::function<void()> ended) {
  exit_ = co_await child.wait();
  exited_ = true;
  gone_.ring();
  // What it said last may still be in the pipe. A descendant that left its group may hold the pipe
  // open: not for ever.
  auto listening = when(deaf_, deafened_);
  Result<bool> over = co_await with_timeout(clock_, last_words_patience, std::move(listening));
  (void)over;
  ended_ = true;
  heard_.ring();
  ended();
}

asio::awaitable<Speaker::Heard> Speaker::next_line() {
  while (true) {
    const auto newline = unread_.find('\n', looked_at_);
    if (newline != std::string::npos && newline <= line_bytes_max) co_return Heard::line;
    if (unread_.size() > line_bytes_max) co_return Heard::too_long;
    if (ended_) co_return Heard::ended;
    looked_at_ = unread_.size();
    co_await heard_.wait();
  }
}

std::string Speaker::take_line() {
  const auto newline = unread_.find('\n', looked_at_);
  auto line = unread_.substr(0, newline);
  unread_.erase(0, newline + 1);
  looked_at_ = 0;
  ++answers_;
  return line;
}

asio::awaitable<void> Speaker::end(Duration patience, Duration grace) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  child.close_input();
  if (patience.count() > 0) {
    auto ending = when(exited_, gone_);
    Result<bool> by_itself = co_await with_timeout(clock_, patience, std::move(ending));
    (void)by_itself;  // if not, it is made to
  }
  watching_.cancel();
  co_await watching_.join();
  if (!exit_) exit_ = co_await child.stop(clock_, grace);
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  auto listening = when(complained_, quiet_);
  Result<bool> over = co_await with_timeout(clock_, last_words_patience, std::move(listening));
  (void)over;  // then its last words are those that came
  listening_.cancel();
  co_await listening_.join();
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
}

std::string Speaker::epitaph() const {
  std::string how = "it has not ended";
  if (exit_) {
    how = exit_->signal != 0 ? fmt::format("signal {}", exit_->signal)
                             : fmt::format("exit code {}", exit_->code);
  }
  if (last_words_.empty()) return how;
  return fmt::format("{}; its last words: {}", how, last_words_);
}

}  // namespace vigil::entities
