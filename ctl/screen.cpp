#include "ctl/screen.hpp"

#include <fmt/format.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "ctl/render.hpp"
#include "ctl/session.hpp"

namespace vigil::ctl {
namespace {

// Shown at once where the terminal knows how, without a cursor that jumps, and never broken.
constexpr std::string_view begin_frame = "\033[?2026h\033[?25l\033[?7l";
constexpr std::string_view end_frame = "\033[?7h\033[?2026l";
constexpr char give_back[] = "\033[?2026l\033[?7h\033[?25h";
constexpr int ending_signals[]{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

void write_give_back() {
  // Nothing can be done about a terminal that is gone.
  (void)!::write(STDOUT_FILENO, give_back, sizeof give_back - 1);
}

// The default action was set again when the handler was called: the shell sees the signal.
void end_by(int signal) {
  write_give_back();
  (void)!::write(STDOUT_FILENO, "\n", 1);
  (void)::raise(signal);
}

// The next frame hides the cursor again.
void stop(int) {
  write_give_back();
  (void)::raise(SIGSTOP);
}

void handle(int signal, void (*handler)(int), int flags) {
  struct sigaction action{};
  action.sa_handler = handler;
  action.sa_flags = flags;
  (void)::sigaction(signal, &action, nullptr);  // fails for unknown signals only
}

}  // namespace

Screen::Size Screen::size() {
  Size out;
  winsize known{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &known) != 0) return out;
  constexpr int least = 20;
  if (known.ws_col > 0) out.columns = std::max<int>(known.ws_col, least);
  if (known.ws_row > 0) out.lines = std::max<int>(known.ws_row, 4);
  return out;
}

Screen::Screen() {
  for (const int signal : ending_signals) {
    handle(signal, end_by, static_cast<int>(SA_RESETHAND) | SA_NODEFER);
  }
  handle(SIGTSTP, stop, SA_RESTART);
}

std::string redrawing(const std::vector<std::string>& drawn, const std::vector<std::string>& lines,
                      int columns) {
  const auto width = static_cast<std::size_t>(std::max(columns, 1));
  std::size_t up = 0;
  for (const auto& line : drawn) {
    up += std::max<std::size_t>(1, (display_width(line) + width - 1) / width);
  }
  std::string out(begin_frame);
  out += '\r';
  if (up > 0) out += fmt::format("\033[{}A", up);
  for (const auto& line : lines) out += line + "\033[K\n";
  out += "\033[J";
  out += end_frame;
  return out;
}

void Screen::draw(const std::vector<std::string>& lines, int columns) {
  if (!open_ || (lines == drawn_ && columns == columns_)) return;
  print(redrawing(drawn_, lines, columns));
  drawn_ = lines;
  columns_ = columns;
}

void Screen::erase() {
  if (!drawn_.empty()) draw({}, size().columns);
}

void Screen::close() {
  if (!std::exchange(open_, false)) return;
  for (const int signal : ending_signals) handle(signal, SIG_DFL, 0);
  handle(SIGTSTP, SIG_DFL, 0);
  write_give_back();
}

}  // namespace vigil::ctl
