#pragma once
// The child of a process entity while it runs: its answers line by line, its complaints bounded on
// their way into the log. Private to process; loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <optional>
#include <string>

#include "core/bell.hpp"
#include "core/clock.hpp"
#include "swarm/child.hpp"

namespace vigil::entities {

// Foreign lines into the log, so many a minute; how many were left out is said with the next one.
class Complaints {
 public:
  void take(std::string_view bytes, const std::string& entity, TimePoint now);
  // The last line that was not blank, cut; empty if there was none.
  const std::string& last() const { return last_; }

 private:
  static constexpr std::size_t line_bytes_max = 4096;
  static constexpr int lines_a_minute = 20;

  void end_line(const std::string& entity, TimePoint now);

  std::string line_;
  std::string last_;
  TimePoint minute_{};
  int told_ = 0;
  std::int64_t left_out_ = 0;
};

class Speaker {
 public:
  static constexpr std::size_t line_bytes_max = 8 * 1024 * 1024;

  Speaker(boost::asio::any_io_executor executor, swarm::Child started, std::string entity);

  // Both run for as long as the child does; its owner spawns them.
  boost::asio::awaitable<void> hear_answers();
  boost::asio::awaitable<void> hear_complaints(Clock& clock);

  enum class Heard { line, ended, too_long };
  // Waits for the next whole line, the end, or a line that is too long.
  boost::asio::awaitable<Heard> next_line();
  std::string take_line();  // after Heard::line
  bool has_ended() const { return ended_; }

  // Input closed, `patience` for it to end by itself, TERM, `grace`, KILL; then what it complained
  // of last is known. Completes even when cancelled meanwhile. Once.
  boost::asio::awaitable<void> end(Clock& clock, Duration patience, Duration grace);
  // "exit code 1: "NameError: ...", once it has ended.
  std::string epitaph() const;

  swarm::Child child;

 private:
  boost::asio::awaitable<bool> complaints_over();

  std::string entity_;
  std::string unread_;
  std::size_t looked_at_ = 0;  // of unread_, without a newline
  bool ended_ = false;
  bool complained_ = false;  // all it will
  std::optional<swarm::ChildExit> exit_;
  Bell heard_;
  Bell quiet_;
  Complaints complaints_;
};

}  // namespace vigil::entities
