#pragma once
// Work without which the daemon is no longer what it seems: it routes, decides, fires or delivers.
// Were its failure only logged, the doors would go on taking what nobody looks at any more.
#include <boost/asio/awaitable.hpp>
#include <string>

namespace vigil {

// Goes on with `work`. A cancellation passes through; any other failure (no memory, a disk that
// cannot be read) is logged and ends the process: what is on disk is whole, and the next start goes
// on from there.
boost::asio::awaitable<void> vital(std::string name, boost::asio::awaitable<void> work);

}  // namespace vigil
