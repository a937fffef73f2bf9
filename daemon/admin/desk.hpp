#pragma once
// What every handler works with.
#include <memory>

#include "daemon/admin/api.hpp"

namespace boost::asio {
class thread_pool;
}

namespace vigil::admin {

struct Desk {
  explicit Desk(Parts given);
  ~Desk();
  storage::Stores& reader() const { return parts.runtime.reader(); }
  // One thread for reads that may be long (exports); made when the first one is asked for.
  boost::asio::thread_pool& long_reads();

  Parts parts;

 private:
  std::unique_ptr<boost::asio::thread_pool> long_reads_;
};

// The version this program was built as.
std::string_view version();

}  // namespace vigil::admin
