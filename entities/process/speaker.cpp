#include "entities/process/speaker.hpp"

#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "core/deadline.hpp"
#include "core/log.hpp"

namespace vigil::entities {
namespace asio = boost::asio;
namespace {

constexpr Duration last_words_patience = std::chrono::milliseconds{500};

}  // namespace

void Complaints::take(std::string_view bytes, const std::string& entity, TimePoint now) {
  for (const char c : bytes) {
    if (c == '\n') {
      end_line(entity, now);
    } else if (line_.size() < line_bytes_max) {
      line_ += c;
    }
  }
  if (bytes.empty()) end_line(entity, now);  // the end: a last line may lack its newline
}

void Complaints::end_line(const std::string& entity, TimePoint now) {
  const auto line = std::exchange(line_, {});
  if (line.find_first_not_of(" \t\r") == std::string::npos) return;
  last_ = quoted(line);
  if (now - minute_ >= std::chrono::minutes{1}) {
    minute_ = now;
    told_ = 0;
  }
  if (++told_ > lines_a_minute) {
    ++left_out_;
    return;
  }
  if (left_out_ > 0) {
    log_info("a process entity said more than is logged: entity={} lines_left_out={}", entity,
             std::exchange(left_out_, 0));
  }
  log_info("a process entity says: entity={} text={}", entity, last_);
}

Speaker::Speaker(asio::any_io_executor executor, swarm::Child started, std::string entity)
    : child(std::move(started)), entity_(std::move(entity)), heard_(executor), quiet_(executor) {}

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
  heard_.ring();
}

asio::awaitable<void> Speaker::hear_complaints(Clock& clock) {
  while (true) {
    const std::string bytes = co_await child.read_errors();
    complaints_.take(bytes, entity_, clock.now());
    if (bytes.empty()) break;
  }
  complained_ = true;
  quiet_.ring();
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
  return line;
}

asio::awaitable<bool> Speaker::complaints_over() {
  while (!complained_) co_await quiet_.wait();
  co_return true;
}

asio::awaitable<void> Speaker::end(Clock& clock, Duration patience, Duration grace) {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  child.close_input();
  if (patience > Duration{0}) {
    const TimePoint until = clock.now() + patience;
    auto ending = child.wait();
    Result<swarm::ChildExit> exit = co_await with_deadline(clock, until, std::move(ending));
    if (exit) exit_ = *exit;
  }
  if (!exit_) exit_ = co_await child.stop(clock, grace);
  // A descendant that left the group may hold the pipe open: not for ever.
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  const TimePoint until = clock.now() + last_words_patience;
  auto listening = complaints_over();
  Result<bool> over = co_await with_deadline(clock, until, std::move(listening));
  (void)over;  // then its last words are those that came
  co_await asio::this_coro::reset_cancellation_state(asio::enable_terminal_cancellation());
}

std::string Speaker::epitaph() const {
  std::string how = "it has not ended";
  if (exit_) {
    how = exit_->signal != 0 ? fmt::format("signal {}", exit_->signal)
                             : fmt::format("exit code {}", exit_->code);
  }
  if (complaints_.last().empty()) return how;
  return fmt::format("{}; its last words: {}", how, complaints_.last());
}

}  // namespace vigil::entities
