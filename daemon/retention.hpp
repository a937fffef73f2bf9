#pragma once
// What is done once a day: what is older than its keep time is erased, and the heads of the chains
// are written into the log, where whoever changes the database cannot reach them.
#include <boost/asio/awaitable.hpp>
#include <functional>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "storage/writer.hpp"

namespace vigil {

// Until it is cancelled. The references outlive it; the settings are asked for each time.
boost::asio::awaitable<void> erase_the_old(Clock& clock, storage::Writer& writer,
                                           std::function<config::Storage()> settings);

// The newest row of the ledger and of the audit with its digest (storage/chain.hpp).
boost::asio::awaitable<void> log_heads(storage::Writer& writer);

}  // namespace vigil
