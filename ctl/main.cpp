// vigilctl: asks the daemon over its unix socket and shows what it says.
#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <exception>

#include "ctl/arguments.hpp"

namespace {

using namespace vigil;

ctl::Style style_of_terminal(bool terminal) {
  ctl::Style style;
  style.now = std::chrono::floor<Duration>(std::chrono::system_clock::now());
  if (!terminal) return style;
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  style.color = (no_color == nullptr || *no_color == '\0') && !dumb;
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  style.width = known ? size.ws_col : 80;
  return style;
}

}  // namespace

int main(int count, char** arguments) try {
  auto read = ctl::read_line(count, arguments);
  if (const auto* code = std::get_if<int>(&read)) return *code;
  auto& line = std::get<ctl::Line>(read);
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  const ctl::Session session{.client = ctl::Client(line.socket),
                             .output = line.output,
                             .follow = line.follow,
                             .style = style_of_terminal(terminal),
                             .terminal = terminal};
  return line.verb(session);
} catch (const std::exception& error) {
  ctl::print_error("vigilctl: " + ctl::safe_lines(error.what()) + "\n");
  return ctl::exit_failed;
}
