#pragma once
// Private work directories of tasks: made, and removed whatever a task left in them. Private to
// swarm; loop thread only.
#include <boost/asio/awaitable.hpp>
#include <string>

#include "core/error.hpp"

namespace vigil::swarm {

// Makes `parent` if it is missing and removes the work directories a crash left in it.
void sweep_workdirs(const std::string& parent);

// A new directory under `parent`, for its owner only.
Result<std::string> make_workdir(const std::string& parent);

// Removes the directory and all below it, never following a symbolic link, yielding to the loop in
// between. What cannot be removed is left for the next sweep.
boost::asio::awaitable<void> remove_workdir(std::string path);

}  // namespace vigil::swarm
