#pragma once
// Private work directories of tasks: made, and removed whatever a task left in them. Private to
// swarm; loop thread only.
#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace vigil::swarm {

// Makes `parent` if it is missing and removes the work directories a crash left in it.
void sweep_workdirs(const std::string& parent);

// A new directory under `parent`, for its owner only.
Result<std::string> make_workdir(const std::string& parent);

// Work directories that tasks without containment left empty, for the next of them: to make and
// remove one takes a tenth of a millisecond and more of an ext4. Contained tasks never get one of
// these: what an earlier task left behind, a process of its own say, could still reach it. Those
// without containment reach everything of ours anyway.
class SpareWorkdirs {
 public:
  explicit SpareWorkdirs(std::string parent) : parent_(std::move(parent)) {}
  Result<std::string> take();
  // False if it is not empty, or there are enough: the caller removes it.
  bool put_back(const std::string& path);

 private:
  std::string parent_;
  std::vector<std::string> spare_;
};

// Removes the directory and all below it, never following a symbolic link, yielding to the loop in
// between. What cannot be removed is left for the next sweep.
boost::asio::awaitable<void> remove_workdir(std::string path);

}  // namespace vigil::swarm
