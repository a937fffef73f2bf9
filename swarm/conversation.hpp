#pragma once
// What is said between us and one child: its input, its result, its complaints, its control lines.
// Everything that comes back is bounded. Private to swarm; loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/bell.hpp"
#include "core/json.hpp"
#include "core/task_group.hpp"
#include "swarm/child.hpp"

namespace vigil::swarm {

// Lines of JSON objects out of a stream of bytes. Lines that are too long, too many, or no JSON
// object are counted and left out.
class ControlLines {
 public:
  static constexpr std::size_t line_bytes_max = 256 * 1024;
  static constexpr std::size_t lines_max = 10'000;

  void take(std::string_view bytes, const std::function<void(json::object)>& said);
  void finish(const std::function<void(json::object)>& said);  // a last line without its newline
  std::size_t ignored() const { return ignored_; }

 private:
  void end_line(const std::function<void(json::object)>& said);

  std::string line_;
  bool too_long_ = false;
  std::size_t lines_ = 0;
  std::size_t ignored_ = 0;
};

class Conversation {
 public:
  // Both must outlive it. Begins at once; await end() before it dies.
  Conversation(boost::asio::any_io_executor executor, Child& child, std::size_t output_bytes_max,
               std::function<void(json::object)> said);
  ~Conversation();
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  void begin(std::string input);
  // Waits until the child's pipes are at their end, at most `patience`; then gives up on them, and
  // are_held says that somebody still has them open.
  boost::asio::awaitable<void> end(Clock& clock, Duration patience);

  bool are_held = false;
  std::string output;  // the first output_bytes_max bytes
  std::size_t output_cut_bytes = 0;
  std::string errors;  // the last bytes of standard error
  static constexpr std::size_t errors_bytes_max = 2048;

 private:
  boost::asio::awaitable<void> send(std::string input);
  void hear_output(std::string_view bytes);
  void hear_errors(std::string_view bytes);
  void hear_control(std::string_view bytes);
  boost::asio::awaitable<int> all_ended();
  void ended();

  boost::asio::any_io_executor executor_;
  Child& child_;
  std::size_t output_bytes_max_;
  std::function<void(json::object)> said_;
  ControlLines control_;
  int open_ = 0;
  Bell quiet_;
  std::optional<TaskGroup> sending_;  // of an input too long to be written at once
};

}  // namespace vigil::swarm
