#pragma once
// Tools that a question may use. Loop thread only.
#include <boost/asio/awaitable.hpp>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "core/time.hpp"
#include "daemon/models/talk.hpp"

namespace vigil::models {

class Tools {
 public:
  virtual ~Tools() = default;
  // May calling it change anything outside? True of what is not known.
  virtual bool has_effect(const std::string& tool) const = 0;
  // What the model is told of each, in this order. An error names the one that is not there.
  virtual boost::asio::awaitable<Result<std::vector<ToolSpec>>> describe(
      std::vector<std::string> tools, TimePoint deadline) = 0;
  // What it gives, as text. An error is told to the model, too.
  virtual boost::asio::awaitable<Result<std::string>> call(std::string tool, json::object arguments,
                                                           TimePoint deadline) = 0;
};

}  // namespace vigil::models
