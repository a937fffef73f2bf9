#pragma once
// Hears from the kernel (inotify) that something in folders was written.
// Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/error.hpp"

namespace vigil::ingress {

// What matters: refs of a repository, or any write into the folders.
enum class NoticeKind { refs, any };

class Notices {
 public:
  // `heard` is called on the loop for each batch in which something that matters may have changed.
  static Result<std::unique_ptr<Notices>> open(boost::asio::any_io_executor executor,
                                               NoticeKind kind, std::function<void()> heard);
  ~Notices();  // nothing is heard any more

  // Watches these folders, and no longer those of before that are gone. How many of them are new: a
  // change between the look that named them and now was not heard. Fails when the kernel takes no
  // more of them.
  Result<int> watch(const std::vector<std::string>& folders);

 private:
  struct State;
  explicit Notices(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;
};

}  // namespace vigil::ingress
