#pragma once
// The child of a process entity while it runs: its answers line by line, its complaints bounded on
// their way into the log. Private to process; loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <string>

#include "core/bell.hpp"
#include "core/clock.hpp"
#include "core/task_group.hpp"
#include "swarm/child.hpp"

namespace vigil::entities {

// Foreign lines into the log, so many a minute, of all the children of one entity; how many were
// left out is said with the next one, and at the end of a child once a minute.
class Complaints {
 public:
  void tell(const std::string& entity, const std::string& line, TimePoint now);
  void tell_left_out(const std::string& entity, TimePoint now);

 private:
  static constexpr int lines_a_minute = 20;

  TimePoint minute_{};
  TimePoint summed_up_{};
  int told_ = 0;
  std::int64_t left_out_ = 0;
};

class Speaker {
 public:
  static constexpr std::size_t line_bytes_max = 8 * 1024 * 1024;

  // The references must outlive the speaker.
  Speaker(boost::asio::any_io_executor executor, Clock& clock, Complaints& complaints,
          swarm::Child started, std::string entity);

  // Begins to listen, and to watch for its end, which is told once. end() must be awaited then.
  void begin(std::function<void()> ended);

  enum class Heard { line, ended, too_long };
  // Waits for the next whole line, the end, or a line that is too long.
  boost::asio::awaitable<Heard> next_line();
  std::string take_line();  // after Heard::line
  bool has_ended() const { return ended_; }
  bool has_answered() const { return answers_ > 0; }
  bool is_silent() const { return unread_.empty(); }

  // Input closed, `patience` for it to end by itself, TERM, `grace`, KILL; then what it complained
  // of last is known. Completes even when cancelled meanwhile. Once.
  boost::asio::awaitable<void> end(Duration patience, Duration grace);
  // "exit code 1; its last words: ...", once it has ended.
  std::string epitaph() const;

  swarm::Child child;

 private:
  boost::asio::awaitable<void> hear_answers();
  boost::asio::awaitable<void> hear_complaints();
  void complain(std::string_view bytes);
  void end_complaint();
  boost::asio::awaitable<void> watch(std::function<void()> ended);
  // True once it holds, for with_deadline.
  boost::asio::awaitable<bool> when(const bool& holds, Bell& bell);

  static constexpr std::size_t complaint_bytes_max = 4096;  // of a line

  Clock& clock_;
  Complaints& complaints_;
  std::string entity_;
  std::string complaint_;   // the line that is not ended yet
  std::string last_words_;  // the last line that was not blank, quoted
  std::string unread_;
  std::size_t looked_at_ = 0;  // of unread_, without a newline
  int answers_ = 0;
  bool ended_ = false;       // no answer comes any more
  bool deaf_ = false;        // its answers are not listened to any more
  bool complained_ = false;  // all it will
  bool exited_ = false;
  std::optional<swarm::ChildExit> exit_;
  Bell heard_;
  Bell deafened_;
  Bell quiet_;
  Bell gone_;
  TaskGroup watching_;  // apart, since the child is not to be stopped while it is waited for
  TaskGroup listening_;
};

}  // namespace vigil::entities
