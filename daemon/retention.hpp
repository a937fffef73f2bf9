#pragma once
// Erases what is older than its keep time, once a day.
#include <boost/asio/awaitable.hpp>
#include <functional>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "storage/writer.hpp"

namespace vigil {

// Until it is cancelled. The references outlive it; the settings are asked for each time.
boost::asio::awaitable<void> erase_the_old(Clock& clock, storage::Writer& writer,
                                           std::function<config::Storage()> settings);

}  // namespace vigil
