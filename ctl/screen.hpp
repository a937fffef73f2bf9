#pragma once
// The part of a terminal that is drawn over again and again, below what stood there before. Left as
// it was found, also when a signal ends the program. One at a time.
#include <string>
#include <vector>

namespace vigil::ctl {

class Screen {
 public:
  struct Size {
    int columns = 80;
    int lines = 24;
  };
  static Size size();

  Screen();
  ~Screen() { close(); }
  Screen(const Screen&) = delete;
  Screen& operator=(const Screen&) = delete;

  // In place of what was drawn before; nothing is written when it is the same.
  void draw(const std::vector<std::string>& lines, int columns);
  void erase();
  void close();  // gives the terminal back; what was drawn stays

 private:
  std::vector<std::string> drawn_;
  int columns_ = 0;
  bool open_ = true;
};

// What draws `lines` over `drawn`, for a terminal that has now that many columns: a terminal that
// became narrower has broken what stood there into more lines.
std::string redrawing(const std::vector<std::string>& drawn, const std::vector<std::string>& lines,
                      int columns);

}  // namespace vigil::ctl
