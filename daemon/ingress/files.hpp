#pragma once
// Follows files that grow, and reads once what is dropped into a folder ([source.NAME] kind =
// "file"). A contained child reads, when the kernel says that something was written, and every so
// often. How far was read is kept in the database and written with the events: after a crash
// nothing is told twice and nothing is left out. Loop thread only.
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <memory>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "core/clock.hpp"
#include "daemon/ingress/noticed.hpp"
#include "daemon/ingress/reading.hpp"
#include "storage/stores.hpp"

namespace vigil::ingress {

class Follower {
 public:
  Follower(boost::asio::any_io_executor executor, Clock& clock, MakeRunner make_runner,
           AcceptNoticed accept);
  ~Follower();
  Result<void> apply(const config::Settings& settings);
  void start(storage::Stores& reader);
  // Looks soon. False: there is no such source of this kind.
  bool poke(const std::string& source);
  boost::asio::awaitable<void> stop();

  struct View {
    std::string source;
    std::string path;
    std::uint64_t looks = 0;
    std::uint64_t events = 0;
    TimePoint last_look{};
    std::string trouble;   // of the last look; empty: it went well
    std::string left_out;  // lines that could not be read, a file that was truncated
  };
  std::vector<View> views() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace vigil::ingress
