#pragma once
// The command line of vigilctl. The only place that speaks CLI11.
#include <functional>
#include <string>
#include <variant>

#include "ctl/session.hpp"

namespace vigil::ctl {

struct Line {
  std::string socket;
  Output output = Output::page;
  Follow follow = Follow::no;
  std::function<int(const Session&)> verb;
};

// What was asked, or the exit code when it was help or could not be read (then it is told already).
std::variant<Line, int> read_line(int count, const char* const* arguments);

// "events list", "swarms watch", ...: every verb there is, for the docs' test.
std::vector<std::string> all_verbs();

}  // namespace vigil::ctl
