#pragma once
// What the settings of a stream come to: where it is, what is said to it, what is kept of it. Pure.
#include <string>
#include <vector>

#include "config/streams.hpp"
#include "daemon/ingress/stream_window.hpp"

namespace vigil::ingress {

std::string stream_address(const config::Stream& settings);
// What is sent at the beginning of each connection.
std::vector<std::string> stream_greetings(const config::Stream& settings);
WindowSettings window_of(const config::Stream& settings);
// What was told under another address or form says nothing of this one.
std::string stream_form(const config::Stream& settings);

}  // namespace vigil::ingress
