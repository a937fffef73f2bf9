#pragma once
// A door over a journal in memory, its clock in the hands of the test.
#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "daemon/ingress/door.hpp"

namespace vigil::testing {

class DoorWorld {
 public:
  DoorWorld();
  ~DoorWorld();

  // A source with that secret; change what else it should be, then call apply().
  config::Webhook& add(const std::string& name, config::Scheme scheme,
                       const std::vector<std::string>& secrets);
  void apply();  // throws when the door refuses
  Result<void> try_apply() { return door.apply(settings); }

  // As the server does it: the head is checked, then the request handled.
  ingress::Response send(ingress::Request request);
  // Without the check of the head, which was made before.
  ingress::Response handle(ingress::Request request);
  ingress::Response post(const std::string& path, std::string body,
                         std::vector<std::pair<std::string, std::string>> headers);

  struct Stored {
    storage::NewEvent event;
    json::value data;
  };
  const Stored& last() const { return stored.at(stored.size() - 1); }

  ManualClock clock{from_unix_us(1'767'225'600'000'000)};
  config::Settings settings;
  std::vector<Stored> stored;
  Result<void> storage_state;  // an error: what the journal answers
  std::function<void()> before_storing;
  ingress::Door door;
  std::filesystem::path directory;

 private:
  boost::asio::awaitable<Result<storage::Appended>> accept(storage::NewEvent event,
                                                           json::value data);
  boost::asio::io_context loop_{1};
};

std::string github_signature(std::string_view secret, std::string_view body);
std::string error_of(const ingress::Response& response);  // its "error" and "hint"

}  // namespace vigil::testing
