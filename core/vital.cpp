#include "core/vital.hpp"

#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <cstdlib>

#include "core/log.hpp"

namespace vigil {
namespace asio = boost::asio;

asio::awaitable<void> vital(std::string name, asio::awaitable<void> work) {
  try {
    co_await std::move(work);
  } catch (const std::exception& failure) {
    const auto* told = dynamic_cast<const boost::system::system_error*>(&failure);
    if (told != nullptr && told->code() == asio::error::operation_aborted) throw;
    log_error("nothing works without this, the process ends: task={} error={}", name,
              quoted(failure.what()));
    std::abort();
  }
}

}  // namespace vigil
